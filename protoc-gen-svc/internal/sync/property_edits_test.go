package sync

import (
	"fmt"
	"go/ast"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// user is a person at work on the handler package.
type user struct {
	*rand.Rand
	t       *testing.T
	handler string // the name of the handler's type
	serial  int
}

// edit is one way in which people edit. It says what it did; "" is nothing. No
// edit breaks code that compiles.
type edit func(*user, []*userFile) string

var edits = []edit{
	addFunc, addComment, turnDecls, renameReceiver, moveMethod, moveMethod, renameType, valueReceivers, changeNew, embedPart,
	renameImport, dotImport, fillBody, fillBody, addFake, deleteMethod, addField, addHelper, aliasMessage, aliasStream, dropNew,
}

func (u *user) number() int { u.serial++; return u.serial }

// method picks one of the handler's methods.
func (u *user) method(files []*userFile) (*userFile, *ast.FuncDecl) {
	type found struct {
		file *userFile
		decl *ast.FuncDecl
	}
	var all []found
	for _, f := range files {
		for _, m := range f.methods(u.handler) {
			all = append(all, found{f, m})
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	m := pick(u.Rand, all)
	return m.file, m.decl
}

// members are all names of methods and fields of the handler and its parts. Of
// fakes, the handler has nothing.
func members(files []*userFile) map[string]bool {
	names := map[string]bool{}
	for _, f := range files {
		for _, d := range f.ast.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Recv != nil && !strings.HasPrefix(typeName(d.Recv.List[0].Type), "fake") {
				names[d.Name.Name] = true
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if s, ok := n.(*ast.StructType); ok {
				for _, field := range s.Fields.List {
					for _, name := range field.Names {
						names[name.Name] = true
					}
				}
			}
			return true
		})
	}
	return names
}

func addFunc(u *user, files []*userFile) string {
	f := pick(u.Rand, files)
	name := fmt.Sprintf("helper%d", u.number())
	save(u.t, f.name, f.text+fmt.Sprintf("\n// %s helps.\nfunc %[1]s(n int) int { return n + %d }\n", name, u.IntN(100)))
	return "add func " + name + " to " + f.name
}

func addComment(u *user, files []*userFile) string {
	f := pick(u.Rand, files)
	start := len(f.text)
	if decls := slices.DeleteFunc(slices.Clone(f.ast.Decls), isImport); len(decls) > 0 {
		start, _ = f.span(pick(u.Rand, decls))
	}
	text := pick(u.Rand, []string{"// A remark.\n\n", "/* func (h *Handler) Ship() */\n\n", "//\n\n", "// Größe: 世界 {{.}} `x`\n\n"})
	save(u.t, f.name, f.rewritten(replacement{start, start, text}))
	return "add a comment to " + f.name
}

func turnDecls(u *user, files []*userFile) string {
	f := pick(u.Rand, files)
	decls := slices.DeleteFunc(slices.Clone(f.ast.Decls), isImport)
	if len(decls) < 2 {
		return ""
	}
	i := u.IntN(len(decls) - 1)
	a, b := decls[i], decls[i+1]
	aStart, aEnd := f.span(a)
	bStart, bEnd := f.span(b)
	save(u.t, f.name, f.rewritten(replacement{aStart, aEnd, f.text[bStart:bEnd]}, replacement{bStart, bEnd, f.text[aStart:aEnd]}))
	return fmt.Sprintf("swap declarations %d and %d of %s", i, i+1, f.name)
}

func isImport(d ast.Decl) bool {
	g, ok := d.(*ast.GenDecl)
	return ok && g.Tok.String() == "import"
}

func moveMethod(u *user, files []*userFile) string {
	f, m := u.method(files)
	if m == nil || importsDot(f) {
		return ""
	}
	start, end := f.span(m)
	moved := f.text[start:end]
	name := handlerDir + "/" + pick(u.Rand, []string{"ship.go", "order.go", "cancel.go", "watch_rpc.go", "Order.go", "all.go", "new.go", "migrations.go"})
	into := "package shop\n"
	for _, other := range files {
		if strings.EqualFold(other.name, name) {
			name, into = other.name, other.text
		}
	}
	if name == f.name {
		return ""
	}
	save(u.t, f.name, f.rewritten(replacement{start, end, ""}))
	save(u.t, name, into+"\n"+moved+"\n")
	return fmt.Sprintf("move %s from %s to %s", m.Name.Name, f.name, name)
}

// changeNew writes New in another way.
func changeNew(u *user, files []*userFile) string {
	f, d := function(files, "New")
	if d == nil || importsDot(f) {
		return ""
	}
	start, end := f.span(d)
	const head = "func New(deps shopv1svc.ShopServiceDeps) (shopv1.ShopServiceServer, error) {\n"
	n := u.number()
	text := pick(u.Rand, []string{
		head + "\treturn &%[1]s{}, nil\n}",
		head + "\th := &%[1]s{}\n\th2 := h\n\treturn h2, nil\n}",
		head + "\tvar h *%[1]s = new(%[1]s)\n\treturn h, nil\n}",
		head + "\treturn make%[2]d(deps), nil\n}\n\nfunc make%[2]d(shopv1svc.ShopServiceDeps) *%[1]s { return &%[1]s{} }",
	})
	save(u.t, f.name, f.rewritten(replacement{start, end, fmt.Sprintf(text, u.handler, n)}))
	return "write New in another way"
}

// function finds one without receiver.
func function(files []*userFile, name string) (*userFile, *ast.FuncDecl) {
	for _, f := range files {
		for _, d := range f.ast.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Recv == nil && d.Name.Name == name {
				return f, d
			}
		}
	}
	return nil, nil
}

// structType finds the struct of the handler.
func structType(files []*userFile, name string) (*userFile, *ast.StructType) {
	for _, f := range files {
		for _, d := range f.ast.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range g.Specs {
				if s, ok := spec.(*ast.TypeSpec); ok && s.Name.Name == name {
					typ, _ := s.Type.(*ast.StructType)
					return f, typ
				}
			}
		}
	}
	return nil, nil
}

