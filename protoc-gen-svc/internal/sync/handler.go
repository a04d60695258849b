package sync

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// handlerPackage is what the Go files of a folder declare. Files are read
// whatever their build tags say: what exists under some tag is not missing.
type handlerPackage struct {
	dir string
	// name is the package clause, empty when there is no Go file.
	name  string
	files []*ast.File
	fset  *token.FileSet
	// entries are the names in the folder, in lower case: some file systems do
	// not tell them apart.
	entries map[string]bool

	funcs    map[string]*ast.FuncDecl            // without receiver
	methods  map[string]map[string]*ast.FuncDecl // by type, then name
	types    map[string]declaredType
	vars     []declaredVar
	declared map[string]*ast.Ident // every name at package level
}

// declaredType is a type and the file whose imports its expression uses.
type declaredType struct {
	spec *ast.TypeSpec
	file *ast.File
}

// declaredVar is one line of variables or constants and the file whose imports it uses.
type declaredVar struct {
	spec *ast.ValueSpec
	file *ast.File
}

// readHandler reads a folder. One that does not exist is an empty package; a
// file that does not parse is an error, since what it holds cannot be known.
func readHandler(dir string) (*handlerPackage, error) {
	h := &handlerPackage{
		dir:      dir,
		fset:     token.NewFileSet(),
		entries:  map[string]bool{},
		funcs:    map[string]*ast.FuncDecl{},
		methods:  map[string]map[string]*ast.FuncDecl{},
		types:    map[string]declaredType{},
		declared: map[string]*ast.Ident{},
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var parsed []*ast.File
	var faults []error
	for _, entry := range entries {
		h.entries[strings.ToLower(entry.Name())] = true
		if !isSource(entry.Name()) || entry.IsDir() {
			continue
		}
		file, err := parser.ParseFile(h.fset, filepath.Join(dir, entry.Name()), nil, parser.SkipObjectResolution)
		faults = append(faults, err)
		parsed = append(parsed, file)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	h.name = packageName(parsed)
	for _, file := range parsed {
		if file.Name.Name == h.name {
			h.files = append(h.files, file)
			h.add(file)
		}
	}
	return h, nil
}

// isSource reports whether the go command would look at the file.
func isSource(name string) bool {
	return strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && name[0] != '.' && name[0] != '_'
}

// packageName is the name that most files have. A package that is imported is
// not main: a file of that name is a program that only "go run" looks at.
func packageName(files []*ast.File) string {
	best, count := "", map[string]int{}
	for _, file := range files {
		name := file.Name.Name
		if name == "main" {
			continue
		}
		if count[name]++; count[name] > count[best] {
			best = name
		}
	}
	return best
}

// add records the declarations of a file.
func (h *handlerPackage) add(file *ast.File) {
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			h.addFunc(d)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					h.types[s.Name.Name] = declaredType{s, file}
					h.declared[s.Name.Name] = s.Name
				case *ast.ValueSpec:
					h.vars = append(h.vars, declaredVar{s, file})
					for _, name := range s.Names {
						h.declared[name.Name] = name
					}
				}
			}
		}
	}
}

func (h *handlerPackage) addFunc(d *ast.FuncDecl) {
	if d.Recv == nil {
		h.funcs[d.Name.Name] = d
		h.declared[d.Name.Name] = d.Name
		return
	}
	if len(d.Recv.List) == 0 {
		return // does not compile, but parses
	}
	receiver := typeName(d.Recv.List[0].Type)
	if h.methods[receiver] == nil {
		h.methods[receiver] = map[string]*ast.FuncDecl{}
	}
	h.methods[receiver][d.Name.Name] = d
}

// method is a method of this name, of whatever type: the first by name that has one.
func (h *handlerPackage) method(name string) *ast.FuncDecl {
	for _, receiver := range slices.Sorted(maps.Keys(h.methods)) {
		if decl := h.methods[receiver][name]; decl != nil {
			return decl
		}
	}
	return nil
}

// typeName is the name of a type of the package: T of T, *T, (T) and T[A, B].
// It is empty for anything else.
func typeName(expr ast.Expr) string {
	switch e := expr.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.ParenExpr:
		return typeName(e.X)
	case *ast.IndexExpr:
		return typeName(e.X)
	case *ast.IndexListExpr:
		return typeName(e.X)
	}
	return ""
}
