package emit

import (
	"bytes"
	"fmt"
	"io/fs"
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
}

func newWriter(p *protogen.Plugin, files fs.FS) (*writer, error) {
	t := template.New("").Funcs(sprig.HermeticTxtFuncMap()).Funcs(plainFuncs).Funcs(goFuncs(nil))
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".tmpl" {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		_, err = t.New(name).Parse(string(text))
		return err
	})
	return &writer{plugin: p, templates: t}, err
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
	"quote": strconv.Quote,
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
	"short": short,
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

func commentWith(mark string, c model.Comment) string {
	lines := c.Lines()
	for i, line := range lines {
		lines[i] = strings.TrimRight(mark+printable(line), " ")
	}
	return strings.Join(lines, "\n")
}

// printable replaces what could end a comment or a line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && (unicode.IsControl(r) || strings.ContainsRune("\u2028\u2029\ufeff\ufffe\uffff", r)) {
			return ' '
		}
		return r
	}, s)
}

func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
