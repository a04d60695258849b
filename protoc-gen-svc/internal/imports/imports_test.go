package imports_test

import (
	"testing"

	"google.golang.org/protobuf/compiler/protogen"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/imports"
)

func TestNamed(t *testing.T) {
	tests := []struct{ path, want string }{
		{"example.com/shop/order/v1", "orderv1"},
		{"example.com/shop/order/v1beta2", "orderv1beta2"},
		{"example.com/shop/order-history/v2", "order_historyv2"},
		{"example.com/shop/orderv1svc", "orderv1svc"},
		{"example.com/shop/config", "configpb"},
		{"handler", "handlerpb"},
		{"v1", "v1"},
		{"example.com/Shop/Order", "order"}, // OrderService may be in the file, too
		{"example.com/Shop/V2", "shopv2"},
		{"example.com/init", "initpb"},
	}
	for _, test := range tests {
		id := imports.Named(protogen.GoImportPath(test.path).Ident("Message"))
		g := (&protogen.Plugin{}).NewGeneratedFile("x.go", "example.com/x")
		if got := g.QualifiedGoIdent(id); got != test.want+".Message" {
			t.Errorf("%s is named %s, want %s.Message", test.path, got, test.want)
		}
		if got := imports.Path(id.GoImportPath); string(got) != test.path {
			t.Errorf("%s is imported as %s", test.path, got)
		}
	}
}
