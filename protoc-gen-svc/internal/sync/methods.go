package sync

import (
	"go/ast"
	"path"
	"strconv"
	"strings"
)

// runtimePath is where the runtime's packages are.
const runtimePath = "github.com/protosvc/protosvc/svc"

// methodSet is what a type is known to have, its own and promoted.
type methodSet struct {
	// has are the methods. One of an embedded interface has no declaration: nil.
	has map[string]*ast.FuncDecl
	// fields are those of the type itself, each of which keeps it from having a
	// method of the same name.
	fields map[string]*ast.Ident
	// unseen are embedded types of other packages that may have more methods.
	// To write a method that one of them has would shadow it, and so break code
	// that works.
	unseen []string
}

// member is a method or a field of a type.
type member struct {
	method  *ast.FuncDecl // nil for a field, and in an interface
	isField bool
}

// methodSet collects the methods of a type of the package by the rule of Go: of
// members of one name the least deeply embedded counts, and of two in the same
// depth none.
func (h *handlerPackage) methodSet(name string, s service) methodSet {
	set := methodSet{has: map[string]*ast.FuncDecl{}, fields: h.fields(name)}
	decided, seen := map[string]bool{}, map[string]bool{}
	for depth := []string{name}; len(depth) > 0; {
		found := map[string][]member{}
		var deeper []string
		for _, name := range depth {
			if !seen[name] {
				seen[name] = true
				deeper = append(deeper, h.collect(name, s, &set, found)...)
			}
		}
		for name, members := range found {
			if !decided[name] && len(members) == 1 && !members[0].isField {
				set.has[name] = members[0].method
			}
			decided[name] = true
		}
		depth = deeper
	}
	return set
}

// collect adds the members of one type and returns the types that it embeds.
func (h *handlerPackage) collect(name string, s service, set *methodSet, found map[string][]member) (embeds []string) {
	for method, decl := range h.methods[name] {
		found[method] = append(found[method], member{method: decl})
	}
	for field := range h.fields(name) {
		found[field] = append(found[field], member{isField: true})
	}
	t, ok := h.types[name]
	if !ok {
		return nil
	}
	for _, embedded := range embeddedIn(t.spec) {
		if local := typeName(embedded); local != "" {
			embeds = append(embeds, local)
			continue
		}
		if foreign, ok := selector(embedded); ok && mayServe(t.file, foreign, s) {
			set.unseen = append(set.unseen, foreign.X.(*ast.Ident).Name+"."+foreign.Sel.Name)
		}
	}
	if i, ok := t.spec.Type.(*ast.InterfaceType); ok {
		for _, m := range i.Methods.List {
			for _, id := range m.Names {
				found[id.Name] = append(found[id.Name], member{})
			}
		}
	}
	return embeds
}

// fields are the fields of a struct, by name. An embedded type is one, too.
func (h *handlerPackage) fields(name string) map[string]*ast.Ident {
	fields := map[string]*ast.Ident{}
	t, ok := h.types[name]
	if !ok {
		return fields
	}
	s, ok := t.spec.Type.(*ast.StructType)
	if !ok {
		return fields
	}
	for _, f := range s.Fields.List {
		for _, id := range f.Names {
			fields[id.Name] = id
		}
		if len(f.Names) == 0 {
			if id := lastIdent(f.Type); id != nil {
				fields[id.Name] = id
			}
		}
	}
	return fields
}

// lastIdent is the name of a type without its package.
func lastIdent(expr ast.Expr) *ast.Ident {
	if s, ok := selector(expr); ok {
		return s.Sel
	}
	switch e := expr.(type) {
	case *ast.Ident:
		return e
	case *ast.StarExpr:
		return lastIdent(e.X)
	case *ast.ParenExpr:
		return lastIdent(e.X)
	case *ast.IndexExpr:
		return lastIdent(e.X)
	case *ast.IndexListExpr:
		return lastIdent(e.X)
	}
	return nil
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
