package plugin_test

import (
	"bytes"
	"io"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/pluginpb"

	"google.golang.org/protobuf/reflect/protodesc"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/plugin"
	"github.com/protosvc/protosvc/templates"
)

// shop has an order service that calls a user service, or does not.
func shop(parameter string, calls ...string) *pluginpb.CodeGeneratorRequest {
	return &pluginpb.CodeGeneratorRequest{
		Parameter:      &parameter,
		FileToGenerate: []string{"order.proto", "user.proto"},
		ProtoFile: []*descriptorpb.FileDescriptorProto{
			protodesc.ToFileDescriptorProto(emptypb.File_google_protobuf_empty_proto),
			service("order", "OrderService", calls...),
			service("user", "UserService"),
		},
	}
}

// service has one method, Get, with the calls.
func service(name, service string, calls ...string) *descriptorpb.FileDescriptorProto {
	options, method := &descriptorpb.ServiceOptions{}, &descriptorpb.MethodOptions{}
	proto.SetExtension(options, svcv1.E_Service, &svcv1.Service{})
	proto.SetExtension(method, svcv1.E_Method, &svcv1.Method{Timeout: "2s", Calls: calls})
	return &descriptorpb.FileDescriptorProto{
		Name:       proto.String(name + ".proto"),
		Package:    proto.String(name + ".v1"),
		Syntax:     proto.String("proto3"),
		Dependency: []string{"google/protobuf/empty.proto"},
		Options:    &descriptorpb.FileOptions{GoPackage: proto.String("example.com/generated/" + name + "/v1;" + name + "v1")},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: &service, Options: options, Method: []*descriptorpb.MethodDescriptorProto{{
			Name: proto.String("Get"), Options: method, InputType: proto.String(".google.protobuf.Empty"), OutputType: proto.String(".google.protobuf.Empty"),
		}}}},
	}
}

// TestUntold: who calls another service of the run without a word on system= is
// warned; a run that sees a part is none, and neither are services on their own.
func TestUntold(t *testing.T) {
	const root, call = "root=example.com/generated", "user.v1.UserService/Get"
	const warning = "protoc-gen-svc: warning: order.v1.OrderService calls user.v1.UserService in this run, which was not told whether it sees all services: it writes no NetworkPolicies and no catalogue, and checks nothing across services (set system=true for protoc-gen-svc in buf.gen.yaml if it sees them all, else system=false)\n"
	for name, c := range map[string]struct {
		request *pluginpb.CodeGeneratorRequest
		want    string
	}{
		"untold":          {shop(root, call), warning},
		"true":            {shop(root+",system=true", call), ""},
		"false":           {shop(root+",system=false", call), ""},
		"no calls":        {shop(root), ""},
		"not with faults": {shop("", call), ""},
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := proto.Marshal(c.request)
			if err != nil {
				t.Fatal(err)
			}
			var notes bytes.Buffer
			if err := plugin.Run(bytes.NewReader(raw), io.Discard, &notes, templates.FS); err != nil {
				t.Fatal(err)
			}
			if notes.String() != c.want {
				t.Errorf("said %q, want %q", &notes, c.want)
			}
		})
	}
}

// TestAnswerOfFaults: behind what buf prints of the plugin comes what it prints of
// those that it stops.
func TestAnswerOfFaults(t *testing.T) {
	response, err := plugin.Respond(shop("root=example.com/generated", "user.v1.UserService/Gte"), templates.FS)
	if err != nil {
		t.Fatal(err)
	}
	const want = "1 fault in the contract (what buf prints below about plugins comes from this):\n" +
		`order.proto: OrderService.Get: unknown-callee: calls[0] "user.v1.UserService/Gte": service "user.v1.UserService" has no method "Gte" (did you mean "Get"?)`
	if got := response.GetError(); got != want {
		t.Errorf("the answer is %q, want %q", got, want)
	}
}
