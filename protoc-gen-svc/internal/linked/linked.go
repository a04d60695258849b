// Package linked knows what every generated service has in it before its
// contract comes: the proto files of the runtime and of what that imports, and
// the gRPC services that the runtime serves. The Go registry of protobuf is one
// for a process, and panics at the start when a file or a name is there twice.
package linked

import (
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// File is a proto file that is linked into every generated service.
type File struct {
	Path      string   // as protos import it
	GoPackage string   // the import path of its Go code
	Names     []string // as the function Names finds them
}

// ByPath returns the linked file with a path.
func ByPath(path string) (File, bool) {
	for _, f := range files {
		if f.Path == path {
			return f, true
		}
	}
	return File{}, false
}

// ByName returns the linked file that declares a full name.
func ByName(name string) (File, bool) {
	f, ok := byName[name]
	return f, ok
}

// Serves reports whether every generated service serves a gRPC service by itself.
func Serves(service string) bool { return slices.Contains(services, service) }

// Names are the full names that a file takes from others. What lies in a message
// is taken with that; the values of an enum lie beside it.
func Names(f protoreflect.FileDescriptor) []string {
	var out []string
	add := func(d protoreflect.Descriptor) { out = append(out, string(d.FullName())) }
	for i := range f.Messages().Len() {
		add(f.Messages().Get(i))
	}
	for i := range f.Enums().Len() {
		enum := f.Enums().Get(i)
		add(enum)
		for j := range enum.Values().Len() {
			add(enum.Values().Get(j))
		}
	}
	for i := range f.Extensions().Len() {
		add(f.Extensions().Get(i))
	}
	for i := range f.Services().Len() {
		add(f.Services().Get(i))
	}
	return out
}

var byName = index()

func index() map[string]File {
	out := map[string]File{}
	for _, f := range files {
		for _, name := range f.Names {
			out[name] = f
		}
	}
	return out
}
