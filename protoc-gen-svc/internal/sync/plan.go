package sync

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
)

// newFile is a file to create.
type newFile struct {
	path, what string
	content    []byte
}

// planned is what a handler package lacks.
type planned struct {
	files []newFile
	// notes are about what sync must leave to the author.
	notes []string
	// wrong are methods and a New that do not fit the contract, fields in the place
	// of one, and a handler whose type nothing names, which the author must mend.
	wrong []string
}

// plan compares a service with the handler package in dir. Its order is that in
// which a reader meets the files: the handler, its schema, its methods.
func plan(s service, dir string) (planned, error) {
	h, err := readHandler(dir)
	if err != nil {
		return planned{}, err
	}
	p := &planner{service: s, pkg: h, resolving: map[string]bool{}}
	p.receiver = p.asserted()
	if h.name == "" {
		h.name = s.Handler.Name
	}
	p.handler()
	if s.Database != nil && h.declared["Migrations"] == nil {
		p.migrations()
	}
	p.set = h.methodSet(p.receiver, s)
	p.methods()
	p.staleNew()
	p.stale()
	return p.planned, p.err
}

// planner is the state of one plan.
type planner struct {
	service  service
	pkg      *handlerPackage
	receiver string
	set      methodSet // of the receiver, as the author left it
	// resolving are the aliases that are being followed, which may be a cycle.
	resolving map[string]bool
	planned
	err error
}

// newHandler is the name of the type of a new handler.
const newHandler = "Handler"

// handler plans the file with the handler type and New, of which either may
// exist already.
func (p *planner) handler() {
	begun, g := p.begun(), p.file()
	switch {
	case p.receiver == "" && begun != nil:
		p.unasserted(begun)
	case p.receiver == "":
		p.receiver = newHandler
		g.newHandler(p.service, len(p.pkg.files) == 0)
		p.add(p.pkg.free(p.pkg.name), "handler of "+p.service.FullName, g)
	case p.pkg.declared["New"] == nil:
		g.newStub(p.service)
		p.add(p.pkg.free("new"), "stub of New", g)
	}
}

// migrations plans the variable that main wants of a service with a database,
// and a first version of the schema where there is none.
func (p *planner) migrations() {
	g := p.file()
	g.migrations(p.service)
	p.add(p.pkg.free("migrations"), "schema of the database, embedded", g)
	folder := filepath.Join(p.pkg.dir, "migrations")
	if found, _ := fs.Glob(os.DirFS(folder), "*.sql"); len(found) == 0 {
		p.files = append(p.files, newFile{filepath.Join(folder, "0001_init.sql"), "first version of the schema, empty", firstMigration(p.service)})
	}
}

// methods plans a file for each RPC that the handler does not have.
func (p *planner) methods() {
	if p.receiver == "" {
		return // the author must say first which type the handler is
	}
	missing := slices.DeleteFunc(slices.Clone(p.service.Methods), func(m *model.Method) bool {
		_, has := p.set.has[m.GoName]
		return has || p.set.fields[m.GoName] != nil
	})
	switch {
	case len(missing) == 0:
	case len(p.set.unseen) > 0:
		p.note("%s embeds %s, whose methods are not known here, so there is no stub of %s", p.receiver, strings.Join(p.set.unseen, " and "), goNames(missing))
	default:
		for _, m := range missing {
			g := p.file()
			g.stub(m, p.pkg.receiverText(p.receiver))
			p.add(p.pkg.free(fileStem(m.GoName)), "stub of "+m.GoName, g)
		}
	}
}

// file is an empty file of the package.
func (p *planner) file() *goFile {
	return newGoFile(p.pkg.name, p.service.packages, slices.Collect(maps.Keys(p.pkg.declared)))
}

func (p *planner) add(name, what string, g *goFile) {
	content, err := g.format()
	if err != nil {
		p.err = fmt.Errorf("%s: %w", filepath.Join(p.pkg.dir, name), err)
		return
	}
	p.files = append(p.files, newFile{filepath.Join(p.pkg.dir, name), what, content})
}

func (p *planner) note(format string, args ...any) {
	p.notes = append(p.notes, p.pkg.dir+": "+fmt.Sprintf(format, args...))
}

func goNames(methods []*model.Method) string {
	names := make([]string, len(methods))
	for i, m := range methods {
		names[i] = m.GoName
	}
	return strings.Join(names, ", ")
}