// embedPart moves a method to a type that the handler embeds.
func embedPart(u *user, files []*userFile) string {
	f, m := u.method(files)
	owner, typ := structType(files, u.handler)
	if m == nil || typ == nil {
		return ""
	}
	part := fmt.Sprintf("part%d", u.number())
	receiver := replacement{f.offset(m.Recv.Opening) + 1, f.offset(m.Recv.Closing), part}
	declared := fmt.Sprintf("\n\t%s\n", part)
	field := replacement{f.offset(typ.Fields.Opening) + 1, f.offset(typ.Fields.Opening) + 1, declared}
	after := fmt.Sprintf("\ntype %s struct{}\n", part)
	if owner == f {
		save(u.t, f.name, f.rewritten(receiver, field)+after)
	} else {
		field.start = owner.offset(typ.Fields.Opening) + 1
		field.end = field.start
		save(u.t, owner.name, owner.rewritten(field)+after)
		save(u.t, f.name, f.rewritten(receiver))
	}
	return "move " + m.Name.Name + " to the embedded type " + part
}

// fillBody writes a body and, sometimes, leaves out the names of the parameters.
func fillBody(u *user, files []*userFile) string {
	f, m := u.method(files)
	if m == nil {
		return ""
	}
	parts := []replacement{{f.offset(m.Body.Lbrace), f.offset(m.Body.Rbrace) + 1, fmt.Sprintf("{\n\t// %d\n\tpanic(\"to do\")\n}", u.number())}}
	if u.IntN(2) == 0 {
		for _, p := range m.Type.Params.List {
			if len(p.Names) == 1 {
				parts = append(parts, replacement{f.offset(p.Names[0].Pos()), f.offset(p.Type.Pos()), ""})
			}
		}
	}
	save(u.t, f.name, f.rewritten(parts...))
	return "fill in " + m.Name.Name
}

func addFake(u *user, files []*userFile) string {
	f := pick(u.Rand, files)
	name := fmt.Sprintf("fake%d", u.number())
	text := "\ntype " + name + " struct{}\n"
	for _, rpc := range rpcNames {
		text += fmt.Sprintf("\nfunc (%s) %s() {}\n", name, rpc)
	}
	save(u.t, f.name, f.text+text)
	return "add a type " + name + " with methods of the names of RPCs"
}

func deleteMethod(u *user, files []*userFile) string {
	f, m := u.method(files)
	if m == nil {
		return ""
	}
	start, end := f.span(m)
	save(u.t, f.name, f.rewritten(replacement{start, end, ""}))
	return "delete " + m.Name.Name
}

// freeMember is a name of an RPC that the handler does not have.
func freeMember(u *user, files []*userFile) string {
	has := members(files)
	free := slices.DeleteFunc(slices.Clone(rpcNames), func(name string) bool { return has[name] })
	if len(free) == 0 {
		return ""
	}
	return pick(u.Rand, free)
}

func addField(u *user, files []*userFile) string {
	f, typ := structType(files, u.handler)
	name := freeMember(u, files)
	if typ == nil || name == "" {
		return ""
	}
	at := f.offset(typ.Fields.Opening) + 1
	save(u.t, f.name, f.rewritten(replacement{at, at, "\n\t" + name + " int\n"}))
	return "add a field " + name
}

func addHelper(u *user, files []*userFile) string {
	name := freeMember(u, files)
	if _, typ := structType(files, u.handler); typ == nil || name == "" {
		return ""
	}
	f := pick(u.Rand, files)
	save(u.t, f.name, f.text+fmt.Sprintf("\nfunc (h *%s) %s(n int) int { return n }\n", u.handler, name))
	return "add a method " + name + " that is no RPC"
}

// dropNew deletes New, and an empty file with it.
func dropNew(u *user, files []*userFile) string {
	f, d := function(files, "New")
	if d == nil || u.IntN(3) > 0 {
		return ""
	}
	start, end := f.span(d)
	save(u.t, f.name, f.rewritten(replacement{start, end, ""}))
	if left := parseUser(u.t, f.name, f.rewritten(replacement{start, end, ""})); len(slices.DeleteFunc(left.ast.Decls, isImport)) == 0 {
		if err := os.Remove(f.name); err != nil {
			u.t.Fatal(err)
		}
	}
	return "delete New"
}
