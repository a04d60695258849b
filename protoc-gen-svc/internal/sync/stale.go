package sync

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/printer"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
)

// stale reports what of the handler the contract has left behind: the method of an
// RPC whose messages or kind have changed, one that was an RPC, and a field that
// has the name of one. Code is read and not compiled, so nothing is said where a
// type's origin is not certain.
func (p *planner) stale() {
	rpcs := map[string]*model.Method{}
	for _, m := range p.service.Methods {
		rpcs[m.GoName] = m
	}
	for _, name := range slices.Sorted(maps.Keys(p.set.has)) {
		if decl := p.set.has[name]; decl != nil && ast.IsExported(name) {
			p.staleMethod(decl, rpcs[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.set.fields)) {
		if rpcs[name] != nil {
			p.wrong = append(p.wrong, fmt.Sprintf("%s: %s is a field of %s, and %s wants a method of this name (rename the field)",
				p.pkg.position(p.set.fields[name]), name, p.receiver, p.service.FullName))
		}
	}
}

// staleMethod compares a method with its RPC, nil if there is none of its name.
func (p *planner) staleMethod(decl *ast.FuncDecl, rpc *model.Method) {
	has, certain := p.shape(decl)
	switch {
	case !certain:
	case rpc == nil && p.servesMessages(has):
		p.notes = append(p.notes, fmt.Sprintf("%s: %s looks like an RPC, and %s has none of this name (delete it, or give it a name in lower case if it is yours)",
			p.pkg.position(decl.Name), decl.Name.Name, p.service.FullName))
	case rpc != nil && !slices.Contains(p.wanted(rpc), has):
		parameters, results, _ := p.file().signature(rpc)
		p.wrong = append(p.wrong, fmt.Sprintf("%s: %s has the signature %s, and %s wants func(%s) %s",
			p.pkg.position(decl.Name), decl.Name.Name, source(decl.Type), p.service.FullName, parameters, results))
	}
}

// wanted are the shapes that implement an RPC: with the generic types of streams,
// or with the names that protoc-gen-go-grpc gives them.
func (p *planner) wanted(m *model.Method) []string {
	in, out := goType(m.Input), goType(m.Output)
	alias := string(p.service.Server.GoImportPath) + "." + strings.TrimSuffix(p.service.Server.GoName, "Server") + "_" + m.GoName + "Server"
	switch m.Kind {
	case model.ServerStream:
		return []string{"*" + in + ", " + streamOf("Server", out) + ": error", "*" + in + ", " + alias + ": error"}
	case model.ClientStream:
		return []string{streamOf("Client", in, out) + ": error", alias + ": error"}
	case model.BidiStream:
		return []string{streamOf("Bidi", in, out) + ": error", alias + ": error"}
	default:
		return []string{"context.Context, *" + in + ": *" + out + ", error"}
	}
}

func goType(id protogen.GoIdent) string { return string(id.GoImportPath) + "." + id.GoName }

func streamOf(kind string, messages ...string) string {
	// ServerStreamingServer, ClientStreamingServer, BidiStreamingServer
	return grpcPath + "." + kind + "StreamingServer[" + strings.Join(messages, ", ") + "]"
}

// servesMessages reports whether a shape is that of a handler method, with a
// message or a stream of the service's Go package.
func (p *planner) servesMessages(shape string) bool {
	own := string(p.service.Server.GoImportPath) + "."
	unary := strings.HasPrefix(shape, "context.Context, *") && strings.HasSuffix(shape, ", error") && strings.Count(shape, ", ") == 2
	stream := strings.HasSuffix(shape, ": error") && (strings.Contains(shape, grpcPath+".") || strings.HasSuffix(shape, "Server: error"))
	return (unary || stream) && strings.Contains(shape, own)
}

// shape is a method's parameters and results with import paths for the names of
// packages: "context.Context, *example.com/shop/v1.Request: error".
func (p *planner) shape(decl *ast.FuncDecl) (text string, certain bool) {
	file := p.pkg.fileOf(decl)
	parameters, ok := p.fields(file, decl.Type.Params)
	results, alsoOK := p.fields(file, decl.Type.Results)
	return strings.Join(parameters, ", ") + ": " + strings.Join(results, ", "), ok && alsoOK
}

func (p *planner) fields(file *ast.File, list *ast.FieldList) (types []string, certain bool) {
	if list == nil {
		return nil, true
	}
	for _, f := range list.List {
		t, ok := p.resolve(file, f.Type)
		if !ok {
			return nil, false
		}
		for range max(1, len(f.Names)) {
			types = append(types, t)
		}
	}
	return types, true
}

// resolve is the text of a type with import paths, if all of it is certain.
func (p *planner) resolve(file *ast.File, expr ast.Expr) (string, bool) {
	switch e := expr.(type) {
	case *ast.Ident:
		return p.resolveName(file, e.Name)
	case *ast.StarExpr:
		t, ok := p.resolve(file, e.X)
		return "*" + t, ok
	case *ast.SelectorExpr:
		pkg, ok := e.X.(*ast.Ident)
		if !ok {
			return "", false
		}
		importPath := imported(file, pkg.Name, p.service.packages)
		return importPath + "." + e.Sel.Name, p.isContract(importPath)
	case *ast.IndexExpr:
		return p.instance(file, e.X, e.Index)
	case *ast.IndexListExpr:
		return p.instance(file, e.X, e.Indices...)
	}
	return "", false
}

// resolveName is the text of a type that is named without a package: predeclared,
// an alias of the handler package, or from a package that is imported with a dot.
func (p *planner) resolveName(file *ast.File, name string) (string, bool) {
	if t, ok := p.pkg.types[name]; ok && t.spec.Assign.IsValid() && t.spec.TypeParams == nil && !p.resolving[name] {
		p.resolving[name] = true
		defer delete(p.resolving, name)
		return p.resolve(t.file, t.spec.Type)
	}
	if p.pkg.declared[name] != nil {
		return name, false
	}
	if dotted := dotImports(file); len(dotted) == 1 && ast.IsExported(name) {
		return dotted[0] + "." + name, p.isContract(dotted[0])
	}
	return name, types.Universe.Lookup(name) != nil // no predeclared name is exported
}

func dotImports(file *ast.File) (paths []string) {
	for _, spec := range file.Imports {
		if importPath, err := strconv.Unquote(spec.Path.Value); err == nil && spec.Name != nil && spec.Name.Name == "." {
			paths = append(paths, importPath)
		}
	}
	return paths
}

// isContract reports whether a package is one that a handler's signature is made
// of, or was before the contract changed. A type of any other may be an alias of
// one that fits.
func (p *planner) isContract(importPath string) bool {
	return importPath == "context" || importPath == grpcPath || p.service.packages[importPath] != "" ||
		strings.HasPrefix(importPath, "google.golang.org/protobuf/types/known/")
}

func (p *planner) instance(file *ast.File, generic ast.Expr, arguments ...ast.Expr) (string, bool) {
	t, certain := p.resolve(file, generic)
	texts := make([]string, len(arguments))
	for i, a := range arguments {
		text, ok := p.resolve(file, a)
		texts[i], certain = text, certain && ok
	}
	return t + "[" + strings.Join(texts, ", ") + "]", certain
}

// fileOf is the file that has a declaration.
func (h *handlerPackage) fileOf(decl ast.Decl) *ast.File {
	i := slices.IndexFunc(h.files, func(f *ast.File) bool { return f.FileStart <= decl.Pos() && decl.Pos() < f.FileEnd })
	return h.files[i]
}

// position is "services/order/cancel.go:12:18".
func (h *handlerPackage) position(name *ast.Ident) string {
	return h.fset.Position(name.Pos()).String()
}

// source is a type as its author wrote it, on one line.
func source(t ast.Expr) string {
	var out bytes.Buffer
	_ = printer.Fprint(&out, token.NewFileSet(), t) // a buffer takes everything
	return strings.Join(strings.Fields(out.String()), " ")
}
