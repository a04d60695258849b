package release

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/emit"
)

// TestChanges: every row is about templates that have outputs, of a version that
// is out or about to be, and says what and why.
func TestChanges(t *testing.T) {
	all := Changes()
	for _, c := range all {
		matched := false
		for name := range emit.Data() {
			ok, err := path.Match(c.Templates, name)
			if err != nil {
				t.Fatalf("%s: %v", c.Templates, err)
			}
			matched = matched || ok
		}
		if !matched {
			t.Errorf("%s: no template with an output matches %q", c.Version, c.Templates)
		}
		if numbers(c.Version)[0] < 0 || Compare(c.Version, Version) > 0 {
			t.Errorf("%q is not a version up to %s", c.Version, Version)
		}
		for _, text := range []string{c.What, c.Why} {
			if text == "" || strings.ContainsAny(text, "\n") || strings.HasSuffix(text, ".") {
				t.Errorf("%s: %q is not half a sentence", c.Version, text)
			}
		}
	}
	if !slices.IsSortedFunc(all, func(a, b Change) int { return Compare(a.Version, b.Version) }) {
		t.Error("the changes are not in the order of their versions")
	}
}

var heading = regexp.MustCompile(`(?m)^## (\d+\.\d+\.\d+)\b`)

// TestChangelog: the newest heading of CHANGELOG.md is this version, and each
// version that changed outputs has a heading.
func TestChangelog(t *testing.T) {
	text, err := os.ReadFile("../../../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	var versions []string
	for _, h := range heading.FindAllStringSubmatch(string(text), -1) {
		versions = append(versions, h[1])
	}
	if len(versions) == 0 || versions[0] != Version {
		t.Errorf("CHANGELOG.md begins with %q, want %q", versions, Version)
	}
	if !slices.IsSortedFunc(versions, func(a, b string) int { return Compare(b, a) }) {
		t.Errorf("CHANGELOG.md has the versions in the order %q", versions)
	}
	for _, c := range Changes() {
		if !slices.Contains(versions, c.Version) {
			t.Errorf("CHANGELOG.md has no heading \"## %s\"", c.Version)
		}
	}
}

func TestCompare(t *testing.T) {
	ordered := []string{"0.0.0", "0.1.0", "0.1.9", "0.1.10", "0.2.0", "1.0.0", "10.0.0"}
	for i, a := range ordered {
		for j, b := range ordered {
			if got := Compare(a, b); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("Compare(%q, %q) = %d", a, b, got)
			}
		}
		for _, none := range []string{"", "(devel)", "1.2", "1.2.x", "v1.2.3", "1.2.3.4", "1.-2.3"} {
			if Compare(none, a) >= 0 || Compare(a, none) <= 0 {
				t.Errorf("%q is not older than %q", none, a)
			}
		}
	}
}

func TestSince(t *testing.T) {
	const record = "upgrade/protosvc.yaml.tmpl"
	if got := Since("", record); len(got) != 2 || got[0].Version != "0.1.0" {
		t.Errorf("since nothing: %v", got)
	}
	for _, c := range []struct{ version, template string }{{"0.1.0", record}, {"", "k8s/none.yaml.tmpl"}} {
		if got := Since(c.version, c.template); got != nil {
			t.Errorf("%q changed since %q: %v", c.template, c.version, got)
		}
	}
}
