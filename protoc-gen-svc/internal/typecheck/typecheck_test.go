package typecheck_test

import (
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/typecheck"
)

type shop struct {
	Name   string
	Orders []*order
	Owner  *person
	Any    any
	ByName map[string]person
	hidden int
}

func (s *shop) First() *order        { return s.Orders[0] }
func (s shop) Named(string) []person { return nil }

type order struct{ Number int }

type person struct{ Email, Phone string }

func funcs() template.FuncMap {
	return template.FuncMap{
		"owner":    func(s *shop) *person { return s.Owner },
		"untyped":  func() any { return order{} },
		"requires": func(int) string { return "" },
	}
}

func parse(t *testing.T, text string) *template.Template {
	t.Helper()
	parsed, err := template.New("shop.tmpl").Funcs(funcs()).Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// TestCheck: what is misspelt is found, with its position and the nearest name;
// what is right, or known only later, is not.
func TestCheck(t *testing.T) {
	const typo = `: order has no field or method "Numbr" (did you mean "Number"?)`
	tests := []struct {
		text string
		want []string
	}{
		{`{{.Name}} {{.Owner.Email}} {{.First.Number}} {{(.Named "x" | index 0).Phone}}`, nil},
		{"line\n  {{.Nmae}}", []string{`shop.tmpl:2:5: .Nmae: shop has no field or method "Nmae" (did you mean "Name"?)`}},
		{`{{.Owner.Emial}}`, []string{`shop.tmpl:1:9: .Owner.Emial: person has no field or method "Emial" (did you mean "Email"?)`}},
		{`{{.Xyzzyplugh}}`, []string{`shop.tmpl:1:3: .Xyzzyplugh: shop has no field or method "Xyzzyplugh"`}},
		{`{{.hidden}}`, []string{`shop.tmpl:1:3: .hidden: shop has no field or method "hidden"`}},
		{`{{.Name.Length}}`, []string{`shop.tmpl:1:8: .Name.Length: string has no field or method "Length"`}},
		{`{{if false}}{{.First.Numbr}}{{end}}`, []string{`shop.tmpl:1:21: .First.Numbr` + typo}},
		{`{{range .Orders}}{{.Numbr}}{{$.Name}}{{else}}{{.Name}}{{end}}`, []string{`shop.tmpl:1:20: .Numbr` + typo}},
		{`{{range $i, $o := .Orders}}{{$i}}{{$o.Numbr}}{{end}}`, []string{`shop.tmpl:1:38: $o.Numbr` + typo}},
		{`{{range $o := .Orders}}{{$o.Number}}{{break}}{{end}}{{range $k, $p := .ByName}}{{$p.Email}}{{end}}`, nil},
		{`{{with .Owner}}{{.Email}}{{else with .First}}{{.Numbr}}{{end}}`, []string{`shop.tmpl:1:48: .Numbr` + typo}},
		{`{{$x := .First}}{{$x.Numbr}}`, []string{`shop.tmpl:1:21: $x.Numbr` + typo}},
		{`{{$x := .First}}{{$x = .Owner}}{{$x.Email}}`, nil},
		{`{{(owner .).Emial}}`, []string{`shop.tmpl:1:12: (owner .).Emial: person has no field or method "Emial" (did you mean "Email"?)`}},
		{`{{.Any.Whatever}}{{untyped.Whatever}}{{.ByName.Ann.Email}}`, nil},
		{`{{print (.Nmae | len)}}`, []string{`shop.tmpl:1:10: .Nmae: shop has no field or method "Nmae" (did you mean "Name"?)`}},
		{
			`{{define "each"}}{{.Numbr}}{{end}}{{range .Orders}}{{template "each" .}}{{template "each" .}}{{end}}`,
			[]string{`shop.tmpl:1:20: .Numbr` + typo},
		},
		{`{{define "self"}}{{template "self" .}}{{end}}{{template "self" .}}`, nil},
		{`{{define "labels"}}{{end}}{{template "labls" .}}`, []string{
			`shop.tmpl:1:38: {{template "labls" .}}: there is no template "labls" (did you mean "labels"?)`,
		}},
	}
	for _, test := range tests {
		c := typecheck.Checker{Templates: parse(t, test.text), Funcs: funcs()}
		c.Check("shop.tmpl", reflect.TypeFor[*shop]())
		if diff := cmp.Diff(test.want, c.Faults()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.text, diff)
		}
	}
}

func TestCalled(t *testing.T) {
	c := typecheck.Checker{Templates: parse(t, `{{define "used"}}{{end}}{{define "unused"}}{{end}}{{template "used"}}`)}
	c.Check("shop.tmpl", reflect.TypeFor[*shop]())
	names := slices.DeleteFunc([]string{"used", "unused"}, func(name string) bool { return !c.Called(name) })
	if !slices.Equal(names, []string{"used"}) {
		t.Errorf("called are %q, want only used", names)
	}
}

// TestExplain: what Check cannot see is said in the same way when it happens.
func TestExplain(t *testing.T) {
	tests := []struct{ text, want string }{
		{"\n{{(index .Orders 0).Numbr}}", `shop.tmpl:2:18: .Numbr: order has no field or method "Numbr" (did you mean "Number"?)`},
		{"{{.Owner.Email}}", "shop.tmpl:1:9: .Owner.Email: nil pointer evaluating *typecheck_test.person.Email"},
		{`{{untyped.Whatever}}`, "shop.tmpl:1:3: .Whatever: can't evaluate field Whatever in type interface {}"},
	}
	for _, test := range tests {
		err := parse(t, test.text).Execute(io.Discard, &shop{Orders: []*order{{1}}, hidden: 1})
		if err == nil {
			t.Errorf("%s has no error", test.text)
			continue
		}
		if got := typecheck.Explain(err, reflect.TypeFor[*shop]()).Error(); got != test.want {
			t.Errorf("%s: got %q, want %q", strings.TrimSpace(test.text), got, test.want)
		}
	}
}

func TestParseError(t *testing.T) {
	_, err := template.New("shop.tmpl").Parse("\n{{if}}")
	if got, want := typecheck.ParseError(err), "shop.tmpl:2: missing value for if"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
