package main

import (
	"path"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/descriptorpb"
)

// module is the Go module of all outputs.
const module = "example.com/corpora"

// parameter is what all plugins are told: where the Go packages are, which is
// below the corpus instead of where the project has them.
func parameter(c corpus, files []*descriptorpb.FileDescriptorProto, generated []string) string {
	var out []string
	for _, f := range files {
		if slices.Contains(generated, f.GetName()) {
			out = append(out, "M"+f.GetName()+"="+goPackage(c.name, f))
		}
	}
	return strings.Join(out, ",")
}

// goPackage is the option go_package of a file, below the corpus. A file without
// the option gets a Go package for its proto package, or for its folder if it has
// none of either.
func goPackage(corpus string, f *descriptorpb.FileDescriptorProto) string {
	dir, alias, _ := strings.Cut(f.GetOptions().GetGoPackage(), ";")
	switch {
	case f.GetOptions().GetGoPackage() != "":
	case f.GetPackage() != "":
		dir = strings.ReplaceAll(f.GetPackage(), ".", "/")
	default:
		dir = path.Dir(f.GetName())
	}
	p := path.Join(module, corpus, ordinary(dir))
	if alias != "" {
		p += ";" + alias
	}
	return p
}

// ordinary renames the folders that the go command treats in a special way, since
// our packages are not where the project's own would be.
func ordinary(dir string) string {
	parts := strings.Split(dir, "/")
	for i, p := range parts {
		if p == "internal" || p == "vendor" || p == "testdata" {
			parts[i] = p + "_"
		}
	}
	return path.Join(parts...)
}
