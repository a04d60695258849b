package emit

import (
	"bytes"
	"fmt"
	"go/parser"
	"go/printer"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/imports"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/layout"
)

// goFile is a file of Go. protogen gives the packages their names and would format the
// file too, but in twice the memory, and with what only compilers ask of a parser.
type goFile struct {
	path    string
	names   *protogen.GeneratedFile
	imports map[string]string // the names by path
	after   bytes.Buffer      // what follows the text of the template
	loose   bool              // whether the text may have any layout, as those of overlays
}

// newGoFile is a file without text. The one of protogen belongs to a plugin of its own, a
// copy, since plugins keep all their files.
func newGoFile(path string, pkg protogen.GoImportPath) *goFile {
	plugin := *noFiles()
	return &goFile{path: path, names: plugin.NewGeneratedFile(path, pkg), imports: map[string]string{}}
}

// noFiles is a plugin before its first file.
var noFiles = sync.OnceValue(func() *protogen.Plugin {
	plugin, err := protogen.Options{}.New(&pluginpb.CodeGeneratorRequest{})
	if err != nil {
		panic(err) // nothing was asked for
	}
	return plugin
})

// QualifiedGoIdent names an identifier, and imports its package.
func (f *goFile) QualifiedGoIdent(id protogen.GoIdent) string {
	name := f.names.QualifiedGoIdent(id)
	if pkg, _, other := strings.Cut(name, "."); other {
		f.imports[string(imports.Path(id.GoImportPath))] = pkg
	}
	return name
}

// P writes a line after the text of the template.
func (f *goFile) P(parts ...any) {
	for _, part := range parts {
		fmt.Fprint(&f.after, part)
	}
	f.after.WriteByte('\n')
}

// format returns the file as gofmt would have it: the text of its template with the
// imports, and what follows.
func (f *goFile) format(text []byte) ([]byte, error) {
	text = append(text, f.after.Bytes()...)
	files := token.NewFileSet()
	head, err := parser.ParseFile(files, "", text, parser.PackageClauseOnly)
	if err == nil && len(f.imports) > 0 {
		text = f.insert(text, files.Position(head.Name.End()).Offset)
	}
	if err == nil && !f.loose {
		if out, ok := layout.Go(text); ok {
			return out, nil
		}
	}
	file, err := parser.ParseFile(files, "", text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("%s: unparsable Go source: %w\n%s", f.path, err, numbered(text))
	}
	out := bytes.NewBuffer(make([]byte, 0, len(text)+len(text)/8))
	err = (&printer.Config{Mode: printer.TabIndent | printer.UseSpaces, Tabwidth: 8}).Fprint(out, files, file)
	return out.Bytes(), err
}

// insert puts the imports below the line of the package clause.
func (f *goFile) insert(text []byte, clause int) []byte {
	end := len(text)
	if i := bytes.IndexByte(text[clause:], '\n'); i >= 0 {
		end = clause + i
	}
	out := slices.Grow(slices.Clone(text[:end]), len(text)-end+64*len(f.imports))
	out = append(out, "\n\nimport (\n"...)
	for _, path := range slices.Sorted(maps.Keys(f.imports)) {
		out = fmt.Appendf(out, "\t%s %s\n", f.imports[path], strconv.Quote(path))
	}
	return append(append(out, ")\n"...), text[end:]...)
}

// numbered is a text that cannot be read, for people who look for the line.
func numbered(text []byte) string {
	var out strings.Builder
	line := 0
	for s := range bytes.Lines(text) {
		line++
		fmt.Fprintf(&out, "%5d\t%s\n", line, bytes.TrimRight(s, "\r\n"))
	}
	return out.String()
}
