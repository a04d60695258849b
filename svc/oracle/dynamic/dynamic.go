// Package dynamic serves contracts that exist as descriptors only, over gRPC and over
// HTTP/JSON, by handlers that get the descriptor of their method.
package dynamic

import (
	"context"
	"fmt"
	"strings"

	"github.com/bufbuild/protocompile"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
	"github.com/protosvc/protosvc/svc/internal/gateway"
)

// Compile compiles a contract, and makes it known under the path as generated code would.
// What it imports is known already.
func Compile(ctx context.Context, path, source string) (protoreflect.FileDescriptor, error) {
	compiler := protocompile.Compiler{Resolver: protocompile.ResolverFunc(func(imported string) (protocompile.SearchResult, error) {
		if imported == path {
			return protocompile.SearchResult{Source: strings.NewReader(source)}, nil
		}
		fd, err := protoregistry.GlobalFiles.FindFileByPath(imported)
		return protocompile.SearchResult{Desc: fd}, err
	})}
	files, err := compiler.Compile(ctx, path)
	if err != nil {
		return nil, err
	}
	data, err := proto.Marshal(protodesc.ToFileDescriptorProto(files[0]))
	if err != nil {
		return nil, err
	}
	var file descriptorpb.FileDescriptorProto
	if err := proto.Unmarshal(data, &file); err != nil { // its options are Go's now, not the compiler's
		return nil, err
	}
	fd, err := protodesc.NewFile(&file, protoregistry.GlobalFiles)
	if err != nil {
		return nil, err
	}
	return fd, protoregistry.GlobalFiles.RegisterFile(fd)
}

// Handler answers a call. It sends one message, or any number of a stream.
type Handler func(ctx context.Context, method protoreflect.MethodDescriptor, in *dynamicpb.Message, send func(proto.Message) error) error

// Desc is what protoc-gen-go-grpc would generate for a service whose calls all go to one
// handler.
func Desc(sd protoreflect.ServiceDescriptor, handle Handler) *grpc.ServiceDesc {
	desc := &grpc.ServiceDesc{ServiceName: string(sd.FullName()), HandlerType: (*any)(nil)}
	for i := range sd.Methods().Len() {
		method := sd.Methods().Get(i)
		if method.IsStreamingServer() {
			desc.Streams = append(desc.Streams, grpc.StreamDesc{StreamName: string(method.Name()), Handler: stream(method, handle), ServerStreams: true})
		} else {
			desc.Methods = append(desc.Methods, grpc.MethodDesc{MethodName: string(method.Name()), Handler: unary(method, handle)})
		}
	}
	return desc
}

func unary(method protoreflect.MethodDescriptor, handle Handler) grpc.MethodHandler {
	return func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (out any, err error) {
		in := dynamicpb.NewMessage(method.Input())
		if err := decode(in); err != nil {
			return nil, err
		}
		err = handle(ctx, method, in, func(m proto.Message) error {
			out = m
			return nil
		})
		return out, err
	}
}

func stream(method protoreflect.MethodDescriptor, handle Handler) grpc.StreamHandler {
	return func(_ any, s grpc.ServerStream) error {
		in := dynamicpb.NewMessage(method.Input())
		if err := s.RecvMsg(in); err != nil {
			return err
		}
		return handle(s.Context(), method, in, func(m proto.Message) error { return s.SendMsg(m) })
	}
}

// NewMux serves a service by the routes of its contract.
func NewMux(sd protoreflect.ServiceDescriptor, handle Handler, o gateway.Options) (*gateway.Mux, error) {
	var routes []gateway.Route
	for i := range sd.Methods().Len() {
		more, err := routesOf(sd.Methods().Get(i))
		if err != nil {
			return nil, err
		}
		routes = append(routes, more...)
	}
	methods := gateway.NewMethods()
	methods.RegisterService(Desc(sd, handle), nil)
	return gateway.NewMux(methods, routes, o)
}

func routesOf(method protoreflect.MethodDescriptor) (out []gateway.Route, err error) {
	rule, _ := proto.GetExtension(method.Options(), annotations.E_Http).(*annotations.HttpRule)
	if rule == nil {
		return nil, fmt.Errorf("method %s has no google.api.http", method.FullName())
	}
	policy, _ := proto.GetExtension(method.Options(), svcv1.E_Method).(*svcv1.Method)
	for _, rule := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
		r := gateway.Route{
			RPC:  fmt.Sprintf("/%s/%s", method.Parent().FullName(), method.Name()),
			Body: rule.GetBody(), ResponseBody: rule.GetResponseBody(), IdempotencyKey: policy.GetIdempotencyKey(),
		}
		r.Method, r.Path = Pattern(rule)
		out = append(out, r)
	}
	return out, nil
}

// Pattern returns the HTTP method and the template of a rule.
func Pattern(rule *annotations.HttpRule) (method, path string) {
	switch p := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		return "GET", p.Get
	case *annotations.HttpRule_Put:
		return "PUT", p.Put
	case *annotations.HttpRule_Post:
		return "POST", p.Post
	case *annotations.HttpRule_Delete:
		return "DELETE", p.Delete
	case *annotations.HttpRule_Patch:
		return "PATCH", p.Patch
	}
	return rule.GetCustom().GetKind(), rule.GetCustom().GetPath()
}
