package lint

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"buf.build/go/bufplugin/check"
	"buf.build/go/bufplugin/check/checktest"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "rewrite what is wanted of the cases, and docs/lint.md")

const repository = "../../.."

func TestSpec(t *testing.T) { checktest.SpecTest(t, Spec()) }

// TestCases checks the findings for contracts, each with its position and text. An
// archive holds proto files, options as in buf.yaml and what is wanted.
func TestCases(t *testing.T) {
	protos := thirdParty(t)
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases (%v)", err)
	}
	for _, name := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			c := parse(t, archive)
			got := lint(t, protos, c)
			if *update {
				c.put(t, archive, got, name)
			} else if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got, -update rewrites it\n%s", diff)
			}
		})
	}
}

// contract is a case.
type contract struct {
	files   map[string]string
	options map[string]any
	want    string
}

func parse(t *testing.T, archive *txtar.Archive) contract {
	t.Helper()
	c := contract{files: map[string]string{}}
	for _, f := range archive.Files {
		switch f.Name {
		case "want":
			c.want = string(f.Data)
		case "options":
			c.options = parseOptions(t, f.Data)
		default:
			c.files[f.Name] = string(f.Data)
		}
	}
	return c
}

// parseOptions reads YAML into the types that buf makes of it.
func parseOptions(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var options map[string]any
	if err := yaml.Unmarshal(text, &options); err != nil {
		t.Fatal(err)
	}
	for name, value := range options {
		switch v := value.(type) {
		case int:
			options[name] = int64(v)
		case []any:
			words := make([]string, len(v))
			for i := range v {
				words[i] = v[i].(string)
			}
			options[name] = words
		}
	}
	return options
}

func (c contract) put(t *testing.T, archive *txtar.Archive, got, name string) {
	t.Helper()
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
	archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(got)})
	if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// lint runs all rules over a contract and returns the findings, or the error, as
// lines.
func lint(t *testing.T, protos string, c contract) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range c.files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	request, err := (&checktest.RequestSpec{
		Files:   &checktest.ProtoFileSpec{DirPaths: []string{dir, protos}, FilePaths: slices.Sorted(maps.Keys(c.files))},
		Options: c.options,
	}).ToRequest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client, err := check.NewClientForSpec(Spec())
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Check(t.Context(), request)
	if err != nil {
		return err.Error() + "\n"
	}
	var out strings.Builder
	for _, a := range response.Annotations() {
		at := a.FileLocation()
		fmt.Fprintf(&out, "%s:%d:%d: %s: %s\n", at.FileDescriptor().ProtoreflectFileDescriptor().Path(), at.StartLine()+1, at.StartColumn()+1, a.RuleID(), a.Message())
	}
	return out.String()
}

// thirdParty writes buf/validate and its like into a folder.
func thirdParty(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", "run", "./protoc-gen-svc", "protos", dir)
	cmd.Dir = repository
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("protoc-gen-svc protos: %v\n%s", err, output)
	}
	return dir
}

// TestExamples checks what docs/lint.md claims: the bad example breaks its rule
// and no other, the good one none.
func TestExamples(t *testing.T) {
	protos := thirdParty(t)
	for _, r := range rules() {
		bad := lint(t, protos, example(r.bad, r.with))
		if n := strings.Count(bad, "\n"); n != 1 || !strings.Contains(bad, ": "+r.id+": ") {
			t.Errorf("%s: the bad example has the findings\n%s", r.id, bad)
		}
		if good := lint(t, protos, example(r.good, r.with)); good != "" {
			t.Errorf("%s: the good example has the findings\n%s", r.id, good)
		}
	}
}

func example(text string, options map[string]any) contract {
	header := "syntax = \"proto3\";\npackage example.v1;\n"
	for option, file := range map[string]string{"(buf.validate.": "buf/validate/validate.proto", "(svc.v1.": "svc/v1/svc.proto"} {
		if strings.Contains(text, option) {
			header += "import \"" + file + "\";\n"
		}
	}
	return contract{files: map[string]string{"example.proto": header + text + "\n"}, options: options}
}

// TestComplete checks that every rule has a case that shows it, and every option
// a rule that is there.
func TestComplete(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range cases {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	ids := map[string]bool{}
	for _, r := range rules() {
		ids[r.id] = true
		if !strings.Contains(all.String(), ": "+r.id+": ") {
			t.Errorf("no case shows %s", r.id)
		}
	}
	for _, o := range options() {
		if !ids[o.rule] {
			t.Errorf("option %s is of rule %s, which there is not", o.name, o.rule)
		}
	}
}

func TestMarkdown(t *testing.T) {
	name := filepath.Join(repository, "docs/lint.md")
	if *update {
		if err := os.WriteFile(name, []byte(markdown()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), markdown()); diff != "" {
		t.Errorf("docs/lint.md is stale, -update rewrites it (-file +table)\n%s", diff)
	}
}

// TestVerbs checks that the lists hold words that can be found: of one kind, once.
func TestVerbs(t *testing.T) {
	for word := range verbs {
		if got := split(word); len(got) != 1 || strings.ToLower(word) != word {
			t.Errorf("verb %q is not one word in lower case", word)
		}
	}
	for word := range money {
		if qualifiers[word] {
			t.Errorf("%q is money and a unit", word)
		}
	}
}

func TestSplit(t *testing.T) {
	for name, want := range map[string]string{
		"GetHTTPStatus": "Get HTTP Status",
		"getUser":       "get User",
		"GET":           "GET",
		"Get2Users":     "Get2 Users",
		"_get__user_":   "get user",
		"OAuth":         "O Auth",
		"":              "",
		"ÄndereÜber":    "Ändere Über",
	} {
		if got := strings.Join(split(name), " "); got != want {
			t.Errorf("split(%q) is %q, want %q", name, got, want)
		}
	}
}
