package system_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svc"
)

// TestDeclaredCallsOnly: a handler can make the calls that its contract declares, and no
// other.
func TestDeclaredCallsOnly(t *testing.T) {
	for contract, deps := range map[string]any{
		"order/v1/order.proto":     orderv1svc.OrderServiceDeps{},
		"payment/v1/payment.proto": paymentv1svc.PaymentServiceDeps{},
		"user/v1/user.proto":       userv1svc.UserServiceDeps{},
	} {
		got, want := possibleCalls(reflect.TypeOf(deps)), declaredCalls(read(t, root, "proto", contract))
		if !slices.Equal(got, want) {
			t.Errorf("%s: the handler can call %q, the contract declares %q", contract, got, want)
		}
	}
}

// possibleCalls are the methods of the clients in a Deps: "UserService/GetUser".
func possibleCalls(deps reflect.Type) []string {
	var out []string
	for _, field := range reflect.VisibleFields(deps) {
		if !strings.HasSuffix(field.Type.Name(), field.Name+"Client") {
			continue
		}
		for i := range field.Type.NumMethod() {
			out = append(out, field.Name+"/"+field.Type.Method(i).Name)
		}
	}
	slices.Sort(out)
	return out
}

// declaredCall is a call in a contract, without the package of the service.
var declaredCall = regexp.MustCompile(`\b(?:calls|defers): "[a-z0-9.]*\.(\w+/\w+)"`)

func declaredCalls(contract []byte) []string {
	var out []string
	for _, call := range declaredCall.FindAllSubmatch(contract, -1) {
		out = append(out, string(call[1]))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
