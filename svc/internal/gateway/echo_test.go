package gateway_test

import (
	"context"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/gateway"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var notFound = &errors.Code{
	Domain: "test", Reason: "NOT_FOUND", GRPC: codes.NotFound, HTTP: 410, Message: "{id} does not exist",
}

// text is a message with two fields.
type text = errdetails.RequestInfo

func newText(s string) *text { return &text{RequestId: s} }

// echo is a service; each test says what its methods do.
type echo struct {
	unary    func(context.Context, *text) (*text, error)
	server   func(*text, grpc.ServerStreamingServer[text]) error
	raw      func(context.Context, *httpbody.HttpBody) (*httpbody.HttpBody, error)
	download func(*text, grpc.ServerStreamingServer[httpbody.HttpBody]) error
}

const (
	unaryMethod  = "/test.v1.Echo/Unary"
	serverMethod = "/test.v1.Echo/Server"
)

// routes are those of the contract. The stream answers a field, so that its lines are
// short.
var routes = []gateway.Route{
	{Method: "POST", Path: "/v1/echo", RPC: unaryMethod, Body: "*", IdempotencyKey: "request_id"},
	{Method: "GET", Path: "/v1/echo", RPC: unaryMethod},
	{Method: "GET", Path: "/v1/echo/{request_id}", RPC: serverMethod, ResponseBody: "request_id", IdempotencyKey: "request_id"},
	{Method: "POST", Path: "/v1/raw", RPC: "/test.v1.Echo/Raw", Body: "*"},
	{Method: "GET", Path: "/v1/raw", RPC: "/test.v1.Echo/Download"},
}

// echoDesc is what protoc-gen-go-grpc would generate.
var echoDesc = grpc.ServiceDesc{
	ServiceName: "test.v1.Echo",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{
		{MethodName: "Unary", Handler: unaryHandler(func(e *echo) func(context.Context, *text) (*text, error) { return e.unary })},
		{MethodName: "Raw", Handler: unaryHandler(func(e *echo) func(context.Context, *httpbody.HttpBody) (*httpbody.HttpBody, error) { return e.raw })},
	},
	Streams: []grpc.StreamDesc{
		{StreamName: "Server", Handler: streamHandler(func(e *echo) func(*text, grpc.ServerStreamingServer[text]) error { return e.server }), ServerStreams: true},
		{StreamName: "Download", Handler: streamHandler(func(e *echo) func(*text, grpc.ServerStreamingServer[httpbody.HttpBody]) error { return e.download }), ServerStreams: true},
		{StreamName: "Client", ClientStreams: true},
	},
}

func unaryHandler[Req, Resp any](method func(*echo) func(context.Context, *Req) (*Resp, error)) grpc.MethodHandler {
	return func(impl any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		in := new(Req)
		if err := decode(in); err != nil {
			return nil, err
		}
		return method(impl.(*echo))(ctx, in)
	}
}

func streamHandler[Req, Resp any](method func(*echo) func(*Req, grpc.ServerStreamingServer[Resp]) error) grpc.StreamHandler {
	return func(impl any, s grpc.ServerStream) error {
		in := new(Req)
		if err := s.RecvMsg(in); err != nil {
			return err
		}
		return method(impl.(*echo))(in, &grpc.GenericServerStream[Req, Resp]{ServerStream: s})
	}
}

// The contract, which protoc-gen-go would register.
func init() {
	const info, body = ".google.rpc.RequestInfo", ".google.api.HttpBody"
	method := func(name, in, out string, fromClient, fromServer bool) *descriptorpb.MethodDescriptorProto {
		return &descriptorpb.MethodDescriptorProto{
			Name: &name, InputType: &in, OutputType: &out, ClientStreaming: &fromClient, ServerStreaming: &fromServer,
		}
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("test/v1/echo.proto"), Package: proto.String("test.v1"), Syntax: proto.String("proto3"),
		Dependency: []string{"google/rpc/error_details.proto", "google/api/httpbody.proto"},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("Echo"), Method: []*descriptorpb.MethodDescriptorProto{
			method("Unary", info, info, false, false), method("Raw", body, body, false, false),
			method("Server", info, info, false, true), method("Download", info, body, false, true),
			method("Client", info, info, true, false),
		}}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		panic(err)
	}
	if err := protoregistry.GlobalFiles.RegisterFile(file); err != nil {
		panic(err)
	}
}

// newMux serves the service by its routes.
func newMux(t *testing.T, impl *echo, o gateway.Options) *gateway.Mux {
	t.Helper()
	methods := gateway.NewMethods()
	methods.RegisterService(&echoDesc, impl)
	mux, err := gateway.NewMux(methods, routes, o)
	if err != nil {
		t.Fatal(err)
	}
	return mux
}
