package model

import (
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
)

// goImport says that the Go package of a file imports another one, because the file
// imports a file of that.
type goImport struct {
	from, to protogen.GoImportPath
	file     protoreflect.FileDescriptor
	index    int // of the import in the file
}

// checkImportCycles refuses files whose Go packages would import each other. The
// compilers of protos look at files alone, which cannot: but a file of one package may
// need one of another, which needs a second one of the first. Cycles that meet are
// reported once, at the first of their imports.
func (b *builder) checkImportCycles() {
	ends := func(i goImport) (from, to string) { return string(i.from), string(i.to) }
	eachCycle(b.goImports(), ends, func(i goImport, way []string) {
		b.faults.Add(i.position(), diagnostics[packageCycle], "", i.file.Imports().Get(i.index).Path(), strings.Join(way, " imports "))
	})
}

// goImports are the imports between Go packages of which this run generates files.
// What others generate is theirs to build.
func (b *builder) goImports() []goImport {
	generated := map[protogen.GoImportPath]bool{}
	for _, f := range b.plugin.Files {
		generated[f.GoImportPath] = generated[f.GoImportPath] || f.Generate
	}
	var all []goImport
	for _, f := range byPath(b.plugin.Files) {
		for i := range f.Desc.Imports().Len() {
			// protoc-gen-go imports what a file imports, used or not.
			to := b.plugin.FilesByPath[f.Desc.Imports().Get(i).Path()]
			if to != nil && to.GoImportPath != f.GoImportPath && generated[f.GoImportPath] && generated[to.GoImportPath] {
				all = append(all, goImport{f.GoImportPath, to.GoImportPath, f.Desc, i})
			}
		}
	}
	return all
}

// fileImports is where a FileDescriptorProto has its imports.
const fileImports = 3

func (i goImport) position() fault.Position {
	at := fault.Position{Path: i.file.Path()}
	if l := i.file.SourceLocations().ByPath(protoreflect.SourcePath{fileImports, int32(i.index)}); l.Path != nil {
		at.Line, at.Column = l.StartLine+1, l.StartColumn+1
	}
	return at
}
