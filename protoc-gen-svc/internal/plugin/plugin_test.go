package plugin_test

import (
	"testing"
	"testing/fstest"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/plugin"
)

// run runs the plugin over a proto that has nothing to generate for.
func run(parameter string) error {
	request := &pluginpb.CodeGeneratorRequest{
		Parameter:      &parameter,
		FileToGenerate: []string{"empty.proto"},
		ProtoFile: []*descriptorpb.FileDescriptorProto{{
			Name:    proto.String("empty.proto"),
			Syntax:  proto.String("proto3"),
			Options: &descriptorpb.FileOptions{GoPackage: proto.String("example.com/empty")},
		}},
	}
	_, err := plugin.Files(request, fstest.MapFS{
		"k8s/system-kustomization.yaml.tmpl": {Data: []byte("resources: []")},
		"docs/catalogue.md.tmpl":             {Data: []byte("# Services")},
		"docs/index.html.tmpl":               {Data: []byte("<!DOCTYPE html>")},
		"upgrade/protosvc.yaml.tmpl":         {Data: []byte("version: 0")},
	})
	return err
}

// TestOptions: what buf.gen.yaml can say, and the exact text about what it
// cannot.
func TestOptions(t *testing.T) {
	const (
		rootHint    = "set it to the import path of the output folder, for example root=example.com/shop/generated"
		foreignHint = " is not one of protoc-gen-svc: remove it, and set root= to the import path of the output folder"
	)
	tests := []struct{ parameter, want string }{
		{"root=example.com/generated", ""},
		{"root=example.com/generated,system=true,handlers=example.com/handlers", ""},
		{"root=example.com/generated,system=false", ""},
		{"", "option root= is missing: " + rootHint},
		{"root=", "option root= is missing: " + rootHint},
		{"system=true", "option root= is missing: " + rootHint},
		{"root=./generated", "option root=./generated is a folder: " + rootHint},
		{"root=/srv/generated", "option root=/srv/generated is a folder: " + rootHint},
		{"root=example.com/generated,module=example.com", "option module=" + foreignHint},
		{"module=example.com", "option module=" + foreignHint},
		{"root=example.com/generated,paths=source_relative", "option paths=" + foreignHint},
		{"root=example.com/generated,systm=true", "option systm= is not known (want root=, handlers=, system=true, openapi=true, registry=, tag= or proto_root=)"},
		{"root=example.com/generated,proto_root=../proto", ""},
		{"root=example.com/generated,registry=registry.example.com:5000/shop/eu,tag=v1.4.2", ""},
		{"root=example.com/generated,registry=https://registry.example.com", "option registry=https://registry.example.com is not where images are: want a host and a path, for example registry=registry.example.com/shop"},
		{"root=example.com/generated,registry=registry.example.com/", "option registry=registry.example.com/ is not where images are: want a host and a path, for example registry=registry.example.com/shop"},
		{"root=example.com/generated,tag=latest", "option tag=latest is not the tag of one version: want letters, digits, \"-\", \"_\", \".\", at most 63, and not latest, for example tag=v1.4.2"},
		{"root=example.com/generated,tag=v1:2", "option tag=v1:2 is not the tag of one version: want letters, digits, \"-\", \"_\", \".\", at most 63, and not latest, for example tag=v1.4.2"},
		{"root=example.com/generated,proto_root=/srv/proto", "option proto_root=/srv/proto is absolute: set it to the folder of the protos as seen from where you work, for example proto_root=proto"},
		{"root=example.com/generated,openapi=yes", "option openapi=yes is not a boolean (want openapi=true)"},
		{"root=example.com/generated,openapi=true", ""},
		{"root=example.com/generated,system=yes", "option system=yes is not a boolean (want system=true)"},
	}
	for _, test := range tests {
		t.Run(test.parameter, func(t *testing.T) {
			got := ""
			if err := run(test.parameter); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
