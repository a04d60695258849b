package sync

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/emit"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
)

const grpcPath = "google.golang.org/grpc"

// newHandler writes a handler that holds what it gets.
func (g *goFile) newHandler(s service, isFirst bool) {
	if isFirst {
		g.doc = "Package " + s.Handler.Name + " implements " + s.FullName + "."
	}
	deps := g.ident(s.Package.Ident(s.GoName + "Deps"))
	server := g.ident(s.Server)
	g.comment("Handler implements " + s.GoName + ".\n\n" + string(s.Comment))
	g.line("type Handler struct {\n\tdeps %s\n}\n", deps)
	g.line("var _ %s = (*Handler)(nil)\n", server)
	g.comment(newComment(s))
	g.line("func New(deps %s) (%s, error) {\n\treturn &Handler{deps: deps}, nil\n}", deps, server)
}

func newComment(s service) string {
	return "New returns the handler of the " + s.Name + " service. It runs before the\nservice is ready; an error ends the start."
}

// newStub writes a New for a handler whose type exists. How to make one is not
// known, so it says that it is not written: a handler without its parts would
// fail later, and not as clearly.
func (g *goFile) newStub(s service) {
	g.comment(newComment(s))
	g.line("func New(deps %s) (%s, error) {\n\treturn nil, %s(%q)\n}",
		g.ident(s.Package.Ident(s.GoName+"Deps")), g.ident(s.Server),
		g.ident(protogen.GoIdent{GoImportPath: "errors", GoName: "New"}), "New of the handler of "+s.FullName+" is not implemented yet")
}

// migrations embeds the folder of the schema.
func (g *goFile) migrations(s service) {
	embed := g.ident(protogen.GoIdent{GoImportPath: "embed", GoName: "FS"})
	sub := g.ident(protogen.GoIdent{GoImportPath: "io/fs", GoName: "Sub"})
	files := g.unused("migrationFiles")
	g.line("//go:embed migrations/*.sql\nvar %s %s\n", files, embed)
	g.comment("Migrations is the schema of the database of the " + s.Name + " service, one\nfile for each version, applied in order at start. The only error of fs.Sub is a\npath that is not valid.")
	g.line("var Migrations, _ = %s(%s, %q)", sub, files, "migrations")
}

// firstMigration is a first version without a table, since a folder without a
// file cannot be embedded.
func firstMigration(s service) []byte {
	return []byte("-- The first version of the schema of the " + s.Name + " service. Once a service has\n" +
		"-- started with it, leave it as it is and add 0002_what_changes.sql.\n")
}

// stub writes a method that answers UNIMPLEMENTED.
func (g *goFile) stub(m *model.Method, receiver string) {
	name, _, _ := strings.Cut(receiver, " ")
	g.reserve(name)
	parameters, results, values := g.signature(m)
	failed := fmt.Sprintf("%s(%s, %q)",
		g.ident(protogen.GoIdent{GoImportPath: grpcPath + "/status", GoName: "Error"}),
		g.ident(protogen.GoIdent{GoImportPath: grpcPath + "/codes", GoName: "Unimplemented"}),
		m.GoName+" is not implemented yet")
	g.comment(string(m.Doc()))
	g.line("func (%s) %s(%s) %s {\n\treturn %s%s\n}", receiver, m.GoName, parameters, results, values, failed)
}

// signature is that of the interface which protoc-gen-go-grpc generates.
func (g *goFile) signature(m *model.Method) (parameters, results, values string) {
	stream := func(kind string, messages ...string) string {
		return "stream " + g.ident(protogen.GoIdent{GoImportPath: grpcPath, GoName: kind}) + "[" + strings.Join(messages, ", ") + "]"
	}
	in, out := g.ident(m.Input), g.ident(m.Output)
	switch m.Kind {
	case model.ServerStream:
		return "req *" + in + ", " + stream("ServerStreamingServer", out), "error", ""
	case model.ClientStream:
		return stream("ClientStreamingServer", in, out), "error", ""
	case model.BidiStream:
		return stream("BidiStreamingServer", in, out), "error", ""
	default:
		ctx := g.ident(protogen.GoIdent{GoImportPath: "context", GoName: "Context"})
		return "ctx " + ctx + ", req *" + in, "(*" + out + ", error)", "nil, "
	}
}

// comment writes text as a comment.
func (g *goFile) comment(text string) {
	g.line("%s", emit.Comment("// ", model.Comment(strings.TrimSpace(text))))
}
