package rpcname_test

import (
	"testing"

	"github.com/protosvc/protosvc/svc/internal/rpcname"
)

func TestSplit(t *testing.T) {
	for name, want := range map[string][2]string{
		"/order.v1.OrderService/CreateOrder": {"order.v1.OrderService", "CreateOrder"},
		"OrderService/CreateOrder":           {"OrderService", "CreateOrder"},
		"/OrderService":                      {"OrderService", ""},
		"/a/b/c":                             {"a", "b/c"},
	} {
		if service, method := rpcname.Split(name); service != want[0] || method != want[1] {
			t.Errorf("Split(%q) = %q, %q, want %q", name, service, method, want)
		}
	}
}
