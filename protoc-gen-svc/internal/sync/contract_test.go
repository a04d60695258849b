package sync

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/internal/testfolder"
	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// fixed is a source that has the requests already.
type fixed []*pluginpb.CodeGeneratorRequest

func (f fixed) requests(context.Context) ([]*pluginpb.CodeGeneratorRequest, error) { return f, nil }

// contract is the service shop.v1.ShopService, of which a text says the rest:
//
//	database
//	rpc WatchOrder server_stream
type contract struct {
	database bool
	rpcs     []rpc
}

type rpc struct{ name, kind string }

func readContract(text string) contract {
	var c contract
	for line := range strings.Lines(text) {
		switch f := strings.Fields(line); {
		case len(f) == 1 && f[0] == "database":
			c.database = true
		case len(f) == 3 && f[0] == "rpc":
			c.rpcs = append(c.rpcs, rpc{f[1], f[2]})
		}
	}
	return c
}

const goPackage = "example.com/shop/generated/shop/v1"

// request is what buf or protoc would send a plugin.
func (c contract) request() *pluginpb.CodeGeneratorRequest {
	file := &descriptorpb.FileDescriptorProto{
		Name:    proto.String("shop/v1/shop.proto"),
		Package: proto.String("shop.v1"),
		Syntax:  proto.String("proto3"),
		Options: &descriptorpb.FileOptions{GoPackage: proto.String(goPackage + ";shopv1")},
		SourceCodeInfo: &descriptorpb.SourceCodeInfo{Location: []*descriptorpb.SourceCodeInfo_Location{{
			Path: []int32{6, 0}, Span: []int32{0, 0, 0}, LeadingComments: proto.String(" ShopService sells things.\n"),
		}}},
	}
	service := &descriptorpb.ServiceDescriptorProto{Name: proto.String("ShopService")}
	if c.database {
		service.Options = &descriptorpb.ServiceOptions{}
		proto.SetExtension(service.Options, svcv1.E_Service, &svcv1.Service{Database: &svcv1.Database{}})
	}
	for i, r := range c.rpcs {
		for _, suffix := range []string{"Request", "Response"} {
			file.MessageType = append(file.MessageType, &descriptorpb.DescriptorProto{Name: proto.String(r.name + suffix)})
		}
		service.Method = append(service.Method, &descriptorpb.MethodDescriptorProto{
			Name:            proto.String(r.name),
			InputType:       proto.String(".shop.v1." + r.name + "Request"),
			OutputType:      proto.String(".shop.v1." + r.name + "Response"),
			ClientStreaming: proto.Bool(r.kind == "client_stream" || r.kind == "bidi_stream"),
			ServerStreaming: proto.Bool(r.kind == "server_stream" || r.kind == "bidi_stream"),
		})
		file.SourceCodeInfo.Location = append(file.SourceCodeInfo.Location, &descriptorpb.SourceCodeInfo_Location{
			Path: []int32{6, 0, 2, int32(i)}, Span: []int32{int32(i + 1), 0, 0},
			LeadingComments: proto.String(fmt.Sprintf(" %s does what it says, as a %s.\n\n //go:build never\n", r.name, r.kind)),
		})
	}
	file.Service = []*descriptorpb.ServiceDescriptorProto{service}
	return &pluginpb.CodeGeneratorRequest{FileToGenerate: []string{file.GetName()}, ProtoFile: []*descriptorpb.FileDescriptorProto{file}}
}

// newModule makes a module of the user's files and of what would be generated,
// as far as handlers see it, and enters it.
func newModule(t *testing.T, c contract, user []txtar.File) {
	t.Helper()
	dir := testfolder.New(t, "sync")
	write := func(name, text string) {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// The versions of this repository are in the module cache.
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		write(name, strings.Replace(string(text), "module github.com/protosvc/protosvc\n", "module example.com/shop\n", 1))
	}
	write("generated/shop/v1/shop.go", c.messages())
	write("generated/shop/v1/shopv1svc/shop.go", "package shopv1svc\n\ntype ShopServiceDeps struct{}\n")
	for _, f := range user {
		write(f.Name, string(f.Data))
	}
	t.Chdir(dir)
}

// messages stands for what protoc-gen-go and protoc-gen-go-grpc generate.
func (c contract) messages() string {
	signatures := map[string]string{
		"unary":         "(context.Context, *%[1]sRequest) (*%[1]sResponse, error)",
		"server_stream": "(*%[1]sRequest, grpc.ServerStreamingServer[%[1]sResponse]) error",
		"client_stream": "(grpc.ClientStreamingServer[%[1]sRequest, %[1]sResponse]) error",
		"bidi_stream":   "(grpc.BidiStreamingServer[%[1]sRequest, %[1]sResponse]) error",
	}
	var types, methods strings.Builder
	for _, r := range c.rpcs {
		fmt.Fprintf(&types, "type %[1]sRequest struct{}\ntype %[1]sResponse struct{}\n", r.name)
		fmt.Fprintf(&methods, "\t%[1]s"+signatures[r.kind]+"\n", r.name)
	}
	return "package shopv1\n\nimport (\n\t\"context\"\n\n\t\"google.golang.org/grpc\"\n)\n\n" +
		"var _ context.Context\nvar _ grpc.ServerStream\n\n" +
		types.String() + "\ntype ShopServiceServer interface {\n" + methods.String() + "}\n"
}
