package emit

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode"

	"github.com/Masterminds/sprig/v3"
	"google.golang.org/protobuf/compiler/protogen"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/imports"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
)

// runtimePath is the import path of the library that generated code calls.
const runtimePath = "github.com/protosvc/protosvc/svc"

// writer renders templates into files of the plugin's response.
type writer struct {
	plugin    *protogen.Plugin
	templates *template.Template
	files     []File            // that overlays add
	written   map[string]string // which template wrote a path
}

func newWriter(p *protogen.Plugin, templates fs.FS, overlays []Overlay) (*writer, error) {
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
	w := &writer{plugin: p, templates: t, written: map[string]string{}}
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
	return funcs
}

// claim refuses to write a path twice, which compilers make a mess of.
func (w *writer) claim(file, template string) error {
	if other, taken := w.written[file]; taken {
		return fmt.Errorf("%s: %s is written already, by %s", template, file, other)
	}
	w.written[file] = template
	return nil
}

// render executes a template into a file. The funcs that import packages are
// bound to the file, which is why each file gets its own copy of the templates.
func (w *writer) render(g *protogen.GeneratedFile, name string, data any) error {
	t, err := w.templates.Clone()
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := t.Funcs(goFuncs(g)).ExecuteTemplate(&text, name, data); err != nil {
		return err
	}
	_, err = g.Write(append(bytes.TrimSpace(text.Bytes()), '\n'))
	return err
}

// goFuncs are the funcs that name things of Go packages; each name they return
// is imported by the file.
func goFuncs(g *protogen.GeneratedFile) template.FuncMap {
	ident := func(importPath, name string) string {
		return g.QualifiedGoIdent(protogen.GoImportPath(importPath).Ident(name))
	}
	return template.FuncMap{
		"ident":   ident,
		"goIdent": func(id protogen.GoIdent) string { return g.QualifiedGoIdent(imports.Named(id)) },
		// runtime names something of package svc, or of one of its leaves.
		"runtime": func(leaf, name string) string { return ident(path.Join(runtimePath, leaf), name) },
		// duration is a constant expression: 800 * time.Millisecond.
		"duration": func(d time.Duration) string {
			n, unit := largestUnit(d)
			if n == 1 {
				return ident("time", unit)
			}
			return fmt.Sprintf("%d * %s", n, ident("time", unit))
		},
	}
}

var units = []struct {
	size time.Duration
	name string
}{
	{time.Hour, "Hour"}, {time.Minute, "Minute"}, {time.Second, "Second"},
	{time.Millisecond, "Millisecond"}, {time.Microsecond, "Microsecond"},
}

func largestUnit(d time.Duration) (n int64, unit string) {
	for _, u := range units {
		if d%u.size == 0 {
			return int64(d / u.size), u.name
		}
	}
	return int64(d), "Nanosecond"
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
		return strings.Join(literals, " +\n")
	},
	"oneLine": oneLine,
	// comment is a Go comment, commentWith one with other marks.
	"comment":     func(c model.Comment) string { return commentWith("// ", c) },
	"commentWith": commentWith,
	"lowerFirst":  func(s string) string { return strings.ToLower(s[:1]) + s[1:] },
	// port is an address that listens on every interface.
	"port": func(p uint32) string { return strconv.Quote(fmt.Sprintf(":%d", p)) },
	// short is a duration without zero units: "10m" and not "10m0s".
	"short": Short,
	// cell is text in a cell of a Markdown table.
	"cell": func(s any) string {
		return block.ReplaceAllString(markdown.Replace(oneLine(s)), `$1\$2`)
	},
}

// oneLine keeps text from ending the line that it stands on.
func oneLine(s any) string { return strings.Join(strings.Fields(printable(fmt.Sprint(s))), " ") }

// markdown escapes what has a meaning inside a line, block what has one at the
// start of a line: headings, lists, rules.
var (
	markdown = strings.NewReplacer(`\`, `\\`, "|", `\|`, "&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "'", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "~", `\~`)
	block    = regexp.MustCompile(`^([0-9]*)([-#+=.)])`)
)

// plusBuild is a line that gofmt would take for a build constraint, wherever it
// stands, and move to the top of the file.
var plusBuild = regexp.MustCompile(`^(\s*)\+build\b`)

func commentWith(mark string, c model.Comment) string {
	lines := c.Lines()
	for i, line := range lines {
		lines[i] = strings.TrimRight(mark+plusBuild.ReplaceAllString(printable(line), "$1+ build"), " ")
	}
	return strings.Join(lines, "\n")
}

// turning are the characters that turn the order in which one reads a line, so
// that it seems to say something else.
const turning = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

// printable replaces what could end a comment or a line, or hide what is in it.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && (unicode.IsControl(r) || strings.ContainsRune("\u2028\u2029\ufeff\ufffe\uffff"+turning, r)) {
			return ' '
		}
		return r
	}, s)
}

// Short is a duration as people write it: "5m", "0s".
func Short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
