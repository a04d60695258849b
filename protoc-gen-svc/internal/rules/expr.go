package rules

import (
	"strconv"

	"google.golang.org/protobuf/compiler/protogen"
)

// Import paths of what generated code uses.
const (
	bytesPackage    = protogen.GoImportPath("bytes")
	formatPackage   = protogen.GoImportPath("github.com/protosvc/protosvc/svc/validate/format")
	mathPackage     = protogen.GoImportPath("math")
	protoPackage    = protogen.GoImportPath("google.golang.org/protobuf/proto")
	regexpPackage   = protogen.GoImportPath("regexp")
	slicesPackage   = protogen.GoImportPath("slices")
	stringsPackage  = protogen.GoImportPath("strings")
	timePackage     = protogen.GoImportPath("time")
	utf8Package     = protogen.GoImportPath("unicode/utf8")
	validatePackage = protogen.GoImportPath("github.com/protosvc/protosvc/svc/validate")
)

// expr is a piece of Go: strings, and what gets its name when the file is
// written, which is protogen.GoIdent, local and *pattern.
type expr []any

// join makes one expression of its parts, which may be expressions.
func join(parts ...any) expr {
	var out expr
	for _, part := range parts {
		if e, ok := part.(expr); ok {
			out = append(out, e...)
			continue
		}
		out = append(out, part)
	}
	return out
}

// list puts commas between.
func list(elements []expr) expr {
	var out expr
	for i, e := range elements {
		if i > 0 {
			out = append(out, ", ")
		}
		out = append(out, e...)
	}
	return out
}

// call calls a function of a package.
func call(pkg protogen.GoImportPath, function string, args ...any) expr {
	elements := make([]expr, len(args))
	for i, arg := range args {
		elements[i] = join(arg)
	}
	return join(pkg.Ident(function), "(", list(elements), ")")
}

func quote(s string) string { return strconv.Quote(s) }

// local is a parameter or variable of the generated functions.
type local string

const (
	localMessage    local = "m"
	localPath       local = "at"
	localViolations local = "v"
	localIndex      local = "i"
	localItem       local = "item"
	localKey        local = "key"
	localValue      local = "value"
	localCount      local = "n"
	localOK         local = "ok"
	localDuration   local = "d"
	localTime       local = "t"
)

// locals renames locals that would hide an imported package: a proto package
// may well be called item.
type locals map[local]string

func newLocals(imported map[string]bool) locals {
	out := locals{}
	for _, l := range []local{
		localMessage, localPath, localViolations, localIndex, localItem,
		localKey, localValue, localCount, localOK, localDuration, localTime,
	} {
		out[l] = string(l)
		if imported[string(l)] {
			out[l] += "Local"
		}
	}
	return out
}
