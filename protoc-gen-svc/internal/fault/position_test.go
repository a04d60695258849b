package fault_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
)

// TestAt asks for positions in testdata/positions.proto, compiled by buf.
func TestAt(t *testing.T) {
	file := compile(t, "positions.proto")
	find := func(name protoreflect.FullName) protoreflect.Descriptor {
		if name == "" {
			return file
		}
		return descriptor(t, file, name)
	}
	const ext = 50000
	for _, test := range []struct {
		name   protoreflect.FullName
		option []int32
		want   string
	}{
		{"", nil, "1:1"},
		{"", []int32{ext, 1}, "8:1"},
		{"test.v1.Order", nil, "41:1 Order"},
		{"test.v1.Order", []int32{ext, 1}, "42:3 Order"},
		{"test.v1.Order.Item", nil, "44:3 Order.Item"},
		{"test.v1.Order.Item.sku", nil, "45:5 Order.Item.sku"},
		{"test.v1.Order.Item.sku", []int32{ext, 1}, "45:30 Order.Item.sku"},
		{"test.v1.Order.Item.Size", []int32{ext, 1}, "47:7 Order.Item.Size"},
		{"test.v1.Order.Item.SIZE_SMALL", nil, "48:7 Order.Item.Size.SIZE_SMALL"},
		{"test.v1.Order.Item.SIZE_SMALL", []int32{ext, 1}, "48:23 Order.Item.Size.SIZE_SMALL"},
		{"test.v1.Order.kind", []int32{ext, 1}, "53:5 Order.kind"},
		{"test.v1.Order.extra", nil, "57:5 Order.extra"},
		{"test.v1.file_option", nil, "17:3 file_option"},
		{"test.v1.OrderService", nil, "61:1 OrderService"},
		{"test.v1.OrderService", []int32{ext, 1}, "62:3 OrderService"},
		{"test.v1.OrderService.GetOrder", nil, "64:3 OrderService.GetOrder"},
		{"test.v1.OrderService.GetOrder", []int32{ext}, "65:12 OrderService.GetOrder"},
		{"test.v1.OrderService.GetOrder", []int32{ext, 1}, "66:7 OrderService.GetOrder"},
		{"test.v1.OrderService.GetOrder", []int32{ext, 2}, "67:7 OrderService.GetOrder"},
		{"test.v1.OrderService.GetOrder", []int32{ext, 2, 1}, "67:7 OrderService.GetOrder"},    // that of the list
		{"test.v1.OrderService.GetOrder", []int32{ext, 3, 1}, "69:9 OrderService.GetOrder"},    // inside
		{"test.v1.OrderService.GetOrder", []int32{ext, 3, 2, 0}, "69:9 OrderService.GetOrder"}, // beside what is set
		{"test.v1.OrderService.GetOrder", []int32{50001, 1}, "64:3 OrderService.GetOrder"},     // option not set
	} {
		at := fault.At(find(test.name), test.option...)
		got := fmt.Sprintf("%d:%d %s", at.Line, at.Column, at.Subject)
		if at.Path != "positions.proto" || strings.TrimSpace(got) != test.want {
			t.Errorf("At(%s, %v) = %s:%s, want %s", test.name, test.option, at.Path, got, test.want)
		}
	}
}

// TestAtWithoutSource asks for a position in a file whose compiler kept none.
func TestAtWithoutSource(t *testing.T) {
	at := fault.At((&descriptorpb.FieldOptions{}).ProtoReflect().Descriptor(), 1)
	want := fault.Position{Path: "google/protobuf/descriptor.proto", Subject: "FieldOptions"}
	if at != want {
		t.Errorf("At = %+v, want %+v", at, want)
	}
}

// compile builds a file in testdata with buf.
func compile(t *testing.T, name string) protoreflect.FileDescriptor {
	t.Helper()
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("go", "tool", "-modfile=tools/buf/go.mod", "buf", "build", testdata, "-o", "-")
	command.Dir = "../../.." // the root of the repository, where the tools are
	var problems bytes.Buffer
	command.Stderr = &problems
	image, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", command, err, problems.String())
	}
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(image, set); err != nil {
		t.Fatal(err)
	}
	for _, file := range set.GetFile() {
		if file.GetName() == name {
			out, err := protodesc.NewFile(file, protoregistry.GlobalFiles)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
	}
	t.Fatalf("buf compiled no %s", name)
	return nil
}

func descriptor(t *testing.T, file protoreflect.FileDescriptor, name protoreflect.FullName) protoreflect.Descriptor {
	t.Helper()
	files := new(protoregistry.Files)
	if err := files.RegisterFile(file); err != nil {
		t.Fatal(err)
	}
	out, err := files.FindDescriptorByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
