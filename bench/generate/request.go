package main

import (
	"context"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/pluginpb"
)

// request compiles the files and returns what a compiler would send to a plugin
// that generates for all of them. Imports that are not among them are looked for
// in the folders.
func request(files map[string]string, folders ...string) (*pluginpb.CodeGeneratorRequest, error) {
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{Accessor: open(files, folders)}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	paths := slices.Sorted(maps.Keys(files))
	compiled, err := compiler.Compile(context.Background(), paths...)
	if err != nil {
		return nil, err
	}
	r := &pluginpb.CodeGeneratorRequest{FileToGenerate: paths, CompilerVersion: &pluginpb.Version{Major: proto.Int32(30)}}
	seen := map[string]bool{}
	var add func(protoreflect.FileDescriptor)
	add = func(f protoreflect.FileDescriptor) {
		if seen[f.Path()] {
			return
		}
		seen[f.Path()] = true
		for i := range f.Imports().Len() {
			add(f.Imports().Get(i).FileDescriptor)
		}
		r.ProtoFile = append(r.ProtoFile, protodesc.ToFileDescriptorProto(f))
	}
	for _, f := range compiled {
		add(f)
	}
	return r, nil
}

func open(files map[string]string, folders []string) func(string) (io.ReadCloser, error) {
	return func(path string) (io.ReadCloser, error) {
		if text, ok := files[path]; ok {
			return io.NopCloser(strings.NewReader(text)), nil
		}
		err := os.ErrNotExist
		for _, folder := range folders {
			f, failed := os.Open(filepath.Join(folder, filepath.FromSlash(path)))
			if failed == nil {
				return f, nil
			}
			err = failed
		}
		return nil, err
	}
}
