package sync

import (
	"fmt"
	"go/ast"
	"regexp"
	"slices"
	"strings"
)

func renameReceiver(u *user, files []*userFile) string {
	f, m := u.method(files)
	if m == nil {
		return ""
	}
	names := []string{"s", "srv", "_", "", "grpc", "context"}
	if body := f.text[f.offset(m.Body.Pos()):f.offset(m.Body.End())]; !strings.Contains(body, "status.") {
		names = []string{"status", "codes"} // which stubs of other methods need for themselves
	}
	name, recv := pick(u.Rand, names), m.Recv.List[0]
	save(u.t, f.name, f.rewritten(replacement{f.offset(m.Recv.Opening) + 1, f.offset(recv.Type.Pos()), name + " "}))
	return fmt.Sprintf("name the receiver of %s %q", m.Name.Name, name)
}

func importsDot(f *userFile) bool {
	return slices.ContainsFunc(f.ast.Imports, func(s *ast.ImportSpec) bool { return s.Name != nil && s.Name.Name == "." })
}

func renameType(u *user, files []*userFile) string {
	name := fmt.Sprintf("handler%d", u.number())
	for _, f := range files {
		save(u.t, f.name, f.rewritten(f.idents(u.handler, name)...))
	}
	old := u.handler
	u.handler = name
	return "rename type " + old + " to " + name
}

// idents renames an identifier wherever it is not behind a dot, and is not the
// name of a method.
func (f *userFile) idents(old, name string) []replacement {
	var parts []replacement
	rename := func(id *ast.Ident) {
		if id.Name == old {
			parts = append(parts, replacement{f.offset(id.Pos()), f.offset(id.End()), name})
		}
	}
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			ast.Inspect(n.X, visit)
			return false
		case *ast.FuncDecl:
			if n.Recv != nil {
				ast.Inspect(n.Recv, visit)
			}
			ast.Inspect(n.Type, visit)
			ast.Inspect(n.Body, visit)
			return false
		case *ast.Ident:
			rename(n)
		}
		return true
	}
	ast.Inspect(f.ast, visit)
	return parts
}

func valueReceivers(u *user, files []*userFile) string {
	f, m := u.method(files)
	if m == nil {
		return ""
	}
	star, ok := m.Recv.List[0].Type.(*ast.StarExpr)
	if !ok {
		return ""
	}
	save(u.t, f.name, f.rewritten(replacement{f.offset(star.Star), f.offset(star.X.Pos()), ""}))
	return "take the star from the receiver of " + m.Name.Name
}

func renameImport(u *user, files []*userFile) string {
	f := pick(u.Rand, files)
	if !strings.Contains(f.text, "shopv1.") {
		return ""
	}
	save(u.t, f.name, regexp.MustCompile(`\bshopv1\.`).ReplaceAllString(f.text, "pb."))
	return "import shopv1 as pb in " + f.name
}

func dotImport(u *user, files []*userFile) string {
	f := pick(u.Rand, files)
	if !strings.Contains(f.text, "shopv1.") || importsDot(f) {
		return ""
	}
	clause := f.offset(f.ast.Name.End())
	text := f.rewritten(replacement{clause, clause, fmt.Sprintf("\n\nimport . %q\n", goPackage)})
	save(u.t, f.name, regexp.MustCompile(`\bshopv1\.`).ReplaceAllString(text, ""))
	return "import shopv1 with a dot in " + f.name
}

// aliasMessage gives a message a name of the handler package.
func aliasMessage(u *user, files []*userFile) string {
	f, m := u.method(files)
	if m == nil {
		return ""
	}
	start, end := f.offset(m.Type.Params.Pos()), f.offset(m.Type.Params.End())
	found := regexp.MustCompile(`\*((?:shopv1|pb)\.\w+)`).FindStringSubmatchIndex(f.text[start:end])
	if found == nil {
		return ""
	}
	name := fmt.Sprintf("alias%d", u.number())
	part := replacement{start + found[2], start + found[3], name}
	message := f.text[part.start:part.end]
	save(u.t, f.name, f.rewritten(part)+"\ntype "+name+" = "+message+"\n")
	return "call " + message + " " + name + " in " + m.Name.Name
}

// aliasStream uses the name of a stream that protoc-gen-go-grpc generates.
func aliasStream(u *user, files []*userFile) string {
	f, m := u.method(files)
	if m == nil || importsDot(f) {
		return ""
	}
	for _, p := range m.Type.Params.List {
		switch p.Type.(type) {
		case *ast.IndexExpr, *ast.IndexListExpr:
			save(u.t, f.name, f.rewritten(replacement{f.offset(p.Type.Pos()), f.offset(p.Type.End()), "shopv1.ShopService_" + m.Name.Name + "Server"}))
			return "use the generated name of the stream in " + m.Name.Name
		}
	}
	return ""
}
