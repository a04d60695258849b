package model

import (
	"path"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/gocmd"
)

// checkFiles refuses files whose Go code nothing could import or build.
func (b *builder) checkFiles() {
	for _, f := range b.plugin.Files {
		at := Origin{desc: f.Desc}
		if !gocmd.Importable(string(f.GoImportPath)) {
			b.fault(at, importPath, string(f.GoImportPath), "example.com/shop/order/v1")
		}
		// What is wrong with a file that was not written for us, its authors know.
		if name := path.Base(f.GeneratedFilenamePrefix) + ".pb.go"; f.Generate && !isForeign(b.plugin, f) && !gocmd.AlwaysBuilt(name) {
			b.fault(at, fileBuilt, name)
		}
	}
}

// checkGoPackage refuses a service whose code, or what that imports, lies in a
// package main.
func (b *builder) checkGoPackage(f *protogen.File, s *Service) {
	at := Origin{desc: s.proto.Desc}
	if f.GoPackageName == "main" {
		b.fault(at, packageMain, goPackageOption(f))
		return
	}
	seen := map[string]bool{}
	var follow func(protoreflect.FileDescriptor)
	follow = func(d protoreflect.FileDescriptor) {
		for i := range d.Imports().Len() {
			name := d.Imports().Get(i).Path()
			imported := b.plugin.FilesByPath[name]
			if imported == nil || seen[name] {
				continue
			}
			seen[name] = true
			if imported.GoPackageName == "main" {
				b.fault(at, packageImported, name, goPackageOption(imported))
			}
			follow(imported.Desc)
		}
	}
	follow(f.Desc)
}

func goPackageOption(f *protogen.File) string {
	return f.Desc.Options().(*descriptorpb.FileOptions).GetGoPackage()
}

// checkPackages refuses packages of ours that are also those of a contract, and
// packages that are one to the go command, to which case makes no difference.
func (b *builder) checkPackages(s *System) {
	type user struct {
		path protogen.GoImportPath
		name string
	}
	contracts := map[protogen.GoImportPath]string{}
	folded := map[string]user{}
	fold := func(at Origin, p protogen.GoImportPath, by string) {
		first, taken := folded[strings.ToLower(string(p))]
		if !taken {
			folded[strings.ToLower(string(p))] = user{p, by}
		} else if first.path != p {
			b.fault(at, packageCase, string(p), string(first.path), first.name)
		}
	}
	for _, f := range b.plugin.Files {
		contracts[f.GoImportPath] = f.Desc.Path()
		fold(Origin{desc: f.Desc}, f.GoImportPath, f.Desc.Path())
	}
	for _, svc := range s.Services {
		at := Origin{desc: svc.proto.Desc}
		for _, p := range []protogen.GoImportPath{svc.Package.Path, svc.Fakes.Path, svc.Main.Path} {
			if by, taken := contracts[p]; taken {
				b.fault(at, packageTaken, string(p), by)
			}
			if p != svc.Fakes.Path { // which differs from another's where Package does
				fold(at, p, whereIs(svc.proto.Desc))
			}
		}
	}
}
