package sync

import (
	"errors"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestStaleNew: a New of another shape than the generated main wants is named, with
// its place, unless its types may be the same by another name.
func TestStaleNew(t *testing.T) {
	const deps, server = "shopv1svc.ShopServiceDeps", "shopv1.ShopServiceServer"
	for declaration, signature := range map[string]string{
		"func New(" + deps + ") (" + server + ", error)":                "",
		"func New(d " + deps + ") (s " + server + ", err error)":        "",
		"func New(Deps) (" + server + ", error)":                        "", // an alias
		"func New(" + deps + ") (other.Server, error)":                  "", // an alias, perhaps
		"func New() (" + server + ", error)":                            "func() (shopv1.ShopServiceServer, error)",
		"func New(" + deps + ") " + server:                              "func(shopv1svc.ShopServiceDeps) shopv1.ShopServiceServer",
		"func New(" + deps + ")":                                        "func(shopv1svc.ShopServiceDeps)",
		"func New(" + deps + ") (*h, error)":                            "func(shopv1svc.ShopServiceDeps) (*h, error)",
		"func New(" + deps + ") (h, error)":                             "func(shopv1svc.ShopServiceDeps) (h, error)",
		"func New(*" + deps + ") (" + server + ", error)":               "func(*shopv1svc.ShopServiceDeps) (shopv1.ShopServiceServer, error)",
		"func New(*other.Deps) (" + server + ", error)":                 "func(*other.Deps) (shopv1.ShopServiceServer, error)",
		"func New(" + deps + ") (" + server + ", bool)":                 "func(shopv1svc.ShopServiceDeps) (shopv1.ShopServiceServer, bool)",
		"func New(" + server + ") (" + server + ", error)":              "func(shopv1.ShopServiceServer) (shopv1.ShopServiceServer, error)",
		"func New(d " + deps + ", n ...int) (" + server + ", error)":    "func(d shopv1svc.ShopServiceDeps, n ...int) (shopv1.ShopServiceServer, error)",
		"func New(a, b " + deps + ") (" + server + ", error)":           "func(a, b shopv1svc.ShopServiceDeps) (shopv1.ShopServiceServer, error)",
		"var New = func() int { return 1 }\n\nfunc unused() (_ string)": "", // not read
	} {
		t.Run(declaration, func(t *testing.T) {
			contract := readContract("rpc Ship unary\n")
			newModule(t, contract, []txtar.File{{Name: "services/shop/shop.go", Data: []byte(`package shop

import (
	"context"

	"example.com/other"
	"example.com/shop/generated/shop/v1/shopv1svc"

	shopv1 "example.com/shop/generated/shop/v1"
)

type Deps = shopv1svc.ShopServiceDeps

type h struct{}

func (h) Ship(context.Context, *shopv1.ShipRequest) (*shopv1.ShipResponse, error) { panic(1) }

` + declaration + " { panic(1) }\n")}})
			got, err := synchronise(t, fixed{contract.request()}, true /* check */)
			want, failure := "", error(nil)
			if signature != "" {
				want = "services/shop/shop.go:18:6: New has the signature " + signature + ", and the generated main wants func(deps shopv1svc.ShopServiceDeps) (shopv1.ShopServiceServer, error)\n"
				failure = ErrStale
			}
			if got[notes] != want || !errors.Is(err, failure) {
				t.Errorf("notes are\n%swant\n%serror is %v, want %v", got[notes], want, err, failure)
			}
		})
	}
}
