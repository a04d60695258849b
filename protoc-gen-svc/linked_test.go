package main_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// TestLinked: a file that a service links is a copy by its path alone too, but not
// where its Go code is that of the linked file.
func TestLinked(t *testing.T) {
	const (
		copied = "linked/v1/bad_health.proto"
		path   = "grpc/health/v1/health.proto"
	)
	c := loadCorpus(t)
	tests := []struct{ name, goPackage, want string }{
		{"a package of the user", "example.com/golden/generated/health/v1", `linked: "grpc/health/v1/health.proto" is in every generated service already`},
		{"the package of the original", "google.golang.org/grpc/health/grpc_health_v1", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request := c.request("root="+root, copied)
			file := request.GetProtoFile()[0]
			file.Name, request.FileToGenerate = proto.String(path), []string{path}
			file.Options = &descriptorpb.FileOptions{GoPackage: &test.goPackage}
			_, err := generate(request)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
