package emit

import (
	"path"
	"slices"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
)

// locals are the variables of the Go templates whose scope has names of the
// contract's packages in it. A package is imported by the last part of its path;
// were that one of these, the variable would hide it.
var locals = []string{"app", "config", "conn", "ctx", "d", "deps", "err", "handler", "migrations", "mux", "newHandler"}

// apartMark ends a path in this package only: no import path may have a "!".
const apartMark = "!pb"

// apart gives a package that a variable would hide another name: config_pb.
func apart(id protogen.GoIdent) protogen.GoIdent {
	if slices.Contains(locals, path.Base(string(id.GoImportPath))) {
		id.GoImportPath += apartMark
	}
	return id
}

// ImportPath is the path that an import has in the output, for
// [protogen.Options.ImportRewriteFunc].
func ImportPath(p protogen.GoImportPath) protogen.GoImportPath {
	return protogen.GoImportPath(strings.TrimSuffix(string(p), apartMark))
}
