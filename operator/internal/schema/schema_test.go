package schema

import (
	"os"
	"slices"
	"testing"
)

// The schema is that of a generated service.
func TestFaults(t *testing.T) {
	text, err := os.ReadFile("../../../generated/deploy/order/config.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile("../../../generated/deploy/order/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"what is generated", string(good), nil},
		{"nothing", "", nil},
		{"unknown keys", "gprc: 1\nlimits:\n  concurrency: 5\n  conections: 5\n", []string{
			`config.yaml:1:1: unknown key "gprc"`,
			`config.yaml:4:3: unknown key "conections"`,
		}},
		{"values", "limits: {concurrency: 0}\nservice:\n  default_page_size: x\n", []string{
			`config.yaml:1:10: limits.concurrency: minimum: got 0, want 1`,
			`config.yaml:3:3: service.default_page_size: got string, want integer`,
		}},
		{"no YAML", "a: 1\nb: c: d\n", []string{"config.yaml: line 2: mapping values are not allowed in this context"}},
		{"a list", "- 1\n", []string{"config.yaml:1:1: got array, want null or object"}},
	} {
		var got []string
		for _, f := range s.Faults("config.yaml", test.text) {
			got = append(got, f.String())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s:\n%q, want\n%q", test.name, got, test.want)
		}
	}
}

func TestParse(t *testing.T) {
	for _, text := range []string{"", "{", `{"type": 1}`} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%q is a schema", text)
		}
	}
}
