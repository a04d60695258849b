package svcgen

import (
	"flag"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the reference in docs/overlay.md")

const (
	manual = repository + "/docs/overlay.md"

	// start is the line of the manual after which everything is written here.
	start = "<!-- The rest is written by: go test ./protoc-gen-svc/svcgen -update -->\n"
)

// TestReference: docs/overlay.md describes the templates and the model as they
// are, and nothing that it promises is gone without a new version.
func TestReference(t *testing.T) {
	text := read(t, manual)
	prose, old, ok := strings.Cut(text, start)
	if !ok {
		t.Fatalf("%s has no line %q", manual, start)
	}
	if example := read(t, "testdata/example/main.go"); !strings.Contains(prose, "```go\n"+example+"```\n") {
		t.Error("docs/overlay.md shows another main.go than testdata/example has")
	}
	reference := newReference(t).String()
	if gone := vanished(old, reference); len(gone) > 0 {
		t.Errorf("%s are gone from the data model, and its version is still %d: templates that use them break. Raise model.Version and say in docs/overlay.md what changed; where no release had them, remove them there by hand", strings.Join(gone, ", "), ModelVersion)
		return
	}
	if *update {
		write(t, manual, prose+start+reference)
		return
	}
	if diff := cmp.Diff(old, reference); diff != "" {
		t.Errorf("docs/overlay.md is stale (go test ./protoc-gen-svc/svcgen -update rewrites it; -want +got):\n%s", diff)
	}
}

// TestVanished: what is removed is noticed, unless the version says so.
func TestVanished(t *testing.T) {
	const before = "Version 1.\n### Service\n| `.Name`, `.Snake` | string | x |\n### Scale\n| `.Min` | uint32 | |\n"
	tests := []struct {
		after string
		want  []string
	}{
		{before + "| `.More` | string | |\n", nil},
		{strings.Replace(before, "`.Snake`", "`.Stem`", 1), []string{"Service.Snake"}},
		{strings.Replace(before, "uint32", "string", 1), []string{"Scale.Min uint32"}},
		{"Version 1.\n", []string{"Scale.Min", "Service.Name", "Service.Snake"}},
		{"Version 2.\n", nil},
	}
	for _, test := range tests {
		if got := vanished(before, test.after); !slices.Equal(got, test.want) {
			t.Errorf("%q lacks %q, want %q", test.after, got, test.want)
		}
	}
}

var (
	versionLine = regexp.MustCompile(`(?m)^Version (\d+)\.$`)
	heading     = regexp.MustCompile(`^### (\w+)$`)
	row         = regexp.MustCompile("^\\| (`\\..*`) \\| (.*?) \\|")
	memberName  = regexp.MustCompile("`(\\.\\w+)[^`]*`")
)

// vanished are the members that an old reference has, a new one of the same
// version has not, or not with that type.
func vanished(old, reference string) []string {
	was, is := versionLine.FindStringSubmatch(old), versionLine.FindStringSubmatch(reference)
	if was == nil || was[1] != is[1] {
		return nil
	}
	var gone []string
	now := listed(reference)
	for name, typ := range listed(old) {
		switch present, ok := now[name]; {
		case !ok:
			gone = append(gone, name)
		case present != typ:
			gone = append(gone, name+" "+typ)
		}
	}
	slices.Sort(gone)
	return gone
}

// listed are the types of all members in a reference.
func listed(reference string) map[string]string {
	out := map[string]string{}
	section := ""
	for line := range strings.Lines(reference) {
		line = strings.TrimSpace(line)
		if h := heading.FindStringSubmatch(line); h != nil {
			section = h[1]
		}
		if r := row.FindStringSubmatch(line); r != nil {
			for _, name := range memberName.FindAllStringSubmatch(r[1], -1) {
				out[section+name[1]] = r[2]
			}
		}
	}
	return out
}
