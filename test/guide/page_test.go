package guide

import (
	"fmt"
	"reflect"
	"regexp"
	"testing"
)

func TestParse(t *testing.T) {
	const page = "In `a.go`:\n\n```diff\n-x\n+y\n```\n\n`a.go` has:\n\n```go\ny\n```\n\n`b/c.yaml`:\n```yaml\nz\n```\n\n```console\n$ make\n```\n"
	want := []Block{
		{4, "diff", "a.go", false, "-x\n+y\n"},
		{11, "go", "a.go", true, "y\n"},
		{16, "yaml", "b/c.yaml", false, "z\n"},
		{20, "console", "", false, "$ make\n"},
	}
	if got, err := Parse(page); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	for page, want := range map[string]string{
		"See.\n\n```go\nx\n```\n":           `line 3: a block of go after "See."`,
		"```go\nx\n```\n":                   `line 1: a block of go after ""`,
		"`a`:\n```console\n$ make\n```\n":   "line 2: a block of console after \"`a`:\"",
		"`a`:\n```go\n```\n```go\nx\n```\n": `line 4: a block of go after ""`,
	} {
		if _, err := Parse(page); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", page, err, want)
		}
	}
}

func TestApply(t *testing.T) {
	for _, test := range []struct {
		block       Block
		want, fault string
	}{
		{Block{Language: "go", Text: "new\n"}, "new\n", ""},
		{Block{Language: "diff", Text: " a\n-b\n+c\n"}, "a\nc\n", ""},
		{Block{Line: 4, File: "f", Language: "diff", Text: "-x\n"}, "a\nb\n", "line 4: f: this is there 0 times, want once:\nx\n"},
		{Block{Language: "go", Quoted: true, Text: "b\n"}, "a\nb\n", ""},
		{Block{Line: 4, File: "f", Language: "go", Quoted: true, Text: "x\n"}, "a\nb\n", "line 4: f does not have\nx\n"},
	} {
		got, err := test.block.Apply("a\nb\n")
		if fault := fmt.Sprint(err); got != test.want || err != nil && fault != test.fault || (err == nil) != (test.fault == "") {
			t.Errorf("%+v: %q, %v, want %q, %s", test.block, got, err, test.want, test.fault)
		}
	}
}

func TestCompare(t *testing.T) {
	for c, want := range map[Command]bool{
		{"a\n", ""}:          true, // nothing is shown of it
		{"a\n", "one …\n"}:   true,
		{"a\n", "one 1 1\n"}: false,
		{"a\n", "one\n"}:     false,
	} {
		if err := c.Compare("one  1\n"); (err == nil) != want {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestPattern(t *testing.T) {
	const said = "  one  1\ntwo 2\nthree (3)\n"
	for shown, want := range map[string]bool{
		"one 1\ntwo 2\nthree (3)\n":    true,
		"one …\n…\nthree (3)\n":        true,
		"…\none 1\ntwo 2\nthree (3)\n": true,
		"one …\nthree (3)\n":           false,
		"one 1\ntwo 2\n":               false,
		"one 1\ntwo 2\nthree 3\n":      false,
		"one 1\ntwo …3)\n":             false,
	} {
		if got := regexp.MustCompile(`^` + Pattern(shown) + `$`).MatchString(Normal(said)); got != want {
			t.Errorf("%q is shown: %t", shown, got)
		}
	}
}

func TestCommands(t *testing.T) {
	want := []Command{{"a \\\n  b &\n", ""}, {"c\n", "d\\\ne\n"}}
	if got := Commands("$ a \\\n  b &\n$ c\nd\\\ne\n"); !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
