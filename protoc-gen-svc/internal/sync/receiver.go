package sync

import (
	"cmp"
	"go/ast"
	"go/token"
	"maps"
	"slices"
)

// receiver finds the type that implements a service: the one that New returns,
// else the one that an assertion such as
//
//	var _ orderv1.OrderServiceServer = (*handler)(nil)
//
// names, else the one with the most of the service's methods, else Handler. It
// is empty when there is none of these.
func (h *handlerPackage) receiver(s service) string {
	return cmp.Or(
		h.known(h.returned("New", 0)),
		h.known(h.asserted(s.Server.GoName)),
		h.mostMethods(s),
		h.known("Handler"),
		h.known("handler"),
	)
}

// known returns the name if it is a type of the package that may have methods.
func (h *handlerPackage) known(name string) string {
	t, ok := h.types[name]
	if !ok {
		return ""
	}
	if _, isInterface := t.spec.Type.(*ast.InterfaceType); isInterface {
		return ""
	}
	return name
}

// maxDepth ends the search through functions that call each other.
const maxDepth = 8

// returned is the type of the first result of a function, as far as its text
// tells: the declared one, or that of what it returns.
func (h *handlerPackage) returned(function string, depth int) string {
	f := h.funcs[function]
	if f == nil || f.Type.Results == nil || depth > maxDepth {
		return ""
	}
	if name := h.known(typeName(f.Type.Results.List[0].Type)); name != "" {
		return name
	}
	found := ""
	if f.Body == nil {
		return ""
	}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if _, nested := n.(*ast.FuncLit); nested {
			return false
		}
		if r, ok := n.(*ast.ReturnStmt); ok && found == "" && len(r.Results) > 0 {
			found = h.known(h.typeOf(r.Results[0], f, depth))
		}
		return true
	})
	return found
}

// typeOf is the type of an expression in a function.
func (h *handlerPackage) typeOf(expr ast.Expr, f *ast.FuncDecl, depth int) string {
	switch e := expr.(type) {
	case *ast.UnaryExpr:
		if e.Op == token.AND {
			return h.typeOf(e.X, f, depth)
		}
	case *ast.ParenExpr:
		return h.typeOf(e.X, f, depth)
	case *ast.CompositeLit:
		return typeName(e.Type)
	case *ast.CallExpr:
		name := typeName(e.Fun)
		if name == "new" && len(e.Args) == 1 {
			return typeName(e.Args[0])
		}
		return h.returned(name, depth+1)
	case *ast.Ident:
		return h.variable(e.Name, f, depth+1)
	}
	return ""
}

// variable is the type of a local variable: that of its declaration or of its
// first value.
func (h *handlerPackage) variable(name string, f *ast.FuncDecl, depth int) string {
	found := ""
	if depth > maxDepth || f == nil {
		return ""
	}
	try := func(typ string) {
		if found == "" {
			found = h.known(typ)
		}
	}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		switch s := n.(type) {
		case *ast.AssignStmt:
			for i, left := range s.Lhs {
				if id, ok := left.(*ast.Ident); ok && id.Name == name && i < len(s.Rhs) {
					try(h.typeOf(s.Rhs[i], f, depth))
				}
			}
		case *ast.ValueSpec:
			for i, id := range s.Names {
				if id.Name != name {
					continue
				}
				try(typeName(s.Type))
				if i < len(s.Values) {
					try(h.typeOf(s.Values[i], f, depth))
				}
			}
		}
		return true
	})
	return found
}

// asserted is the type that is said to implement an interface of another
// package.
func (h *handlerPackage) asserted(iface string) string {
	for _, file := range h.files {
		for _, decl := range file.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok || d.Tok != token.VAR {
				continue
			}
			for _, spec := range d.Specs {
				s := spec.(*ast.ValueSpec)
				// The interface has no package's name where that is imported with a dot.
				if id := lastIdent(s.Type); id == nil || id.Name != iface || len(s.Values) != 1 {
					continue
				}
				if call, ok := s.Values[0].(*ast.CallExpr); ok { // (*T)(nil)
					return cmp.Or(h.known(typeName(call.Fun)), h.known(h.typeOf(call, nil, 0)))
				}
				return h.typeOf(s.Values[0], nil, 0)
			}
		}
	}
	return ""
}

// mostMethods is the type with the most of the service's methods, promoted ones
// too; of equal ones the one that embeds the other, else the first by name.
func (h *handlerPackage) mostMethods(s service) string {
	best, most := "", 0
	for _, name := range slices.Sorted(maps.Keys(h.types)) {
		if h.known(name) == "" {
			continue
		}
		n, has := 0, h.methodSet(name, s).has
		for _, m := range s.Methods {
			if has[m.GoName] != nil {
				n++
			}
		}
		if n > most || n > 0 && n == most && h.fields(name)[best] != nil {
			best, most = name, n
		}
	}
	return best
}

// receiverText is how methods of the type write their receiver: as the ones
// that exist do.
func (h *handlerPackage) receiverText(name string) string {
	variable, star := "h", "*"
	methods := h.methods[name]
	for _, method := range slices.Sorted(maps.Keys(methods)) {
		recv := methods[method].Recv.List[0]
		if len(recv.Names) == 0 || recv.Names[0].Name == "_" {
			continue
		}
		variable = recv.Names[0].Name
		if _, isPointer := recv.Type.(*ast.StarExpr); !isPointer {
			star = ""
		}
		break
	}
	return variable + " " + star + name + h.typeParameters(name)
}

// typeParameters are the blank parameters of a generic receiver.
func (h *handlerPackage) typeParameters(name string) string {
	list := h.types[name].spec
	if list == nil || list.TypeParams == nil {
		return ""
	}
	text := ""
	for range list.TypeParams.NumFields() {
		text += ", _"
	}
	return "[" + text[2:] + "]"
}
