// Package api_test lists what the runtime exports: what a change of a line there breaks.
package api_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	repository = "../.."
	runtime    = "github.com/protosvc/protosvc/svc"
	listing    = repository + "/docs/api.txt"
)

var update = flag.Bool("update", false, "rewrite docs/api.txt")

// most is how many identifiers the runtime may export: more than that nobody reads.
const most = 225

func TestAPI(t *testing.T) {
	var out bytes.Buffer
	total := 0
	for _, pkg := range packages(t) {
		if pkg.internal() {
			continue
		}
		lines := exported(pkg.Package)
		for _, line := range lines {
			if !strings.HasPrefix(line, "\t") {
				total++
			}
		}
		fmt.Fprintf(&out, "\npackage %s\n\n%s\n", strings.TrimPrefix(pkg.Path(), "github.com/protosvc/protosvc/"), strings.Join(lines, "\n"))
	}
	want := fmt.Sprintf("The runtime exports %d identifiers. Written by go test ./api -update, in test. DO NOT EDIT.\n%s", total, &out)
	if *update {
		if err := os.WriteFile(listing, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(listing)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), want); diff != "" {
		t.Errorf("the API of svc has changed: if it should, cd test && go test ./api -update (-listed +present):\n%s", diff)
	}
	if total > most {
		t.Errorf("svc exports %d identifiers, want %d at most: does a handler or generated code use the new ones?", total, most)
	}
}

// packages reads those of the runtime from the export data of the compiler.
func packages(t *testing.T) []pkg {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-export", "-f", "{{.ImportPath}}\t{{.Export}}\t{{.Dir}}", "./svc/...")
	list.Dir = repository
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	exports, dirs := map[string]string{}, map[string]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		exports[fields[0]] = fields[1]
		if fields[0] == runtime || strings.HasPrefix(fields[0], runtime+"/") {
			dirs[fields[0]] = fields[2]
		}
	}
	read := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	var all []pkg
	for _, path := range slices.Sorted(maps.Keys(dirs)) {
		types, err := read.Import(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, pkg{types, dirs[path], read})
	}
	return all
}

type pkg struct {
	*types.Package
	dir  string
	read types.Importer // of others
}

func (p pkg) internal() bool { return strings.Contains(p.Path(), "/internal/") }

// exported are the identifiers of a package, each with its methods. What a type has
// inside follows it, indented.
func exported(pkg *types.Package) []string {
	var lines []string
	short := func(p *types.Package) string {
		if p == pkg {
			return ""
		}
		return p.Name()
	}
	for _, name := range pkg.Scope().Names() {
		o := pkg.Scope().Lookup(name)
		if !o.Exported() {
			continue
		}
		named, ok := o.(*types.TypeName)
		if !ok {
			lines = append(lines, types.ObjectString(o, short))
			continue
		}
		if named.IsAlias() {
			lines = append(lines, types.ObjectString(o, short))
			continue
		}
		t := named.Type().(*types.Named)
		lines = append(lines, "type "+types.TypeString(t, short)+kind(t))
		lines = append(lines, inside(t, short)...)
		for m := range t.Methods() {
			if m.Exported() {
				lines = append(lines, types.ObjectString(m, short))
			}
		}
	}
	return lines
}

func kind(t *types.Named) string {
	switch u := t.Underlying().(type) {
	case *types.Struct:
		return " struct"
	case *types.Interface:
		return " interface"
	default:
		return " " + u.String()
	}
}

// inside are the exported fields of a struct, or the methods of an interface.
func inside(t *types.Named, short types.Qualifier) []string {
	var lines []string
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for f := range u.Fields() {
			if f.Exported() {
				lines = append(lines, "\t"+f.Name()+" "+types.TypeString(f.Type(), short))
			}
		}
	case *types.Interface:
		for m := range u.ExplicitMethods() {
			lines = append(lines, "\t"+m.Name()+strings.TrimPrefix(types.TypeString(m.Type(), short), "func"))
		}
	}
	return lines
}

// link is an identifier in brackets, "[Options]", "[Conn.Close]", "[errors.Code]", which
// go doc makes a link of.
var link = regexp.MustCompile(`\[\*?((?:[a-z]\w*\.)?)([A-Z]\w*)(?:\.([A-Z]\w*))?\]`)

// TestDocs: the runtime's comments name no identifier that does not exist.
func TestDocs(t *testing.T) {
	links := 0
	for _, pkg := range packages(t) {
		files := pkg.files(t)
		for _, file := range files {
			for _, group := range file.Comments {
				for _, m := range link.FindAllStringSubmatch(group.Text(), -1) {
					links++
					if !slices.ContainsFunc(pkg.named(files, m[1]), func(p *types.Package) bool { return has(p, m[2], m[3]) }) {
						t.Errorf("%s names %s, which does not exist", pkg.Path(), m[0])
					}
				}
			}
		}
	}
	if links < 100 {
		t.Errorf("%d links in all comments, which tells little", links)
	}
}

func (p pkg) files(t *testing.T) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(p.dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// named returns the packages that files import by a name with a dot, or the package
// itself if it is empty. Where two files mean two by one name, both are right.
func (p pkg) named(files []*ast.File, name string) []*types.Package {
	if name == "" {
		return []*types.Package{p.Package}
	}
	var all []*types.Package
	for _, file := range files {
		for _, spec := range file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if other, err := p.read.Import(path); err == nil && other.Name()+"." == name {
				all = append(all, other)
			}
		}
	}
	return all
}

// has reports whether a package has a name, with a member of it if there is one.
func has(p *types.Package, name, member string) bool {
	o := p.Scope().Lookup(name)
	if o == nil || member == "" {
		return o != nil
	}
	inside, _, _ := types.LookupFieldOrMethod(o.Type(), true, p, member)
	return inside != nil
}
