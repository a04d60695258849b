package model

import (
	"google.golang.org/protobuf/compiler/protogen"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/linked"
)

// goPackageNumber is the field of google.protobuf.FileOptions.
const goPackageNumber = 11

// checkLinked refuses to generate what every service has already, for files of
// this run: their Go code would stop the binary at its start.
func (b *builder) checkLinked() {
	for _, f := range b.plugin.Files {
		if !f.Generate {
			continue
		}
		if name, original, again := copied(f); again {
			b.faults.Add(fault.At(f.Desc, goPackageNumber), diagnostics[linkedFile], "", name, original.GoPackage, original.Path)
			continue
		}
		for _, s := range f.Services {
			if linked.Serves(string(s.Desc.FullName())) {
				b.fault(Origin{desc: s.Desc}, linkedService, string(s.Desc.FullName()))
			}
		}
	}
}

// copied returns the linked file that a file has the path of, or the first name,
// and which of them. A file whose Go package is that of the linked one is no copy.
func copied(f *protogen.File) (name string, original linked.File, again bool) {
	name = f.Desc.Path()
	original, again = linked.ByPath(name)
	for _, declared := range linked.Names(f.Desc) {
		if again {
			break
		}
		name = declared
		original, again = linked.ByName(name)
	}
	return name, original, again && string(f.GoImportPath) != original.GoPackage
}
