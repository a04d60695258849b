package sync

import (
	"fmt"
	"go/ast"
)

// staleNew reports a New that the generated main cannot take. It is handed over as a
// value, so its types must be the wanted ones and not only fit them.
func (p *planner) staleNew() {
	decl := p.pkg.funcs["New"]
	if decl == nil {
		return // a variable, of whatever type, or not there
	}
	service := p.service
	deps, server := service.Package.Ident(service.GoName+"Deps"), service.Server
	if p.differ(decl, decl.Type.Params, goType(deps)) || p.differ(decl, decl.Type.Results, goType(server), "error") {
		g := p.file()
		p.wrong = append(p.wrong, fmt.Sprintf("%s: New has the signature %s, and the generated main wants func(deps %s) (%s, error)",
			p.pkg.position(decl.Name), source(decl.Type), g.ident(deps), g.ident(server)))
	}
}

// differ reports whether the types of a list are certainly not the wanted ones.
func (p *planner) differ(decl *ast.FuncDecl, list *ast.FieldList, wanted ...string) bool {
	if list.NumFields() != len(wanted) {
		return true
	}
	i := 0
	for _, field := range list.List {
		for range max(1, len(field.Names)) {
			if p.differs(p.pkg.fileOf(decl), field.Type, wanted[i]) {
				return true
			}
			i++
		}
	}
	return false
}

// differs reports whether a type is certainly another one: of known origin, a
// pointer, of which none is wanted, or defined in the handler package.
func (p *planner) differs(file *ast.File, expr ast.Expr, wanted string) bool {
	if has, certain := p.resolve(file, expr); certain {
		return has != wanted
	}
	switch e := expr.(type) {
	case *ast.StarExpr:
		return true
	case *ast.Ident:
		own, ok := p.pkg.types[e.Name]
		return ok && !own.spec.Assign.IsValid()
	}
	return false
}
