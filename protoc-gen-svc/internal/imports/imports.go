// Package imports decides what generated Go code calls the packages it imports.
//
// protogen names an import after the last element of its path, which makes every
// versioned package "v1". People write "orderv1".
package imports

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
)

// locals are the variables of the Go templates whose scope has names of the
// contract's packages in it. A package called like one of them would be hidden.
var locals = []string{"app", "config", "conn", "ctx", "d", "deps", "err", "handler", "migrations", "mux", "newHandler"}

var version = regexp.MustCompile(`^v[0-9]+((alpha|beta)[0-9]*|p[0-9]+(alpha|beta)[0-9]+)?$`)

// IsVersion reports whether the last part of a package is its version: "v1".
func IsVersion(part string) bool { return version.MatchString(part) }

// aliases are the names of packages that are called like one of the standard library,
// which a reader would take them for.
var aliases = map[protogen.GoImportPath]string{
	"github.com/protosvc/protosvc/svc/errors": "svcerrors",
}

// Name is what a package is called: "orderv1" for "…/order/v1".
func Name(p protogen.GoImportPath) string {
	if alias := aliases[p]; alias != "" {
		return alias
	}
	// What generated packages declare has a capital in it, and would clash.
	dir, name := path.Split(strings.ToLower(string(p)))
	switch {
	case IsVersion(name) && dir != "":
		return path.Base(dir) + name
	case slices.Contains(locals, name), name == "init": // which Go lets nothing but a func be called
		return name + "pb"
	}
	return name
}

// mark stands between a path and the name of its package, in this process only:
// no import path may have a "!".
const mark = "!/"

// Named makes protogen import the package of an identifier under its Name.
func Named(id protogen.GoIdent) protogen.GoIdent {
	if name := Name(id.GoImportPath); name != path.Base(string(id.GoImportPath)) {
		id.GoImportPath += protogen.GoImportPath(mark + name)
	}
	return id
}

// Path is the path that an import has in the output, for
// [protogen.Options.ImportRewriteFunc].
func Path(p protogen.GoImportPath) protogen.GoImportPath {
	real, _, _ := strings.Cut(string(p), mark)
	return protogen.GoImportPath(real)
}
