package svcgen

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/emit"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
	"github.com/protosvc/protosvc/templates"
)

// reference writes what the source of the model says about its types.
type reference struct {
	strings.Builder
	types map[string]*doc.Type
}

func newReference(t *testing.T) *reference {
	t.Helper()
	r := &reference{types: modelTypes(t)}
	fmt.Fprintf(r, "\n## Templates\n\n| Template | Data |\n|---|---|\n")
	data := emit.Data()
	for _, name := range slices.Sorted(maps.Keys(data)) {
		fmt.Fprintf(r, "| `%s` | %s |\n", name, link(data[name].Elem().Name()))
	}
	fmt.Fprintf(r, "\n| Partial | Defined in |\n|---|---|\n%s", partials(t))
	fmt.Fprintf(r, "\n## Data model\n\nVersion %d.\n", ModelVersion)
	for _, name := range reachable(slices.Collect(maps.Values(data))) {
		r.section(t, name)
	}
	return r
}

var definition = regexp.MustCompile(`{{-?\s*define "(\w+)"`)

func partials(t *testing.T) string {
	t.Helper()
	var rows []string
	err := fs.WalkDir(templates.FS, ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".tmpl" {
			return err
		}
		text, err := fs.ReadFile(templates.FS, name)
		for _, d := range definition.FindAllStringSubmatch(string(text), -1) {
			rows = append(rows, fmt.Sprintf("| `%s` | `%s` |\n", d[1], name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(rows)
	return strings.Join(rows, "")
}

// modelTypes are the types of the model as its source has them.
func modelTypes(t *testing.T) map[string]*doc.Type {
	t.Helper()
	names, err := filepath.Glob("../internal/model/*.go")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, parsed)
	}
	pkg, err := doc.NewFromFiles(set, files, reflect.TypeFor[model.System]().PkgPath())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*doc.Type{}
	for _, typ := range pkg.Types {
		out[typ.Name] = typ
	}
	return out
}

// reachable are the names of the model's types that templates can get to, in the
// order in which one meets them.
func reachable(roots []reflect.Type) []string {
	slices.SortFunc(roots, func(a, b reflect.Type) int { return strings.Compare(b.String(), a.String()) }) // System first
	var names []string
	for queue := roots; len(queue) > 0; queue = queue[1:] {
		t := queue[0]
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.PkgPath() != reflect.TypeFor[model.System]().PkgPath() || slices.Contains(names, t.Name()) {
			continue
		}
		names = append(names, t.Name())
		if t.Kind() == reflect.Struct {
			for _, f := range reflect.VisibleFields(t) {
				if f.IsExported() {
					queue = append(queue, f.Type)
				}
			}
		}
		for i := range reflect.PointerTo(t).NumMethod() {
			if m := reflect.PointerTo(t).Method(i); m.Type.NumOut() > 0 {
				queue = append(queue, m.Type.Out(0))
			}
		}
	}
	return names
}

func (r *reference) section(t *testing.T, name string) {
	t.Helper()
	typ := r.types[name]
	fmt.Fprintf(r, "\n### %s\n\n%s\n\n", name, oneLine(typ.Doc))
	r.WriteString("| Member | Type | Meaning |\n|---|---|---|\n")
	spec := typ.Decl.Specs[0].(*ast.TypeSpec)
	if fields, ok := spec.Type.(*ast.StructType); ok {
		for _, f := range fields.Fields.List {
			r.field(f)
		}
	}
	for _, m := range typ.Methods {
		r.method(m)
	}
}

// field writes a row for all names that share a comment.
func (r *reference) field(f *ast.Field) {
	var names []string
	for _, name := range f.Names {
		if name.IsExported() {
			names = append(names, "`."+name.Name+"`")
		}
	}
	if len(names) > 0 {
		r.row(strings.Join(names, ", "), f.Type, f.Doc.Text()+f.Comment.Text())
	}
}

// method writes a row for a method that a template can call: it has a result,
// and no parameter that only Go has.
func (r *reference) method(m *doc.Func) {
	f := m.Decl.Type
	if !ast.IsExported(m.Name) || f.Results == nil {
		return
	}
	var parameters []string
	for _, p := range f.Params.List {
		if kind := types.ExprString(p.Type); kind != "string" && kind != "int" {
			return
		}
		parameters = append(parameters, " "+strings.ToUpper(p.Names[0].Name))
	}
	r.row("`."+m.Name+strings.Join(parameters, "")+"`", f.Results.List[0].Type, m.Doc)
}

func (r *reference) row(name string, typ ast.Expr, about string) {
	text := strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(oneLine(about))
	fmt.Fprintf(r, "| %s | %s | %s |\n", name, r.typeName(typ), text)
}

// typeName links to the section of a type of the model.
func (r *reference) typeName(typ ast.Expr) string {
	switch typ := typ.(type) {
	case *ast.StarExpr:
		return r.typeName(typ.X)
	case *ast.ArrayType:
		return "list of " + r.typeName(typ.Elt)
	case *ast.Ident:
		if r.types[typ.Name] != nil {
			return link(typ.Name)
		}
	}
	return "`" + types.ExprString(typ) + "`"
}

func link(name string) string { return fmt.Sprintf("[%s](#%s)", name, strings.ToLower(name)) }

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
