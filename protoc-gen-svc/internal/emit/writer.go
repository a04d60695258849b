package emit

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode"

	"github.com/Masterminds/sprig/v3"
	"google.golang.org/protobuf/compiler/protogen"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/imports"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/parallel"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/rules"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/timefmt"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/typecheck"
)

// runtimePath is the import path of the library that generated code calls.
const runtimePath = "github.com/protosvc/protosvc/svc"

// writer renders templates into files.
type writer struct {
	templates *template.Template
	overlaid  bool
	files     []File // that overlays add
	planned   []file
}

// file is an output that is to be written.
type file struct {
	path, template string
	data           any
	pkg            protogen.GoImportPath // of a Go file
	after          func(rules.File)      // writes what follows the template's text; nil for nothing
}

func newWriter(templates fs.FS, overlays []Overlay) (*writer, error) {
	t := template.New("").Funcs(allFuncs()).Option("missingkey=error")
	err := fs.WalkDir(templates, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".tmpl" {
			return err
		}
		text, err := fs.ReadFile(templates, name)
		if err != nil {
			return err
		}
		_, err = t.New(name).Parse(string(text))
		return err
	})
	w := &writer{templates: t, overlaid: len(overlays) > 0}
	if err == nil && len(overlays) > 0 {
		w.files, err = layer(t, overlays)
	}
	return w, err
}

// allFuncs are all that templates may use, for parsing.
func allFuncs() template.FuncMap {
	funcs := sprig.HermeticTxtFuncMap()
	maps.Copy(funcs, plainFuncs)
	maps.Copy(funcs, goFuncs(nil))
	maps.Copy(funcs, wordingFuncs(nil))
	return funcs
}

// write renders all that is planned, for several services at once, and yields them in order.
func (w *writer) write(yield func(Output, error) bool) {
	if err := w.claim(); err != nil {
		yield(Output{}, err)
		return
	}
	units := w.units()
	render := func() func(int) []result {
		p, err := w.press()
		return func(i int) []result {
			if err != nil {
				return []result{{err: err}}
			}
			return p.renderAll(units[i])
		}
	}
	for unit := range parallel.InOrder(len(units), render) {
		for _, one := range unit {
			if !yield(one.out, one.err) || one.err != nil {
				return
			}
		}
	}
}

// result is a rendered file.
type result struct {
	out Output
	err error
}

// units are the planned files by their data: those of one service share words, which
// one press looks for once.
func (w *writer) units() [][]file {
	var units [][]file
	for i, f := range w.planned {
		if i == 0 || f.data != w.planned[i-1].data {
			units = append(units, nil)
		}
		last := len(units) - 1
		units[last] = append(units[last], f)
	}
	return units
}

func (w *writer) press() (*press, error) {
	p := &press{overlaid: w.overlaid}
	var err error
	if p.templates, err = w.templates.Clone(); err != nil {
		return nil, err
	}
	p.templates.Funcs(goFuncs(p.goFile)).Funcs(wordingFuncs(p.templates))
	return p, nil
}

// claim refuses to write a path twice, which compilers make a mess of.
func (w *writer) claim() error {
	written := map[string]string{} // the template, by path
	for _, f := range w.planned {
		if other, taken := written[f.path]; taken {
			return fmt.Errorf("%s: %s is written already, by %s", f.template, f.path, other)
		}
		written[f.path] = f.template
	}
	return nil
}

// press renders one file at a time. Its templates are its own, since their funcs
// import packages into that file.
type press struct {
	templates *template.Template
	overlaid  bool
	file      file
	code      *goFile // nil until something is imported
	text      bytes.Buffer
}

// goFile is the file that is being rendered, where it is one of Go.
func (p *press) goFile() *goFile {
	if p.code == nil {
		p.code = newGoFile(p.file.path, p.file.pkg)
		p.code.loose = p.overlaid
	}
	return p.code
}

// renderAll renders the files of a unit, up to the first that fails.
func (p *press) renderAll(unit []file) []result {
	out := make([]result, 0, len(unit))
	for _, f := range unit {
		one, err := p.render(f)
		out = append(out, result{one, err})
		if err != nil {
			break
		}
	}
	return out
}

func (p *press) render(f file) (Output, error) {
	p.file, p.code = f, nil
	p.text.Reset()
	if err := p.templates.ExecuteTemplate(&p.text, f.template, f.data); err != nil {
		return Output{}, fmt.Errorf("%w (writing %s)", typecheck.Explain(err, slices.Collect(maps.Values(Data()))...), f.path)
	}
	text := append(bytes.TrimSpace(p.text.Bytes()), '\n')
	if path.Ext(f.path) != ".go" {
		return Output{f.path, f.template, string(text)}, nil
	}
	code := p.goFile()
	if f.after != nil {
		f.after(code)
	}
	text, err := code.format(text)
	return Output{f.path, f.template, string(text)}, err
}

