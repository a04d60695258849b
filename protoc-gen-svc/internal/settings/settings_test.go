package settings

import (
	"io"
	"slices"
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
		{Kind: "config", Name: "shop.v1.Config.size"},
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
		{"shop.v1.OrderService.GetOrder", "shop.v1.OrderService/GetOrder"},
		{"order.GetOrder", "shop.v1.OrderService/GetOrder"},
		{"/shop.v1.OrderService/GetOrder", "shop.v1.OrderService/GetOrder"},
		{"NOT_FOUND", "shop.v1.OrderError.NOT_FOUND"},
		{"shop.v1.OrderError.NOT_FOUND", "shop.v1.OrderError.NOT_FOUND"},
		{"shop.v1.Config.size", "shop.v1.Config.size"},
		{"order", "shop.v1.OrderService shop.v1.OrderService/CreateOrder shop.v1.OrderService/GetOrder shop.v1.OrderError.NOT_FOUND shop.v1.Config.size"},
		{"NOT_FUOND", `"NOT_FUOND" is not in the contract (did you mean "NOT_FOUND"?)`},
		{"ordr", `"ordr" is not in the contract (did you mean "order"?)`},
		{"order/GetOrdr", `"order/GetOrdr" is not in the contract (did you mean "order/GetOrder"?)`},
		{"user/GetOrder", `"user/GetOrder" is not in the contract (did you mean "order/GetOrder"?)`},
		{"payments-of-others", `"payments-of-others" is not in the contract (want a service, a method as in "order.v1.OrderService/CreateOrder", or an error)`},
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

func TestNames(t *testing.T) {
	got := Names([]Group{
		{Kind: "error", Name: "shop.v1.OrderError.LOST"},
		{Kind: "service", Name: "shop.v1.OrderService", Deployable: "order"},
		{Kind: "method", Name: "shop.v1.OrderService/GetOrder"},
	})
	if want := []string{"shop.v1.OrderService", "order", "shop.v1.OrderService/GetOrder", "order/GetOrder"}; !slices.Equal(got, want) {
		t.Errorf("Names() = %q, want %q", got, want)
	}
}

// groups have each of what is printed in a way of its own.
var groups = []Group{
	{Kind: "service", Name: "shop.v1.OrderService", Deployable: "order", Settings: []Setting{
		{Option: "(svc.v1.service).name", Value: "order", From: "shop.proto:3:5", Outputs: []string{"deploy/order/a.yaml", "deploy/order/b.yaml"}},
		{Option: "(svc.v1.service).secret", Derived: "(svc.v1.service).name"},
		{Option: "(svc.v1.service).callees[user].service", Value: "user", From: "shop.proto:4:5"},
		{Option: "(svc.v1.service).callees[user].balance", Value: "a\tb"},
		{Option: "(svc.v1.service).propagate[x].max_bytes", Value: "128", Derived: "(svc.v1.service).name"},
	}},
	{Kind: "error", Name: "shop.v1.OrderError.GONE", Settings: []Setting{
		{Option: "(svc.v1.errors).domain", Value: "shop"},
		{Option: "(svc.v1.error).code", Value: "NotFound", From: "shop.proto:9:5"},
		{Option: "(svc.v1.error).message", Value: "it is gone"},
		{Option: "(svc.v1.error).retryable", Value: "false"},
	}},
	{Kind: "error", Name: "shop.v1.OrderError.LOST"},
	{Kind: "error", Name: "shop.v1.UserError.GONE", Settings: []Setting{{Option: "(svc.v1.error).code", Value: "NotFound"}}},
}

func TestText(t *testing.T) {
	for name, c := range map[string]struct {
		print  func(io.Writer, []Group) error
		groups []Group
		want   string
	}{
		"short": {Text, groups, `service shop.v1.OrderService, deployed as order
  name         order  shop.proto:3:5
  callees[user]  shop.proto:4:5
    balance    a\tb   default
  propagate[x]
    max_bytes  128    by name

error shop.v1.OrderError
  GONE  code=NotFound retryable=false  shop.proto:9:5
        message="it is gone"
  LOST  default

error shop.v1.UserError.GONE
  code  NotFound  default
`},
		"verbose": {Verbose, groups[:1], `service shop.v1.OrderService, deployed as order
  name         order  shop.proto:3:5
      deploy/order/{a.yaml,b.yaml}
  secret       -      by name
      -
  callees[user]  shop.proto:4:5
      -
    balance    a\tb   default
        -
  propagate[x]
    max_bytes  128    by name
        -
`},
		"set": {Text, OnlySet(groups), `service shop.v1.OrderService, deployed as order
  name  order  shop.proto:3:5
  callees[user]  shop.proto:4:5

error shop.v1.OrderError.GONE
  code  NotFound  shop.proto:9:5
`},
	} {
		var out strings.Builder
		if err := c.print(&out, c.groups); err != nil || out.String() != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, &out, c.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for text, want := range map[string][]string{
		"":                  {""},
		"one two":           {"one two"},
		"one two three":     {"one two", "three"},
		"abcdefghijkl":      {"abcdefghijkl"}, // cannot be broken
		"{abc,def,ghi} jkl": {"{abc,", "def,ghi}", "jkl"},
		"a b\nc":            {"a b", "c"},
		"äöü äö":            {"äöü äö"}, // letters, not bytes
	} {
		if got := wrap(text, 8); !slices.Equal(got, want) {
			t.Errorf("wrap(%q) = %q, want %q", text, got, want)
		}
	}
}
