package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// runner is the program that starts services, each with its own config.yaml, and
// asks them for their health and for an RPC. The plugin's own tests use it too.
const runner = "protoc-gen-svc/testdata/runner/main.go"

// start links the services of many corpora into one binary and runs it: what two
// packages register under one name, and routes that cannot be registered, only show when
// a process starts. One binary for each main would take minutes to link and find no more.
// A corpus that has failed already is left out.
func (w *workshop) start(r *report) error {
	var sound []corpus
	for _, c := range w.corpora {
		if !r.failed(c.name) {
			sound = append(sound, c)
		}
	}
	inParallel(w.groups(sound), func(g *group) {
		if w.startAll(g.corpora) == nil {
			return
		}
		for _, c := range g.corpora { // whose fault it is
			if err := w.startAll([]corpus{c}); err != nil {
				r.fail(c.name, "", "%s", said(err))
			}
		}
	})
	return nil
}

func (w *workshop) startAll(corpora []corpus) error {
	dir := w.path("module", corpora[0].name, "runner")
	table, err := w.table(corpora)
	if err != nil || table == "" {
		return err
	}
	err = errors.Join(
		copyFile(filepath.Join(w.repository, runner), filepath.Join(dir, "main.go")),
		writeFile(filepath.Join(dir, "services.go"), []byte(table)),
	)
	if err != nil {
		return err
	}
	binary := w.path("bin", "runner-"+corpora[0].name)
	defer os.Remove(binary)
	if _, err := command(dir, nil, "go", "build", "-ldflags=-s -w", "-o", binary, "."); err != nil {
		return err
	}
	_, err = command(dir, nil, binary)
	return err
}

// table is the runner's table of services, written from the mains; empty without any.
func (w *workshop) table(corpora []corpus) (string, error) {
	var rows strings.Builder
	aliases := map[string]string{}
	for _, c := range corpora {
		mains, err := filepath.Glob(w.path("module", c.name, "deploy", "*", "cmd", "*", "main.go"))
		if err != nil {
			return "", err
		}
		for _, name := range mains {
			if err := w.row(&rows, aliases, c, name); err != nil {
				return "", err
			}
		}
	}
	if rows.Len() == 0 {
		return "", nil
	}
	var imports strings.Builder
	for _, path := range slices.Sorted(maps.Keys(aliases)) {
		fmt.Fprintf(&imports, "\t%s %q\n", aliases[path], path)
	}
	return "package main\n\nimport (\n" + imports.String() + ")\n\nvar services = []generated{\n" + rows.String() + "}\n", nil
}

// row writes the service of a main.
func (w *workshop) row(rows *strings.Builder, aliases map[string]string, c corpus, name string) error {
	m, err := readMain(name)
	if err != nil {
		return err
	}
	if aliases[m.path] == "" {
		aliases[m.path] = "p" + strconv.Itoa(len(aliases))
	}
	unary, err := w.unary(c, m.fullName)
	if err != nil {
		return err
	}
	fmt.Fprintf(rows, "\t{%[1]s.%[2]s(%[1]s.Unimplemented%[2]s), %[3]q, %[4]q},\n",
		aliases[m.path], m.service, filepath.Join(filepath.Dir(name), "..", "..", "config.yaml"), unary)
	return nil
}

// mainFile is what the main of a service says: svc.Main(PACKAGE.SERVICE(...)).
type mainFile struct{ path, service, fullName string }

var runs = regexp.MustCompile(`(?m)^Command \S+ runs (\S+)\.$`)

func readMain(name string) (m mainFile, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
	if err != nil {
		return m, err
	}
	about := runs.FindStringSubmatch(file.Doc.Text())
	library := ""
	ast.Inspect(file, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && m.service == "" {
			if arg, ok := call.Args[0].(*ast.CallExpr); ok {
				selector := arg.Fun.(*ast.SelectorExpr)
				library, m.service = selector.X.(*ast.Ident).Name, selector.Sel.Name
			}
		}
		return true
	})
	for _, i := range file.Imports {
		if i.Name != nil && i.Name.Name == library {
			m.path, err = strconv.Unquote(i.Path.Value)
		}
	}
	if about == nil || m.path == "" {
		return m, fmt.Errorf("%s is not the main of a service", name)
	}
	m.fullName = about[1]
	return m, err
}

// unary is a unary method of a service as it is called on the wire, empty if
// there is none that takes an empty request.
func (w *workshop) unary(c corpus, service string) (string, error) {
	d, err := w.files[c.name].FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return "", err
	}
	methods := d.(protoreflect.ServiceDescriptor).Methods()
	for i := range methods.Len() {
		m := methods.Get(i)
		if !m.IsStreamingClient() && !m.IsStreamingServer() && m.Input().RequiredNumbers().Len() == 0 {
			return "/" + service + "/" + string(m.Name()), nil
		}
	}
	return "", nil
}
