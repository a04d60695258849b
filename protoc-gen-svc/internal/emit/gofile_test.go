package emit

import (
	"testing"

	"google.golang.org/protobuf/compiler/protogen"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/imports"
)

// TestFormat: imports stand below the line of the package clause, sorted by path and
// called as the text calls them, and only where there are any.
func TestFormat(t *testing.T) {
	ident := func(path, name string) protogen.GoIdent {
		return imports.Named(protogen.GoImportPath(path).Ident(name))
	}
	tests := []struct {
		name, text string
		idents     []protogen.GoIdent
		want       string
	}{
		{"no imports", "// Doc.\npackage  x\nvar a  = 1", nil, "// Doc.\npackage x\n\nvar a = 1\n"},
		{"its own package", "package x\n", []protogen.GoIdent{ident("example.com/x", "A")}, "package x\n"},
		{"imports", "// package y\npackage x // note\nvar a = 1\n",
			[]protogen.GoIdent{ident("time", "Now"), ident("example.com/b/v1", "B"), ident("example.com/time", "T")},
			"// package y\npackage x // note\n\nimport (\n\tbv1 \"example.com/b/v1\"\n\ttime1 \"example.com/time\"\n\ttime \"time\"\n)\n\nvar a = 1\n"},
		{"a clause at the end", "package x", []protogen.GoIdent{ident("time", "Now")}, "package x\n\nimport (\n\ttime \"time\"\n)\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newGoFile("x.go", "example.com/x")
			f.loose = true
			for _, id := range test.idents {
				f.QualifiedGoIdent(id)
			}
			got, err := f.format([]byte(test.text))
			if err != nil || string(got) != test.want {
				t.Errorf("got %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

// TestFormatWhatFollows: it comes after the text, with names of its own.
func TestFormatWhatFollows(t *testing.T) {
	f := newGoFile("x.go", "example.com/x")
	f.P("var b = ", f.QualifiedGoIdent(protogen.GoImportPath("time").Ident("Second")), " * ", 2)
	f.P()
	got, err := f.format([]byte("package x\n\nvar a = 1\n"))
	const want = "package x\n\nimport (\n\ttime \"time\"\n)\n\nvar a = 1\nvar b = time.Second * 2\n"
	if err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// TestFormatLaysOut: a text of ours is laid out and not parsed, but where that takes a parser.
func TestFormatLaysOut(t *testing.T) {
	for text, want := range map[string]string{
		"package x\n\nvar a = T{\nA  +  b,\n}\n":         "package x\n\nvar a = T{\n\tA  +  b,\n}\n",
		"package x\n\n// - a\nvar a = T{\nA  +  b,\n}\n": "package x\n\n// - a\nvar a = T{\n\tA + b,\n}\n",
	} {
		got, err := newGoFile("x.go", "example.com/x").format([]byte(text))
		if err != nil || string(got) != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}

// TestFormatUnparsable: the lines are numbered for who has to find one.
func TestFormatUnparsable(t *testing.T) {
	f := newGoFile("a/x.go", "example.com/x")
	f.loose = true
	_, err := f.format([]byte("package x\n\nvar = 1\n"))
	const want = "a/x.go: unparsable Go source: 3:5: expected 'IDENT', found '='\n    1\tpackage x\n    2\t\n    3\tvar = 1\n"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestIsPlainLine: what is not touched has nothing that would be replaced.
func TestIsPlainLine(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "a": true, "a b": true, "~!": true,
		" a": false, "a ": false, "a  b": false, "a\tb": false, "a\nb": false, "ä": false, " ": false, "\x7f": false,
	} {
		if got := isPlainLine(text); got != want {
			t.Errorf("%q is plain: %v, want %v", text, got, want)
		}
	}
}
