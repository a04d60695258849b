package sync

import (
	"bytes"
	"fmt"
	"go/format"
	"go/token"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
)

// goFile is a Go file in the making. Unlike protogen's, it names imports as
// people do, by their package, since people will go on with it.
type goFile struct {
	pkg, doc string
	body     bytes.Buffer
	packages map[string]string // names of packages whose last element is another
	imports  map[string]string // path to the name in this file
	taken    map[string]bool   // names that an import must not have
}

// newGoFile starts a file of a package in which names are declared already.
func newGoFile(pkg string, packages map[string]string, declared []string) *goFile {
	g := &goFile{pkg: pkg, packages: packages, imports: map[string]string{}, taken: map[string]bool{}}
	g.reserve("ctx", "req", "stream", "deps", "nil", "error")
	g.reserve(declared...)
	return g
}

func (g *goFile) reserve(names ...string) {
	for _, name := range names {
		g.taken[name] = true
	}
}

// line adds a line of code.
func (g *goFile) line(text string, args ...any) {
	fmt.Fprintf(&g.body, text+"\n", args...)
}

// ident names something of another package, which the file then imports.
func (g *goFile) ident(id protogen.GoIdent) string {
	importPath := string(id.GoImportPath)
	name, ok := g.imports[importPath]
	if !ok {
		name = g.packages[importPath]
		if name == "" {
			name = path.Base(importPath)
		}
		name = g.unused(name)
		g.imports[importPath] = name
	}
	return name + "." + id.GoName
}

// unused takes a name: this one, or with a number after it.
func (g *goFile) unused(name string) string {
	free := name
	for n := 2; g.taken[free] || token.IsKeyword(free); n++ {
		free = name + strconv.Itoa(n)
	}
	g.taken[free] = true
	return free
}

// format returns the file as gofmt would have it.
func (g *goFile) format() ([]byte, error) {
	var out bytes.Buffer
	if g.doc != "" {
		fmt.Fprintf(&out, "// %s\n", g.doc)
	}
	fmt.Fprintf(&out, "package %s\n\n", g.pkg)
	if len(g.imports) > 0 {
		out.WriteString("import (\n")
		for _, isStandard := range []bool{true, false} {
			g.importGroup(&out, isStandard)
		}
		out.WriteString(")\n\n")
	}
	out.Write(g.body.Bytes())
	return format.Source(out.Bytes())
}

// importGroup writes the imports of the standard library or all others. gofmt
// removes the empty line of an empty group.
func (g *goFile) importGroup(out *bytes.Buffer, isStandard bool) {
	for _, importPath := range slices.Sorted(maps.Keys(g.imports)) {
		first, _, _ := strings.Cut(importPath, "/")
		if isStandard == strings.Contains(first, ".") {
			continue
		}
		if name := g.imports[importPath]; name != path.Base(importPath) {
			fmt.Fprintf(out, "%s ", name)
		}
		fmt.Fprintf(out, "%q\n", importPath)
	}
	out.WriteByte('\n')
}
