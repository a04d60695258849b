package sync

import (
	"go/ast"
	"path"
	"strconv"
	"strings"
)

// runtimePath is where the runtime's packages are.
const runtimePath = "github.com/protosvc/protosvc/svc"

// methodSet is what a type is known to have.
type methodSet struct {
	has map[string]bool
	// unseen are embedded types of other packages that may have more methods.
	// To write a method that one of them has would shadow it, and so break code
	// that works.
	unseen []string
}

// methodSet collects the methods of a type of the package, promoted ones too.
func (h *handlerPackage) methodSet(name string, s service) methodSet {
	set := methodSet{has: map[string]bool{}}
	h.collect(name, s, &set, map[string]bool{})
	return set
}

func (h *handlerPackage) collect(name string, s service, set *methodSet, seen map[string]bool) {
	if seen[name] {
		return
	}
	seen[name] = true
	for method := range h.methods[name] {
		set.has[method] = true
	}
	t, ok := h.types[name]
	if !ok {
		return
	}
	for _, embedded := range embeddedIn(t.spec) {
		if local := typeName(embedded); local != "" {
			h.collect(local, s, set, seen)
			continue
		}
		if foreign, ok := selector(embedded); ok && mayServe(t.file, foreign, s) {
			set.unseen = append(set.unseen, foreign.X.(*ast.Ident).Name+"."+foreign.Sel.Name)
		}
	}
	if i, ok := t.spec.Type.(*ast.InterfaceType); ok {
		for _, m := range i.Methods.List {
			for _, id := range m.Names {
				set.has[id.Name] = true
			}
		}
	}
}

// embeddedIn are the types whose methods a declared type promotes.
func embeddedIn(spec *ast.TypeSpec) []ast.Expr {
	var fields *ast.FieldList
	switch t := spec.Type.(type) {
	case *ast.StructType:
		fields = t.Fields
	case *ast.InterfaceType:
		fields = t.Methods
	default:
		if spec.Assign.IsValid() { // an alias has the methods of what it names
			return []ast.Expr{t}
		}
		return nil
	}
	var out []ast.Expr
	for _, f := range fields.List {
		if len(f.Names) == 0 {
			out = append(out, f.Type)
		}
	}
	return out
}

// selector finds pkg.Type in pkg.Type, *pkg.Type and pkg.Type[A].
func selector(expr ast.Expr) (*ast.SelectorExpr, bool) {
	switch e := expr.(type) {
	case *ast.StarExpr:
		return selector(e.X)
	case *ast.IndexExpr:
		return selector(e.X)
	case *ast.IndexListExpr:
		return selector(e.X)
	case *ast.SelectorExpr:
		_, ok := e.X.(*ast.Ident)
		return e, ok
	}
	return nil, false
}

// mayServe reports whether a type of another package may have methods of the
// service. The standard library, the runtime and our generated package cannot:
// they do not know the messages, or hold no handlers. What protoc-gen-go-grpc
// generates for embedding implements nothing.
func mayServe(file *ast.File, t *ast.SelectorExpr, s service) bool {
	importPath := imported(file, t.X.(*ast.Ident).Name, s.packages)
	first, _, _ := strings.Cut(importPath, "/")
	own, _, _ := strings.Cut(string(s.Handler.Path), "/")
	switch {
	case importPath == "":
		return true
	case !strings.Contains(first, ".") && first != own: // the standard library
		return false
	case importPath == runtimePath || strings.HasPrefix(importPath, runtimePath+"/"):
		return false
	case importPath == string(s.Package.Path):
		return false
	case importPath == string(s.Server.GoImportPath):
		return t.Sel.Name != s.Unimplemented.GoName && t.Sel.Name != s.Unsafe.GoName
	}
	return true
}

// imported is the path of the package that a file calls name; empty if unsure.
func imported(file *ast.File, name string, packages map[string]string) string {
	for _, spec := range file.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		called := path.Base(importPath)
		if known := packages[importPath]; known != "" {
			called = known
		}
		if spec.Name != nil {
			called = spec.Name.Name
		}
		if called == name {
			return importPath
		}
	}
	return ""
}
