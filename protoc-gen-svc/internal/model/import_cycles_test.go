package model

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// TestImportCyclesOfOthers: a cycle counts as far as the run generates its Go
// packages, whichever of their files it generates, and without positions, too.
func TestImportCyclesOfOthers(t *testing.T) {
	const fault = `1 fault in the contract:
a.proto: import-cycle: import "b.proto" closes a cycle of Go packages, which Go cannot build: example.com/a imports example.com/b imports example.com/a (move what both need to a package of its own, or give the files one go_package)`
	for generate, want := range map[string]string{
		"a.proto a2.proto b.proto": fault,
		"a2.proto b.proto c.proto": fault,
		"a.proto a2.proto":         "",
		"b.proto":                  "",
	} {
		request := &pluginpb.CodeGeneratorRequest{FileToGenerate: strings.Fields(generate)}
		for _, f := range [][]string{{"a2.proto", "example.com/a"}, {"b.proto", "example.com/b", "a2.proto"}, {"a.proto", "example.com/a", "b.proto"}, {"c.proto", "example.com/c", "a.proto"}} {
			request.ProtoFile = append(request.ProtoFile, &descriptorpb.FileDescriptorProto{
				Name: proto.String(f[0]), Syntax: proto.String("proto3"), Dependency: f[2:],
				Options: &descriptorpb.FileOptions{GoPackage: proto.String(f[1])},
			})
		}
		p, err := protogen.Options{}.New(request)
		if err != nil {
			t.Fatal(err)
		}
		_, faults := Build(p, Options{})
		got := ""
		if err := faults.Err(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("generating %s:\n%s\nwant\n%s", generate, got, want)
		}
	}
}
