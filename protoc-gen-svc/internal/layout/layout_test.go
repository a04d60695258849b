package layout

import (
	"bytes"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

const repository = "../../.."

func TestGo(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"indentation", "func f() {\nif a {\nb()\n} else {\nc(d, func() {\ne()\n}, g)\n}\n}\n",
			"func f() {\n\tif a {\n\t\tb()\n\t} else {\n\t\tc(d, func() {\n\t\t\te()\n\t\t}, g)\n\t}\n}\n"},
		{"cases", "func f() {\nswitch {\ncase a:\nb()\ndefault:\nc()\n}\n}\n",
			"func f() {\n\tswitch {\n\tcase a:\n\t\tb()\n\tdefault:\n\t\tc()\n\t}\n}\n"},
		{"comments", "// T {\n//\n// (äöü.\n// Bäh.\n//\n// Deprecated: x.\ntype T interface {\n// F (\nF()\n}\n", "// T {\n//\n// (äöü.\n// Bäh.\n//\n// Deprecated: x.\ntype T interface {\n\t// F (\n\tF()\n}\n"},
		{"code in comments", "// A:\n//\n//\ta\n//\t\tb\n//\n//\tc\n//\n// D.\nvar a = 1\n", "// A:\n//\n//\ta\n//\t\tb\n//\n//\tc\n//\n// D.\nvar a = 1\n"},
		{"empty lines", "\n\n// A {\n\nfunc f() {\n\na()\n\n\nb()\n\n}\n\n", "// A {\n\nfunc f() {\n\ta()\n\n\tb()\n}\n"},
		{"brackets in literals", "var a = f(\"{\\\"(\", '{', '\\'', `[`)\nvar b = 1\n", "var a = f(\"{\\\"(\", '{', '\\'', `[`)\nvar b = 1\n"},
		{"keys", "var a = T{\nA: 1,\nLong: f(2),\nC: U{\nD: 4,\n},\nEe: 5,\n\nFff: 6,\nG: 7,\n// H\nHhhh: 8,\n}\n",
			"var a = T{\n\tA:    1,\n\tLong: f(2),\n\tC: U{\n\t\tD: 4,\n\t},\n\tEe: 5,\n\n\tFff: 6,\n\tG:   7,\n\t// H\n\tHhhh: 8,\n}\n"},
		{"no keys", "var a = T{\n{A: 1, Bbb: 2},\n\"a\": 1,\n\"b: c\": 2,\nf(a[1:], b),\n}\n",
			"var a = T{\n\t{A: 1, Bbb: 2},\n\t\"a\":    1,\n\t\"b: c\": 2,\n\tf(a[1:], b),\n}\n"},
		{"fields", "type T struct {\nU\n\nA int\nBbb map[string]int\n// C\nCc int\n}\n", "type T struct {\n\tU\n\n\tA   int\n\tBbb map[string]int\n\t// C\n\tCc int\n}\n"},
		{"a literal of a type without a name", "var a = struct {\nA int\nBb int\n}{\nA: 1,\nBb: 2,\n}\n",
			"var a = struct {\n\tA  int\n\tBb int\n}{\n\tA:  1,\n\tBb: 2,\n}\n"},
		{"variables", "var (\na = 1\nbbb = 2\n)\n", "var (\n\ta   = 1\n\tbbb = 2\n)\n"},
		{"nothing in a literal", "var a = T{\n\n}\nvar b = struct {\n}{\n}\nvar c = f(\n)\n", "var a = T{}\nvar b = struct {\n}{}\nvar c = f()\n"},
		{"nothing in a block", "func f() {\n}\n\ntype T interface {\n}\n", "func f() {\n}\n\ntype T interface {\n}\n"},
		{"an argument that goes on", "var a = f(\"b\"+\n\"c\", d)\n", "var a = f(\"b\"+\n\t\"c\", d)\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, ok := Go([]byte("package x\n\n" + test.text))
			if want := "package x\n\n" + test.want; !ok || string(got) != want {
				t.Errorf("got %v\n%s\nwant\n%s", ok, got, want)
			}
			if want, err := format.Source(got); err != nil || !bytes.Equal(got, want) {
				t.Errorf("gofmt wants %v\n%s\nand not\n%s", err, want, got)
			}
		})
	}
}

// TestColumnsOfLongKeys: whether a key stands in a column with those before it depends on
// how long all of them are, as gofmt has it.
func TestColumnsOfLongKeys(t *testing.T) {
	for _, lengths := range [][]int{
		{40, 1, 40}, {41, 1}, {1, 41}, {41, 16}, {41, 17}, {17, 41}, {16, 41}, {41, 103}, {41, 102},
		{1, 40, 90, 2}, {60, 30, 20, 50}, {5, 50, 30, 60, 10, 41}, {39, 41, 16, 41}, {100, 41, 41, 40},
	} {
		var text strings.Builder
		text.WriteString("package x\n\nvar a = T{\n")
		for i, n := range lengths {
			text.WriteString(strings.Repeat(string(rune('A'+i)), n) + ": 1,\n")
		}
		text.WriteString("}\n")
		want, err := format.Source([]byte(text.String()))
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := Go([]byte(text.String())); !ok || !bytes.Equal(got, want) {
			t.Errorf("%v: got %v\n%s\nwant\n%s", lengths, ok, got, want)
		}
	}
}

