package settings

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// TestEveryAnnotation: an annotation that is added to svc.proto needs a row in
// the table, and no row outlives its annotation.
func TestEveryAnnotation(t *testing.T) {
	left := map[string]bool{}
	for option := range table {
		left[option] = true
	}
	var walk func(option string, m protoreflect.MessageDescriptor)
	walk = func(option string, m protoreflect.MessageDescriptor) {
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			option := option + "." + string(f.Name())
			row, known := table[option]
			switch {
			case !known:
				t.Errorf("%s has no row in table.go: say how the model has its value and which templates it reaches", option)
			case (row.value == nil) != (f.Message() != nil):
				t.Errorf("%s: a message has parts, anything else has a value", option)
			}
			delete(left, option)
			if f.Message() != nil {
				walk(option, f.Message())
			}
		}
	}
	extensions := svcv1.File_svc_v1_svc_proto.Extensions()
	for i := range extensions.Len() {
		x := extensions.Get(i)
		walk("("+string(x.FullName())+")", x.Message())
	}
	for option := range left {
		t.Errorf("%s has a row in table.go and is no annotation", option)
	}
}

func TestFind(t *testing.T) {
	all := []Group{
		{Kind: "service", Name: "shop.v1.OrderService", Deployable: "order"},
		{Kind: "method", Name: "shop.v1.OrderService/CreateOrder"},
		{Kind: "method", Name: "shop.v1.OrderService/GetOrder"},
		{Kind: "error", Name: "shop.v1.OrderError.NOT_FOUND"},
		{Kind: "service", Name: "shop.v1.UserService", Deployable: "user"},
		{Kind: "method", Name: "shop.v1.UserService/GetUser"},
	}
	tests := []struct {
		name, want string // the groups, or the error
	}{
		{"user", "shop.v1.UserService shop.v1.UserService/GetUser"},
		{"shop.v1.UserService", "shop.v1.UserService shop.v1.UserService/GetUser"},
		{"order/GetOrder", "shop.v1.OrderService/GetOrder"},
		{"shop.v1.OrderService/GetOrder", "shop.v1.OrderService/GetOrder"},
		{"ordr", `"ordr" is not in the contract (did you mean "order"?)`},
		{"order/GetOrdr", `"order/GetOrdr" is not in the contract (did you mean "order/GetOrder"?)`},
		{"user/GetOrder", `"user/GetOrder" is not in the contract (did you mean "order/GetOrder"?)`},
		{"payments-of-others", `"payments-of-others" is not in the contract (want a service, or a method as in "order.v1.OrderService/CreateOrder")`},
	}
	for _, test := range tests {
		found, err := Find(all, test.name)
		var names []string
		for _, g := range found {
			names = append(names, g.Name)
		}
		got := strings.Join(names, " ")
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("Find(%q) = %s, want %s", test.name, got, test.want)
		}
	}
}
