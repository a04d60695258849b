package emit

import (
	"fmt"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
	"github.com/protosvc/protosvc/templates"
)

// TestEveryTemplateIsUsed: a template is in a table or holds partials, and the
// tables name no template that is not there.
func TestEveryTemplateIsUsed(t *testing.T) {
	used := map[string]int{}
	for _, o := range services {
		used[o.template]++
	}
	for _, o := range errorEnums {
		used[o.template]++
	}
	for _, o := range documents {
		used[o.template]++
	}
	for _, o := range systems {
		used[o.template]++
	}
	err := fs.WalkDir(templates.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Base(name) == "partials.tmpl" {
			return err
		}
		if used[name] != 1 {
			t.Errorf("template %s is used %d times", name, used[name])
		}
		delete(used, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range used {
		t.Errorf("there is no template %s", name)
	}
}

// TestGoTemplatesImportByFunc: an import written by hand would be missing from
// the file, or there twice.
func TestGoTemplatesImportByFunc(t *testing.T) {
	names, err := fs.Glob(templates.FS, "go/*.tmpl")
	if err != nil || len(names) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(templates.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "import") {
				t.Errorf("%s imports by hand: %s", name, line)
			}
		}
	}
}

// TestOnePathTwice: what is said of two outputs at one path names both templates,
// and nothing is rendered.
func TestOnePathTwice(t *testing.T) {
	templates := files("a.tmpl", "a", "b.tmpl", "b", "c.tmpl", "c")
	tests := []struct {
		name  string
		paths [3]string // of each template
		want  string
	}{
		{"three paths", [3]string{"deploy/a", "deploy/b", "deploy/c"}, ""},
		{"two neighbours", [3]string{"deploy/a", "deploy/a", "deploy/c"}, "b.tmpl: deploy/a is written already, by a.tmpl"},
		{"the first and the last", [3]string{"deploy/a", "deploy/b", "deploy/a"}, "c.tmpl: deploy/a is written already, by a.tmpl"},
		{"the last two", [3]string{"deploy/a", "deploy/b", "deploy/b"}, "c.tmpl: deploy/b is written already, by b.tmpl"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w, err := newWriter(templates, nil)
			if err != nil {
				t.Fatal(err)
			}
			var table []output[string]
			for i, name := range []string{"a.tmpl", "b.tmpl", "c.tmpl"} {
				table = append(table, output[string]{template: name, path: func(string) string { return test.paths[i] }})
			}
			plan(w, table, "data")
			got, err := collect(w.write)
			if said := fmt.Sprint(err); test.want != "" && (said != test.want || got != nil) {
				t.Errorf("outputs are %v, error is %s, want %s", got, said, test.want)
			}
			if test.want == "" && (err != nil || len(got) != len(table)) {
				t.Errorf("outputs are %v, error is %v", got, err)
			}
		})
	}
}

// collect returns what is yielded, and the error that it ends with.
func collect(files iter.Seq2[Output, error]) (out []Output, err error) {
	for file, err := range files {
		if err != nil {
			return out, err
		}
		out = append(out, file)
	}
	return out, nil
}

// TestFilesInOrder: files come in the order of the plan, however long each takes, up to
// the first that cannot be made; and whoever has seen enough can stop.
func TestFilesInOrder(t *testing.T) {
	w, err := newWriter(files("slow.tmpl", `{{range until .}}{{.}}{{end}}`, "bad.tmpl", `{{if eq . 57}}{{fail "at 57"}}{{end}}{{.}}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	table := []output[int]{
		{template: "slow.tmpl", path: func(i int) string { return fmt.Sprintf("%d/slow", i) }},
		{template: "bad.tmpl", path: func(i int) string { return fmt.Sprintf("%d/bad", i) }},
	}
	var want []string
	for i := range 100 {
		plan(w, table, i)
		want = append(want, fmt.Sprintf("%d/slow", i), fmt.Sprintf("%d/bad", i))
	}
	for range 20 {
		out, err := collect(w.write)
		var got []string
		for _, one := range out {
			got = append(got, one.Path)
		}
		if !slices.Equal(got, want[:2*57+1]) || err == nil || !strings.Contains(err.Error(), "at 57") {
			t.Fatalf("paths are %v, then %v; want those before 57/bad", got, err)
		}
		for file := range w.write {
			if file.Path == want[5] {
				break
			}
		}
	}
}

func TestCommentWith(t *testing.T) {
	tests := []struct{ comment, want string }{
		{"", ""},
		{"one", "// one"},
		{"one\n\ntwo", "// one\n//\n// two"},
		{"a\rb\u0085c\u2028d\u2029e\ufefff\u0000g\u009fh", "// a b c d e f g h"},
		{"*/ `{{.}}`", "// */ `{{.}}`"},
		{"\tindented äöü 世界", "// \tindented äöü 世界"},
		{"+build ignore\n  +build x\n+builder", "// + build ignore\n//   + build x\n// +builder"},
		{"a\u202eb\u2066c", "// a b c"},
	}
	for _, test := range tests {
		if got := Comment("// ", model.Comment(test.comment)); got != test.want {
			t.Errorf("comment %q is %q, want %q", test.comment, got, test.want)
		}
	}
}

func TestCell(t *testing.T) {
	cell := plainFuncs["cell"].(func(any) string)
	tests := map[string]string{
		"plain text":            "plain text",
		"a|b":                   `a\|b`,
		`a\|b`:                  `a\\\|b`,
		"<b> &lt; `x`":          "&lt;b&gt; &amp;lt; 'x'",
		"two\nlines\t and tabs": "two lines and tabs",
		"# heading":             `\# heading`,
		"a # b":                 "a # b",
		"- item":                `\- item`,
		"12. item":              `12\. item`,
		"1.5 is a number":       `1\.5 is a number`,
		"~~~":                   `\~\~\~`,
		"---":                   `\---`,
		"*x* _y_ [z](w)":        `\*x\* \_y\_ \[z\](w)`,
	}
	for in, want := range tests {
		if got := cell(in); got != want {
			t.Errorf("cell(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestQuoteLines(t *testing.T) {
	quoteLines := plainFuncs["quoteLines"].(func(string) string)
	for in, want := range map[string]string{"": `""`, "a": `"a"`, "a\nb\n": "\"a\\n\"+\n\"b\\n\"", "\"\n": `"\"\n"`} {
		if got := quoteLines(in); got != want {
			t.Errorf("quoteLines(%q) = %s, want %s", in, got, want)
		}
	}
}

// TestUnits: the files of one service are together, whatever is before and after them.
func TestUnits(t *testing.T) {
	w := new(writer)
	for _, data := range []string{"a", "a", "b", "c", "c"} {
		w.planned = append(w.planned, file{data: data})
	}
	var got []string
	for _, unit := range w.units() {
		got = append(got, fmt.Sprint(unit[0].data, len(unit)))
	}
	if want := []string{"a2", "b1", "c2"}; !slices.Equal(got, want) {
		t.Errorf("units are %v, want %v", got, want)
	}
}