// TestNotUnderstood: what only a parser can lay out, or nobody.
func TestNotUnderstood(t *testing.T) {
	for _, text := range []string{
		"func f() {\n", "}\n", "var a = f(b]\n", "var a = f(\n]\n",
		"var a = 1 // one\n", "/* a */\n", "var a = 1 /* one */\n",
		"var a = `\n`\n", "var a = \"\n", "var a = \"\\\n", "var a = '\n",
		"// - a\n", "// * a\n", "// 1. a\n", "// \u2022 a\n", "//  a\n", "// \ta\n", "//\ta\n", "// a\n//\tb\n", "// a\n//\n//\tb\n// c\n", "// a\n//\n//\t b\n", "// a\n//\n// b\n//\n//\tc\n", "// # a\n", "// [a]: b\n", "//a\n", "// ``a''\n", "// ''\n",
		"//\n// a\n", "// a\n//\n", "// a\n//\n\n", "// a\n//\n//\n// b\n", "// a\n//\n// b\n//\n// c\n",
		"var a = 1 +\n2\n", "func f() {\na = b.\nc()\n}\n", "func f() {\nif a &&\nb {\n}\n}\n",
	} {
		if got, ok := Go([]byte(text)); ok {
			t.Errorf("%q is %q", text, got)
		}
	}
}

// TestGenerated: what is generated gets back the layout that it has when it has lost it,
// and gofmt wants no other.
func TestGenerated(t *testing.T) {
	files := map[string][]byte{}
	read := func(path string) []byte {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	err := filepath.WalkDir(filepath.Join(repository, "generated"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".go" {
			files[path] = read(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	cases, err := filepath.Glob(filepath.Join(repository, "protoc-gen-svc/testdata/*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range cases {
		for _, f := range txtar.Parse(read(path)).Files {
			if filepath.Ext(f.Name) == ".go" {
				files[path+": "+f.Name] = f.Data
			}
		}
	}
	seen := 0
	for name, text := range files {
		if !bytes.HasPrefix(text, []byte("// Code generated by protoc-gen-svc.")) {
			continue
		}
		seen++
		if want, err := format.Source(text); err != nil || !bytes.Equal(text, want) {
			t.Errorf("%s is not as gofmt wants it (%v)", name, err)
			continue
		}
		got, ok := Go(lose(text))
		if ok == strange.Match(text) || ok && !bytes.Equal(got, text) {
			t.Errorf("%s: got %v\n%s\nwant\n%s", name, ok, got, text)
		}
	}
	if len(cases) == 0 || seen < 50 {
		t.Errorf("looked at %d files of %d", seen, len(files))
	}
}

// strange are comments with lists.
var strange = regexp.MustCompile(`(?m)^\s*//  +\S`)

// columns are blanks after the first word of a line that is no comment.
var columns = regexp.MustCompile(`^([^/"\s]\S*) {2,}`)

// lose takes a text's indentation and columns away, and has an empty line twice.
func lose(text []byte) []byte {
	var out []byte
	for line := range bytes.Lines(text) {
		line = columns.ReplaceAll(bytes.TrimSpace(line), []byte("$1 "))
		out = append(append(out, line...), '\n')
		if len(line) == 0 {
			out = append(out, "\t\n"...)
		}
	}
	return out
}

// FuzzGo: any text has a layout or is not understood, and none has two.
func FuzzGo(f *testing.F) {
	for _, text := range []string{"}{", "var a = struct {\n}{\n", "{{\n\n}}", "'", "case :", "var (\na = 1\n)", "T{\nA: 1,\n}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		once, ok := Go(text)
		if !ok {
			return
		}
		if twice, ok := Go(once); !ok || !bytes.Equal(once, twice) {
			t.Errorf("%q is %q, and then %q (%v)", text, once, twice, ok)
		}
	})
}

// TestComments: gofmt leaves every comment as it is that is said to be understood, here
// all of up to four of these lines.
func TestComments(t *testing.T) {
	lines := []string{"", " Text", " text.", " text {", " (text)", " Text:", "\tcode", "\t\tcode", " - item", " 1. item", " # Heading", "  text", " [a]: b", "x", " } text"}
	understood := 0
	var try func(comment string, n int)
	try = func(comment string, n int) {
		text := []byte("package x\n\n" + comment + "var a = 1\n")
		if out, ok := Go(text); ok {
			understood++
			if want, err := format.Source(text); err != nil || !bytes.Equal(out, want) {
				t.Errorf("%q is %q, of gofmt %q (%v)", text, out, want, err)
			}
		}
		if n == 0 {
			return
		}
		for _, line := range lines {
			try(comment+"//"+line+"\n", n-1)
		}
	}
	try("", 4)
	if understood < 1000 {
		t.Errorf("only %d comments are understood", understood)
	}
}
