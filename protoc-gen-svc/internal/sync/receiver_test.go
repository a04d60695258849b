package sync

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestAsserted: the handler is the type of the first (*T)(nil) that is said to
// implement the service, and nothing else names it.
func TestAsserted(t *testing.T) {
	for declaration, want := range map[string]string{
		"var _ shopv1.ShopServiceServer = (*h)(nil)":                                                   "h",
		"var _ Server = (*h)(nil)":                                                                     "h",
		"var (\n\t_ = 1\n\t_ shopv1.ShopServiceServer = (*h)(nil)\n)":                                  "h",
		"var _ shopv1.ShopServiceServer = h{}\nvar _ shopv1.ShopServiceServer = (*fake)(nil)":          "fake",
		"var _ shopv1.ShopServiceServer = (*fake)(nil)\nvar _ shopv1.ShopServiceServer = (*h)(nil)":    "fake",
		"var _ other.ShopServiceServer = (*fake)(nil)\nvar _ shopv1.ShopServiceServer = (*h)(nil)":     "h",
		"var _ shopv1.ShopServiceClient = (*fake)(nil)\nvar _ shopv1.ShopServiceServer = (*h)(nil)":    "h",
		"var _ shopv1.ShopServiceServer = new(h)":                                                      "",
		"var _ shopv1.ShopServiceServer = made(nil)":                                                   "",
		"var _ shopv1.ShopServiceServer = (*other.Handler)(nil)":                                       "",
		"var _ shopv1.ShopServiceServer":                                                               "",
		"var _ = shopv1.ShopServiceServer((*h)(nil))":                                                  "",
		"func (fake) Watch() {}\n\nfunc unused() { var _ shopv1.ShopServiceServer = (*h)(nil) }":       "",
		"func newH() *h { return &h{} }\n\nfunc unused() *h { return newH() }\n\nvar Handler = fake{}": "",
	} {
		t.Run(declaration, func(t *testing.T) {
			contract := readContract("rpc Ship unary\n")
			newModule(t, contract, []txtar.File{{Name: "services/shop/shop.go", Data: []byte(`package shop

import (
	"example.com/other"
	"example.com/shop/generated/shop/v1/shopv1svc"

	shopv1 "example.com/shop/generated/shop/v1"
)

type (
	h      struct{}
	fake   struct{}
	Server = shopv1.ShopServiceServer
)

func New(shopv1svc.ShopServiceDeps) (shopv1.ShopServiceServer, error) { return &h{}, nil }

` + declaration + "\n")}})
			printed, err := synchronise(t, fixed{contract.request()}, false /* check */)
			if err != nil {
				t.Fatal(err)
			}
			demand := ""
			if want == "" {
				demand = `services/shop/shop.go:16:6: no line says which type implements shop.v1.ShopService, so there is no stub of Ship (add "var _ shopv1.ShopServiceServer = (*handler)(nil)", with your type's name for handler)` + "\n"
			}
			if printed[notes] != demand {
				t.Errorf("notes are\n%swant\n%s", printed[notes], demand)
			}
			stub, err := os.ReadFile("services/shop/ship.go")
			if method := "func (h *" + want + ") Ship("; err == nil != (want != "") || !strings.Contains(string(stub), method) && want != "" {
				t.Errorf("the stub is\n%s(%v), want %q", stub, err, method)
			}
		})
	}
}

// TestNotAsserted: a package that lacks nothing is left alone, and one that lacks
// something fails the check.
func TestNotAsserted(t *testing.T) {
	for rpcs, want := range map[string]error{"rpc Ship unary\n": nil, "rpc Ship unary\nrpc Watch server_stream\n": ErrStale} {
		t.Run(rpcs, func(t *testing.T) {
			contract := readContract(rpcs)
			newModule(t, contract, []txtar.File{{Name: "services/shop/shop.go", Data: []byte(`package shop

import (
	"context"

	"example.com/shop/generated/shop/v1/shopv1svc"

	shopv1 "example.com/shop/generated/shop/v1"
)

type h struct{}

func New(shopv1svc.ShopServiceDeps) (shopv1.ShopServiceServer, error) { return h{}, nil }

func (h) Ship(context.Context, *shopv1.ShipRequest) (*shopv1.ShipResponse, error) { panic(1) }
`)}})
			printed, err := synchronise(t, fixed{contract.request()}, true /* check */)
			if !errors.Is(err, want) || (printed[notes] == "") != (want == nil) || printed[output] != "" {
				t.Errorf("error is %v, want %v; printed %q", err, want, printed)
			}
		})
	}
}
