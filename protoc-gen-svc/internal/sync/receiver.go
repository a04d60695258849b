package sync

import (
	"fmt"
	"go/ast"
	"maps"
	"slices"
	"strings"
)

// asserted is the type that the handler package says to implement the service, in a line
//
//	var _ orderv1.OrderServiceServer = (*handler)(nil)
//
// It is that of the first such line, and empty if there is none.
func (p *planner) asserted() string {
	for _, v := range p.pkg.vars {
		if v.spec.Type == nil || len(v.spec.Values) != 1 {
			continue
		}
		if t, certain := p.resolve(v.file, v.spec.Type); !certain || t != goType(p.service.Server) {
			continue
		}
		if name := converted(v.spec.Values[0]); name != "" {
			return name
		}
	}
	return ""
}

// converted is the T of (*T)(nil), empty if it is not one of the package.
func converted(expr ast.Expr) string {
	call, ok := expr.(*ast.CallExpr)
	if !ok {
		return ""
	}
	if _, ok := call.Fun.(*ast.ParenExpr); !ok {
		return ""
	}
	return typeName(call.Fun)
}

// begun is what shows that a person has begun a handler: New, else the method of an
// RPC, else the name that the type of a new handler would have.
func (p *planner) begun() *ast.Ident {
	if id := p.pkg.declared["New"]; id != nil {
		return id
	}
	for _, m := range p.service.Methods {
		if decl := p.pkg.method(m.GoName); decl != nil {
			return decl.Name
		}
	}
	return p.pkg.declared[newHandler]
}

// unasserted asks for the line that names the handler's type, if something is to be
// written for it: anything else that tells which type it is would be a guess.
func (p *planner) unasserted(begun *ast.Ident) {
	var missing []string
	if p.pkg.declared["New"] == nil {
		missing = append(missing, "New")
	}
	for _, m := range p.service.Methods {
		if p.pkg.method(m.GoName) == nil {
			missing = append(missing, m.GoName)
		}
	}
	if len(missing) == 0 {
		return
	}
	p.wrong = append(p.wrong, fmt.Sprintf("%s: no line says which type implements %s, so there is no stub of %s (add \"var _ %s = (*handler)(nil)\", with your type's name for handler)",
		p.pkg.position(begun), p.service.FullName, strings.Join(missing, ", "), p.file().ident(p.service.Server)))
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
