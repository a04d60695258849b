package sync

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// userFile is a file of the handler package, and what is where in its text.
type userFile struct {
	name, text string
	fset       *token.FileSet
	ast        *ast.File
}

// userFiles reads the handler package.
func userFiles(t *testing.T) []*userFile {
	t.Helper()
	names, err := filepath.Glob(handlerDir + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*userFile
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, parseUser(t, name, string(text)))
	}
	return files
}

func parseUser(t *testing.T, name, text string) *userFile {
	t.Helper()
	f := &userFile{name: name, text: text, fset: token.NewFileSet()}
	var err error
	if f.ast, err = parser.ParseFile(f.fset, name, text, parser.ParseComments|parser.SkipObjectResolution); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return f
}

func (f *userFile) offset(p token.Pos) int { return f.fset.Position(p).Offset }

// span is where a declaration is, with its comment.
func (f *userFile) span(d ast.Decl) (start, end int) {
	start = f.offset(d.Pos())
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc != nil {
			start = f.offset(d.Doc.Pos())
		}
	case *ast.GenDecl:
		if d.Doc != nil {
			start = f.offset(d.Doc.Pos())
		}
	}
	return start, f.offset(d.End())
}

// methods are the methods of a type in the file.
func (f *userFile) methods(typ string) []*ast.FuncDecl {
	var found []*ast.FuncDecl
	for _, d := range f.ast.Decls {
		if d, ok := d.(*ast.FuncDecl); ok && d.Recv != nil && typeName(d.Recv.List[0].Type) == typ {
			found = append(found, d)
		}
	}
	return found
}

// replacement puts a text in the place of a part of a file.
type replacement struct {
	start, end int
	text       string
}

// rewritten is the file with parts replaced.
func (f *userFile) rewritten(parts ...replacement) string {
	slices.SortFunc(parts, func(a, b replacement) int { return b.start - a.start })
	text := f.text
	for _, p := range parts {
		text = text[:p.start] + p.text + text[p.end:]
	}
	return text
}

// importable are the packages that people name, by the names that they use.
var importable = map[string]string{
	"context": "context", "embed": "embed", "errors": "errors", "fs": "io/fs",
	"grpc": grpcPath, "codes": grpcPath + "/codes", "status": grpcPath + "/status",
	"emptypb": "google.golang.org/protobuf/types/known/emptypb",
	"shopv1":  goPackage, "pb": goPackage, "shopv1svc": goPackage + "/shopv1svc",
	"xcontext": "context", "xgrpc": grpcPath, "xshopv1": goPackage, "xemptypb": "google.golang.org/protobuf/types/known/emptypb",
}

// save writes a file with the imports that it needs, as editors do.
func save(t *testing.T, name, text string) {
	t.Helper()
	f := parseUser(t, name, text)
	if len(f.ast.Decls) == 0 {
		writeFile(t, name, text)
		return
	}
	named, dotted := used(f.ast)
	imports := map[string]string{} // name: path
	var parts []replacement
	for _, d := range f.ast.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.IMPORT {
			continue
		}
		start, end := f.span(g)
		parts = append(parts, replacement{start, end, ""})
		for _, spec := range g.Specs {
			name, importPath := importedAs(spec.(*ast.ImportSpec))
			if named[name] || name == "." && dotted {
				imports[name] = importPath
			}
		}
	}
	for name := range named {
		// sync writes grpc2 where grpc is taken.
		if known := importable[strings.TrimRight(name, "2345")]; known != "" && imports[name] == "" {
			imports[name] = known
		}
	}
	clause := f.offset(f.ast.Name.End())
	parts = append(parts, replacement{clause, clause, importDecls(imports)})
	formatted, err := format.Source([]byte(f.rewritten(parts...)))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	writeFile(t, name, string(formatted))
}

func importedAs(spec *ast.ImportSpec) (name, importPath string) {
	importPath, _ = strconv.Unquote(spec.Path.Value)
	if spec.Name != nil {
		return spec.Name.Name, importPath
	}
	if importPath == goPackage {
		return "shopv1", importPath
	}
	return path.Base(importPath), importPath
}

func importDecls(imports map[string]string) string {
	var text strings.Builder
	text.WriteString("\n\n")
	for _, name := range slices.Sorted(maps.Keys(imports)) {
		fmt.Fprintf(&text, "import %s %q\n", name, imports[name])
	}
	return text.String()
}

// used are the names before a dot, and whether there are bare names of the
// contract's package.
func used(file *ast.File) (named map[string]bool, dotted bool) {
	named = map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if id, ok := n.X.(*ast.Ident); ok {
				named[id.Name] = true
				return false
			}
		case *ast.Ident:
			dotted = dotted || slices.Contains(messages, n.Name) || strings.HasPrefix(n.Name, "ShopService")
		}
		return true
	})
	return named, dotted
}
