package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/rules"
)

var (
	allMessages = slices.Concat(model.Messages(), rules.Messages())
	allRules    = slices.Concat(model.Rules(), rules.Rules())
)

// TestDiagnostics: docs/diagnostics.md is what the tables say.
func TestDiagnostics(t *testing.T) {
	const file = "../docs/diagnostics.md"
	want := fault.Markdown(allRules, allMessages)
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/diagnostics.md is stale (make generate rewrites it; -want +got):\n%s", diff)
	}
}

// TestRules: every rule has a reason and a message, and every message a rule.
func TestRules(t *testing.T) {
	explained, used := map[string]bool{}, map[string]bool{}
	for _, r := range allRules {
		if explained[r.Name] || !strings.HasSuffix(r.Why, ".") {
			t.Errorf("rule %s is explained twice, or not in sentences", r.Name)
		}
		explained[r.Name] = true
	}
	for _, m := range allMessages {
		used[m.Rule] = true
		if !explained[m.Rule] {
			t.Errorf("rule %s of %q is not explained", m.Rule, m.Format)
		}
	}
	for name := range explained {
		if !used[name] {
			t.Errorf("rule %s has no message", name)
		}
	}
}

// withoutCase is a message about an enum that is closed: compilers refuse another
// value before the plugin sees it, and only a fuzzer has shown it.
var withoutCase = fault.Message{Rule: "validate-value", Format: "%d is not a value of buf.validate.KnownRegex"}

// TestEveryMessageHasACase: a case of the goldens shows each message, with
// arguments that fit its format.
func TestEveryMessageHasACase(t *testing.T) {
	said := map[string]string{} // by rule, a line for each fault
	line := regexp.MustCompile(`^\S+: (?:\S+: )?([a-z][a-z0-9-]*): `)
	for _, archive := range archives(t, "testdata/*.txtar", "internal/rules/testdata/*.txtar") {
		for _, f := range archive.Files {
			if !strings.HasSuffix(f.Name, faultsSuffix) {
				continue
			}
			for l := range strings.Lines(string(f.Data)) {
				if m := line.FindStringSubmatch(l); m != nil {
					said[m[1]] += l
				}
				if strings.Contains(l, "%!") {
					t.Errorf("arguments do not fit their format: %s", l)
				}
			}
		}
	}
	verb := regexp.MustCompile(`%[a-z]`)
	for _, m := range allMessages {
		if m == withoutCase {
			continue
		}
		form := verb.ReplaceAllString(regexp.QuoteMeta(m.Format), ".*")
		if !regexp.MustCompile("(?m)" + form + "$").MatchString(said[m.Rule]) {
			t.Errorf("no case shows %s: %s", m.Rule, m.Format)
		}
	}
}

func archives(t *testing.T, patterns ...string) []*txtar.Archive {
	t.Helper()
	var all []*txtar.Archive
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no archives %s: %v", pattern, err)
		}
		for _, file := range files {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, archive)
		}
	}
	return all
}
