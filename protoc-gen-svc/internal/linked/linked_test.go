package linked_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"go/format"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	// What the main of a generated service imports: together, these three make
	// use of all that the contract can ask for.
	_ "github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	_ "github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	_ "github.com/protosvc/protosvc/generated/user/v1/userv1svc"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/linked"
	"github.com/protosvc/protosvc/svc"
	"github.com/protosvc/protosvc/svc/server"
	"github.com/protosvc/protosvc/svctest"
)

var update = flag.Bool("update", false, "rewrite table.go")

// generated is where the contracts of this repository are: they are not part of
// the services of others.
const generated = "github.com/protosvc/protosvc/generated/"

// TestTable: the table is what a generated service links and serves.
func TestTable(t *testing.T) {
	want := table(t, linkedFiles(t), servedServices(t))
	if *update {
		if err := os.WriteFile("table.go", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("table.go")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("table.go is stale (go test ./protoc-gen-svc/internal/linked -update rewrites it; -want +got):\n%s", diff)
	}
}

// TestCopiesPanic is why a copy of any of these files is refused: this is what the
// init of its Go code does.
func TestCopiesPanic(t *testing.T) {
	for _, f := range linkedFiles(t) {
		original, err := protoregistry.GlobalFiles.FindFileByPath(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{f.Path, "copy/of/" + f.Path} {
			described := protodesc.ToFileDescriptorProto(original)
			described.Name = proto.String(path)
			again, err := protodesc.NewFile(described, protoregistry.GlobalFiles)
			if err != nil {
				t.Fatal(err)
			}
			if !panics(func() { _ = protoregistry.GlobalFiles.RegisterFile(again) }) {
				t.Errorf("a copy of %s with the path %s does no harm", f.Path, path)
			}
		}
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

func linkedFiles(t *testing.T) []linked.File {
	t.Helper()
	var files []linked.File
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		if pkg := goPackage(t, f); !strings.HasPrefix(pkg, generated) {
			files = append(files, linked.File{Path: f.Path(), GoPackage: pkg, Names: linked.Names(f)})
		}
		return true
	})
	slices.SortFunc(files, func(a, b linked.File) int { return strings.Compare(a.Path, b.Path) })
	return files
}

// goPackage is where the Go types of a file are, whatever its go_package says.
func goPackage(t *testing.T, f protoreflect.FileDescriptor) string {
	t.Helper()
	message, err := protoregistry.GlobalTypes.FindMessageByName(f.Messages().Get(0).FullName())
	if err != nil {
		t.Fatal(err)
	}
	return reflect.TypeOf(message.Zero().Interface()).Elem().PkgPath()
}

// servedServices asks a service without methods what it serves.
func servedServices(t *testing.T) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := grpc.NewClient(start(t), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stream, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	request := &reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{}}
	if err := stream.Send(request); err != nil {
		t.Fatal(err)
	}
	answer, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	var services []string
	for _, s := range answer.GetListServicesResponse().GetService() {
		if s.GetName() != nothing {
			services = append(services, s.GetName())
		}
	}
	slices.Sort(services)
	return services
}

// nothing is a gRPC service without methods.
const nothing = "nothing.v1.NothingService"

// start runs the service until the test ends, and returns its target for gRPC.
func start(t *testing.T) string {
	t.Helper()
	return svctest.Start(t, svc.Service{
		Name:     "nothing",
		FullName: nothing,
		Settings: svc.Settings{
			Listen: svc.Listen{Reflection: true},
			Stop:   svc.Stop{Budget: time.Second},
			Limits: svc.Limits{Concurrency: 1, Connections: 1, MessageBytes: 1 << 20, HeaderBytes: 1 << 20, StreamsPerConnection: 1},
		},
		Start: svc.Start(&grpc.ServiceDesc{ServiceName: nothing, HandlerType: (*any)(nil)}, (*svc.App).Deps,
			func(svc.Deps) (string, error) { return nothing, nil },
			func(_ *server.Binder, handler string, _ svc.Deps) string { return handler }),
	}).Target
}

func table(t *testing.T, files []linked.File, services []string) []byte {
	t.Helper()
	var out bytes.Buffer
	out.WriteString("package linked\n\n")
	out.WriteString("// Written by go test -update from what the runtime links. DO NOT EDIT.\n\n")
	out.WriteString("var files = []File{\n")
	for _, f := range files {
		fmt.Fprintf(&out, "{%q, %q, []string{\n", f.Path, f.GoPackage)
		for _, name := range f.Names {
			fmt.Fprintf(&out, "%q,\n", name)
		}
		out.WriteString("}},\n")
	}
	out.WriteString("}\n\n// services are what a generated service serves besides its own.\nvar services = []string{\n")
	for _, s := range services {
		fmt.Fprintf(&out, "%q,\n", s)
	}
	out.WriteString("}\n")
	formatted, err := format.Source(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return formatted
}
