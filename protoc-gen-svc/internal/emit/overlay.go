package emit

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/typecheck"
)

// Overlay is what a plugin of a team's own changes.
type Overlay struct {
	// Templates has templates at the paths of ours, which they replace, partials
	// that take the place of ours or are new, and the templates of Files. It
	// may be nil.
	Templates fs.FS
	Files     []File
}

// File is one more output for each service.
type File struct {
	// Template is the path of its template, Path a template of where it goes.
	// For a service whose Path is empty, nothing is written.
	Template, Path string
}

// Names are the paths of the templates of overlays, sorted.
func Names(overlays []Overlay) ([]string, error) {
	names := map[string]bool{}
	for _, o := range overlays {
		if o.Templates == nil {
			continue
		}
		err := fs.WalkDir(o.Templates, ".", func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				names[name] = true
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}

// partials is what the files are called that have no output.
const partials = "partials.tmpl"

// Data returns the type of the data of every template that has an output.
func Data() map[string]reflect.Type {
	data := map[string]reflect.Type{}
	for _, o := range services {
		data[o.template] = reflect.TypeFor[*model.Service]()
	}
	for _, o := range errorEnums {
		data[o.template] = reflect.TypeFor[*model.ErrorEnum]()
	}
	for _, o := range documents {
		data[o.template] = reflect.TypeFor[*model.Document]()
	}
	for _, o := range systems {
		data[o.template] = reflect.TypeFor[*model.System]()
	}
	return data
}

// Check checks overlays as System does, without a contract.
func Check(templates fs.FS, overlays ...Overlay) error {
	_, err := newWriter(templates, overlays)
	return err
}

// layering puts overlays over the templates and collects all that is wrong with
// them.
type layering struct {
	templates *template.Template
	data      map[string]reflect.Type
	executed  map[string]reflect.Type // by funcs, with the type of their data
	files     []File
	defined   map[string]bool // in overlays
	faults    []string
}

// layer returns the files that overlays add.
func layer(templates *template.Template, overlays []Overlay) ([]File, error) {
	l := &layering{templates: templates, data: Data(), executed: executed(templates), defined: map[string]bool{}}
	for _, o := range overlays {
		l.declare(o.Files)
	}
	for _, o := range overlays {
		if o.Templates != nil {
			l.read(o.Templates)
		}
	}
	for _, f := range l.files {
		if l.templates.Lookup(f.Template) == nil {
			l.fault("%s: no overlay has this template", f.Template)
		}
	}
	if len(l.faults) == 0 {
		l.check()
	}
	return l.files, l.err()
}

func (l *layering) fault(format string, args ...any) {
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

func (l *layering) err() error {
	switch n := len(l.faults); n {
	case 0:
		return nil
	case 1:
		return errors.New("1 fault in the templates:\n" + l.faults[0])
	default:
		return fmt.Errorf("%d faults in the templates:\n%s", n, strings.Join(l.faults, "\n"))
	}
}

// declare makes room for outputs that are not in the tables.
func (l *layering) declare(files []File) {
	for _, f := range files {
		if l.data[f.Template] != nil {
			l.fault("%s: there is an output of this template already", f.Template)
			continue
		}
		l.data[f.Template] = reflect.TypeFor[*model.Service]()
		l.files = append(l.files, f)
		t, err := l.templates.New(pathName(f.Template)).Parse(f.Path)
		if err != nil {
			l.fault("%s", typecheck.ParseError(err))
			continue
		}
		l.data[t.Name()] = l.data[f.Template]
	}
}

// pathName is the name of the template of a file's path.
func pathName(file string) string { return "path of " + file }

func (l *layering) read(overlay fs.FS) {
	defined := map[string]string{}
	err := fs.WalkDir(overlay, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if l.data[name] == nil && path.Base(name) != partials {
			l.unknown(name)
			return nil
		}
		text, err := fs.ReadFile(overlay, name)
		if err != nil {
			return err
		}
		l.parse(name, string(text), defined)
		return nil
	})
	if err != nil {
		l.fault("%v", err)
	}
}

// unknown reports a file that nothing would be made of.
func (l *layering) unknown(name string) {
	var names []string
	for known := range l.data {
		if folder, ok := strings.CutSuffix(name, "/"+known); ok {
			l.fault("%s: there is no template of this name (want %q: take the folder off with fs.Sub(files, %q))", name, known, folder)
			return
		}
		names = append(names, known)
	}
	slices.Sort(names)
	l.fault("%s: there is no template of this name%s", name, fault.DidYouMean(name, names))
}

// parse adds what a file defines. In defined are the names that other files of
// the overlay have taken.
func (l *layering) parse(name, text string, defined map[string]string) {
	file, err := template.New(name).Funcs(allFuncs()).Parse(text)
	if err != nil {
		l.fault("%s", typecheck.ParseError(err))
		return
	}
	l.version(name, file.Root)
	for _, t := range file.Templates() {
		if other, twice := defined[t.Name()]; twice {
			l.fault("%s: %q is defined in %s too, and definitions hold for all templates", name, t.Name(), other)
		}
		defined[t.Name()] = name
		l.put(t)
		if t.Name() != name {
			l.defined[t.Name()] = true
		}
	}
	if path.Base(name) != partials && parse.IsEmptyTree(file.Root) {
		l.fault("%s: the template is empty", name)
	}
}

// put replaces a template. [template.Template.AddParseTree] would not replace
// one by one that is empty.
func (l *layering) put(t *template.Template) {
	if old := l.templates.Lookup(t.Name()); old != nil {
		old.Tree = t.Tree
		return
	}
	_, err := l.templates.AddParseTree(t.Name(), t.Tree)
	if err != nil {
		l.fault("%v", err)
	}
}

// check finds what no template has or uses.
func (l *layering) check() {
	c := typecheck.Checker{Templates: l.templates, Funcs: allFuncs()}
	for _, name := range slices.Sorted(maps.Keys(l.data)) {
		c.Check(name, l.data[name])
	}
	for _, name := range slices.Sorted(maps.Keys(l.executed)) {
		c.Check(name, l.executed[name])
	}
	l.faults = c.Faults()
	var called []string
	for _, t := range l.templates.Templates() {
		if l.uses(&c, t.Name()) {
			called = append(called, t.Name())
		}
	}
	slices.Sort(called)
	for _, name := range slices.Sorted(maps.Keys(l.defined)) {
		if !l.uses(&c, name) && l.data[name] == nil {
			l.fault("%s: no template uses %q%s", l.templates.Lookup(name).ParseName, name, fault.DidYouMean(name, called))
		}
	}
}

// uses reports whether a template or a func executes the template of a name.
func (l *layering) uses(c *typecheck.Checker, name string) bool {
	_, executed := l.executed[name]
	return executed || c.Called(name)
}
