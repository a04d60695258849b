package model

import (
	"fmt"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

func TestWords(t *testing.T) {
	tests := map[string][]string{
		"":                   nil,
		"_":                  nil,
		"order":              {"order"},
		"OrderService":       {"order", "service"},
		"HTTPGateway":        {"http", "gateway"},
		"HTTPGateway_v2":     {"http", "gateway", "v2"},
		"userID":             {"user", "id"},
		"user_id":            {"user", "id"},
		"USER_NOT_FOUND":     {"user", "not", "found"},
		"a__b_":              {"a", "b"},
		"_2aOdd":             {"2a", "odd"},
		"HTTP2Proxy":         {"http2", "proxy"},
		"order-api":          {"order", "api"},
		"Nested_NestedError": {"nested", "nested", "error"},
		"X":                  {"x"},
		"aB":                 {"a", "b"},
	}
	for in, want := range tests {
		if diff := cmp.Diff(want, words(in)); diff != "" {
			t.Errorf("words(%q) (-want +got):\n%s", in, diff)
		}
	}
}

func TestDeployableName(t *testing.T) {
	long := strings.Repeat("Bcdefghij", 8) + "Service"
	one := strings.Repeat("x", 70)
	tests := map[protoreflect.FullName]string{
		"order.v1.OrderService":                   "order",
		"order.v1.Order":                          "order",
		"order.OrderService":                      "order",
		"order.v2.OrderService":                   "order-v2",
		"order.v1beta1.OrderService":              "order-v1beta1",
		"shop.order.v1.OrderService":              "shop-order",
		"shop.v1.UserService":                     "shop-user",
		"shop.order.v1.OrderAdminService":         "shop-order-order-admin",
		"user_profile.v1.UserProfileService":      "user-profile",
		"routeguide.RouteGuide":                   "routeguide",
		"bank.v1beta1.Query":                      "bank-v1beta1-query",
		"task.v2.Task":                            "task-v2",
		"task.v3.Task":                            "task-v3",
		"v1.Lister":                               "lister",
		"v1alpha1.Lister":                         "v1alpha1-lister",
		"OrderService":                            "order",
		"order.v1.Service":                        "order-service",
		"order.v1.ServiceService":                 "order-service",
		"gateway.HTTPGatewayService":              "gateway-http-gateway",
		"x.range":                                 "x-range",
		"x._2aOdd":                                "x-2a-odd",
		"_2aOdd":                                  "svc-2a-odd",
		"x.___":                                   "x",
		"___":                                     "svc",
		"x.lower_case":                            "x-lower-case",
		"order.OrderHeadless":                     "order-order-headless-svc",
		"Headless":                                "headless",
		"vendor.v1.VendorService":                 "vendor-svc",
		"aux.v1.Aux":                              "aux-svc",
		protoreflect.FullName("x.v1." + long):     "bcdefghij-bcdefghij-bcdefghij-bcdefghij-",
		protoreflect.FullName("other.v1." + long): "bcdefghij-bcdefghij-bcdefghij-bcdefghij-",
		protoreflect.FullName("x.v1." + one):      one[:45] + "-",
		"a_rather_long_name_of_a_company.and_of_a_department.v1.OrderService": "name-of-a-company-and-of-a-department-order-",
	}
	for in, want := range tests {
		got := deployableName(in)
		if len(got) > maxServiceName || !kebabName.MatchString(got) {
			t.Errorf("deployableName(%q) = %q, which (svc.v1.service).name would refuse", in, got)
		}
		if strings.HasSuffix(want, "-") {
			got = got[:len(want)] // a hash follows
		}
		if got != want {
			t.Errorf("deployableName(%q) = %q, want %q", in, got, want)
		}
	}
	if a, b := deployableName(protoreflect.FullName("x.v1."+long)), deployableName(protoreflect.FullName("other.v1."+long)); a == b {
		t.Errorf("two long names are both %q", a)
	}
}

func TestPackageOf(t *testing.T) {
	tests := []struct{ pkg, path, name string }{
		{"order.v1", "example.com/gen/order/v1/orderv1svc", "orderv1svc"},
		{"shop.order.v1beta1", "example.com/gen/shop/order/v1beta1/orderv1beta1svc", "orderv1beta1svc"},
		{"shop.order.v2p3alpha1", "example.com/gen/shop/order/v2p3alpha1/orderv2p3alpha1svc", "orderv2p3alpha1svc"},
		{"order", "example.com/gen/order/ordersvc", "ordersvc"},
		{"v1", "example.com/gen/v1/v1svc", "v1svc"},
		{"order.version", "example.com/gen/order/version/versionsvc", "versionsvc"},
		{"", "example.com/gen/nopackagesvc", "nopackagesvc"},
		{"order.internal.v1", "example.com/gen/order/xinternal_/v1/internalv1svc", "internalv1svc"},
		{"_hidden.v1", "example.com/gen/xhidden_/v1/hiddenv1svc", "hiddenv1svc"},
		{"My_Company.Orders", "example.com/gen/My_Company/Orders/orderssvc", "orderssvc"},
		{"vendor.aux.con", "example.com/gen/xvendor_/xaux_/xcon_/consvcsvc", "consvcsvc"},
		{"shop.func", "example.com/gen/shop/func/funcsvcsvc", "funcsvcsvc"},
	}
	for _, test := range tests {
		got := packageOf("example.com/gen", protoreflect.FullName(test.pkg))
		if string(got.Path) != test.path || got.Name != test.name {
			t.Errorf("packageOf(%q) = %s %s, want %q %s", test.pkg, got.Path, got.Name, test.path, test.name)
		}
		if "example.com/gen/"+got.Dir != test.path {
			t.Errorf("packageOf(%q) lies in %s", test.pkg, got.Dir)
		}
	}
}

func TestCamel(t *testing.T) {
	tests := []struct{ in, camel, unexported string }{
		{"user_id", "UserID", "userID"},
		{"USER_NOT_FOUND", "UserNotFound", "userNotFound"},
		{"id", "ID", "id"},
		{"http_url", "HTTPURL", "httpURL"},
		{"type", "Type", "type_"},
		{"func", "Func", "func_"},
		{"2fa", "2fa", "x2fa"},
		{"", "", "x"},
		{"m", "M", "m"},
		{"string", "String", "string"},
	}
	for _, test := range tests {
		if got := camel(test.in); got != test.camel {
			t.Errorf("camel(%q) = %q, want %q", test.in, got, test.camel)
		}
		if got := unexported(test.in); got != test.unexported {
			t.Errorf("unexported(%q) = %q, want %q", test.in, got, test.unexported)
		}
		if !token.IsIdentifier(unexported(test.in)) {
			t.Errorf("unexported(%q) is no identifier", test.in)
		}
	}
}

func TestLowerFirst(t *testing.T) {
	for in, want := range map[string]string{"CreateOrder": "createOrder", "Type": "type", "X_2AOdd": "x_2AOdd", "S": "s"} {
		if got := lowerFirst(in); got != want {
			t.Errorf("lowerFirst(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestIdentifier(t *testing.T) {
	for in, want := range map[string]string{
		"OrderService": "OrderService", "Client": "Client", "Name": "Name", "Dial": "Dial", "Metrics": "Metrics", "NewMetrics": "NewMetrics_", "NewOrder": "NewOrder",
		"OrderClient": "OrderClient_", "DomainName": "DomainName_", "DialOrder": "DialOrder_", "UnimplementedOrder": "UnimplementedOrder_", "OrderClients": "OrderClients",
	} {
		if got := identifier(in); got != want {
			t.Errorf("identifier(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFieldName(t *testing.T) {
	for in, want := range map[string]string{"Get": "get", "Type": "type_rpc", "Type_": "type_", "Nil": "nil", "MustEmbedUnimplementedOrderServer": "mustEmbedUnimplementedOrderServer_rpc"} {
		if got := fieldName("Order", in); got != want {
			t.Errorf("fieldName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestEnvName(t *testing.T) {
	for in, want := range map[string]string{"order": "ORDER", "http-gateway": "HTTP_GATEWAY", "stop.drain_delay": "STOP_DRAIN_DELAY"} {
		if got := envName(in); got != want {
			t.Errorf("envName(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestGoCamelCase holds our rule for the names of callees against that of
// protogen, which we cannot ask about a service that is not in the run.
func TestGoCamelCase(t *testing.T) {
	names := []string{
		"Order", "order", "order_service", "Order_Service", "_order", "__order", "order_", "order__service",
		"order1", "order_1", "o1rder", "ORDER", "oRDER", "_2aOdd", "a_b_c", "A_B_c", "aB_Cd", "x_", "_", "HTTP2_proxy", "range", "_1",
	}
	file := &descriptorpb.FileDescriptorProto{
		Name:    proto.String("names.proto"),
		Syntax:  proto.String("proto3"),
		Options: &descriptorpb.FileOptions{GoPackage: proto.String("example.com/names")},
	}
	for _, name := range names {
		file.Service = append(file.Service, &descriptorpb.ServiceDescriptorProto{Name: proto.String(name)})
	}
	p, err := protogen.Options{}.New(&pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{"names.proto"},
		ProtoFile:      []*descriptorpb.FileDescriptorProto{file},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.FilesByPath["names.proto"].Services {
		if got := goCamelCase(string(s.Desc.Name())); got != s.GoName {
			t.Errorf("goCamelCase(%q) = %q, protogen says %q", s.Desc.Name(), got, s.GoName)
		}
	}
}

// TestNameCallees: whatever services are called, each has a field, a key and a
// variable of its own.
func TestNameCallees(t *testing.T) {
	b := &builder{options: Options{Root: "example.com/gen"}}
	names := []string{
		"a.v1.UserService", "b.v1.UserService", "a.v1.Config", "a.v1.Log", "a.v1.Go", "a.v1.DB", "a.v1.Deps", "Metrics",
		"a.FooBar", "a.Foo_Bar", "a.foo_bar", "a.AddReadinessCheck", "a.AddReadinessCheckClient",
	}
	var callees []*Callee
	for _, name := range names {
		callees = append(callees, b.callee(name, Origin{}))
	}
	b.nameCallees(callees)
	seen := map[string]string{}
	for _, c := range callees {
		if !token.IsIdentifier(c.Field) || !token.IsExported(c.Field) {
			t.Errorf("%s has the field %q", c.FullName, c.Field)
		}
		for _, name := range []string{"field " + c.Field, "key " + c.Key} {
			if other := seen[name]; other != "" {
				t.Errorf("%s and %s have the same %s", other, c.FullName, name)
			}
			seen[name] = c.FullName
		}
		if slices.Contains([]string{"Deps", "Config", "DB", "Metrics", "Log", "Go", "AddReadinessCheck"}, c.Field) {
			t.Errorf("%s hides the field %s of every Deps", c.FullName, c.Field)
		}
	}
}

func ExamplePackage() {
	p := packageOf("example.com/shop/generated", "order.v1")
	fmt.Println(string(p.Path), p.Name)
	// Output: example.com/shop/generated/order/v1/orderv1svc orderv1svc
}