// goFuncs are the funcs that name things of Go packages; each name they return
// is imported by the file.
func goFuncs(g func() *goFile) template.FuncMap {
	var file *goFile
	names := map[protogen.GoIdent]string{} // in that file, where each stands many times
	goIdent := func(id protogen.GoIdent) string {
		if now := g(); file != now {
			file = now
			clear(names)
		}
		name, ok := names[id]
		if !ok {
			name = file.QualifiedGoIdent(imports.Named(id))
			names[id] = name
		}
		return name
	}
	ident := func(importPath, name string) string {
		return goIdent(protogen.GoImportPath(importPath).Ident(name))
	}
	return template.FuncMap{
		"ident":   ident,
		"goIdent": goIdent,
		// runtime names something of package svc, or of one of its leaves.
		"runtime": func(leaf, name string) string {
			if leaf != "" {
				leaf = "/" + leaf
			}
			return ident(runtimePath+leaf, name)
		},
		// duration is a constant expression: 800 * time.Millisecond.
		"duration": func(d time.Duration) string {
			n, unit := timefmt.LargestUnit(d)
			if n == 1 {
				return ident("time", unit)
			}
			return fmt.Sprintf("%d * %s", n, ident("time", unit))
		},
	}
}

// plainFuncs make text of the contract fit where it goes.
var plainFuncs = template.FuncMap{
	// requires says which version of the data model a file of an overlay is
	// written for. It is read before the template runs.
	"requires": func(int) string { return "" },
	"quote":    strconv.Quote,
	// quoteLines quotes text of several lines, one literal for each.
	"quoteLines": func(s string) string {
		var literals []string
		for _, line := range strings.SplitAfter(s, "\n") {
			if line != "" || s == "" {
				literals = append(literals, strconv.Quote(line))
			}
		}
		return strings.Join(literals, "+\n") // without a blank, as gofmt wants among arguments
	},
	"oneLine": oneLine,
	// comment is a Go comment, commentWith one with other marks.
	"comment":     func(c model.Comment) string { return Comment("// ", c) },
	"commentWith": Comment,
	"lowerFirst":  func(s string) string { return strings.ToLower(s[:1]) + s[1:] },
	// port is an address that listens on every interface.
	"port": func(p uint32) string { return strconv.Quote(fmt.Sprintf(":%d", p)) },
	// short is a duration without zero units: "10m" and not "10m0s".
	"short": timefmt.Short,
	// html is text in HTML, between tags or in the quotes of an attribute.
	"html": func(s any) string { return markup.Replace(oneLine(s)) },
	// code is text between the marks of code in a cell of a Markdown table.
	"code": func(s any) string {
		text := strings.ReplaceAll(oneLine(s), "`", "'") // it would end the code
		text = strings.ReplaceAll(text, `\|`, `\ |`)     // which would end the escape below
		return strings.ReplaceAll(text, "|", `\|`)
	},
	// cell is text in a cell of a Markdown table.
	"cell": func(s any) string {
		text := markdown.Replace(oneLine(s))
		if text == "" || 'A' <= text[0] && text[0] <= 'Z' { // no block begins with a letter
			return text
		}
		return block.ReplaceAllString(text, `$1\$2`)
	},
}

// oneLine keeps text from ending the line that it stands on.
func oneLine(s any) string {
	text := fmt.Sprint(s)
	if isPlainLine(text) { // as nearly all is
		return text
	}
	return strings.Join(strings.Fields(printable(text)), " ")
}

// isPlainLine reports whether a text is of ASCII that one sees, with single spaces in it.
func isPlainLine(s string) bool {
	last := byte(' ')
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c > '~' || c == ' ' && last == ' ' {
			return false
		}
		last = c
	}
	return last != ' ' || s == ""
}

// markdown escapes what has a meaning inside a line, block what has one at the
// start of a line: headings, lists, rules.
var (
	markdown = strings.NewReplacer(`\`, `\\`, "|", `\|`, "&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "'", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "~", `\~`)
	block    = regexp.MustCompile(`^([0-9]*)([-#+=.)])`)
)

// markup escapes what has a meaning in HTML.
var markup = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")

// plusBuild is a line that gofmt would take for a build constraint, wherever it
// stands, and move to the top of the file.
var plusBuild = regexp.MustCompile(`^(\s*)\+build\b`)

// Comment is the text with a mark before each line.
func Comment(mark string, c model.Comment) string {
	lines := c.Lines()
	for i, line := range lines {
		line = printable(line)
		if strings.Contains(line, "+build") {
			line = plusBuild.ReplaceAllString(line, "$1+ build")
		}
		lines[i] = strings.TrimRight(mark+line, " ")
	}
	return strings.Join(lines, "\n")
}

// turning are the characters that turn the order in which one reads a line, so
// that it seems to say something else.
const turning = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

// printable replaces what could end a comment or a line, or hide what is in it.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if ' ' <= r && r <= '~' { // as nearly all are
			return r
		}
		if r != '\t' && (unicode.IsControl(r) || strings.ContainsRune("\u2028\u2029\ufeff\ufffe\uffff"+turning, r)) {
			return ' '
		}
		return r
	}, s)
}
