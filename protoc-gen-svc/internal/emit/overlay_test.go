package emit

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"text/template"

	"github.com/google/go-cmp/cmp"

	"github.com/protosvc/protosvc/templates"
)

const deployment = "k8s/deployment.yaml.tmpl"

func files(texts ...string) fstest.MapFS {
	out := fstest.MapFS{}
	for i := 0; i < len(texts); i += 2 {
		out[texts[i]] = &fstest.MapFile{Data: []byte(texts[i+1])}
	}
	return out
}

// TestTemplatesFit: our own templates ask for nothing that the model lacks, in
// no branch.
func TestTemplatesFit(t *testing.T) {
	if err := Check(templates.FS, Overlay{}); err != nil {
		t.Error(err)
	}
}

// TestCheck: the exact text about everything that an overlay can get wrong.
func TestCheck(t *testing.T) {
	tests := []struct {
		name    string
		overlay Overlay
		want    []string
	}{
		{"a file of ours", Overlay{Templates: files(deployment, "{{requires 1}}name: {{.Name}}")}, nil},
		{"a partial of ours", Overlay{Templates: files("k8s/partials.tmpl", `{{define "labels"}}{{end}}`)}, nil},
		{"what funcs execute", Overlay{Templates: files("config/partials.tmpl", `{{define "wording listen"}}x{{end}}{{define "aboutSetting"}}{{.Type}}{{end}}{{define "withheldSetting"}}{{.About}}{{end}}`)}, nil},
		{"a field in what funcs execute", Overlay{Templates: files("config/partials.tmpl", `{{define "setting"}}{{.Abut}}{{end}}`)}, []string{
			`config/partials.tmpl:1:23: .Abut: wordedSetting has no field or method "Abut" (did you mean "About"?)`,
		}},
		{"a wording of nothing", Overlay{Templates: files("config/partials.tmpl", `{{define "wording lisen"}}x{{end}}`)}, []string{
			`config/partials.tmpl: no template uses "wording lisen" (did you mean "wording listen"?)`,
		}},
		{"a new partial", Overlay{Templates: files("docker/partials.tmpl", `{{define "base"}}x{{end}}`, "docker/Dockerfile.tmpl", `FROM {{template "base"}}`)}, nil},
		{"a file of its own", Overlay{Templates: files("go/audit.go.tmpl", "package x"), Files: []File{{"go/audit.go.tmpl", "{{.Package.Dir}}/x.go"}}}, nil},
		{"an unknown file", Overlay{Templates: files("k8s/deploymnt.yaml.tmpl", "")}, []string{
			`k8s/deploymnt.yaml.tmpl: there is no template of this name (did you mean "k8s/deployment.yaml.tmpl"?)`,
		}},
		{"a file that is none", Overlay{Templates: files("k8s/deployment.yaml", "")}, []string{
			`k8s/deployment.yaml: there is no template of this name (did you mean "k8s/deployment.yaml.tmpl"?)`,
		}},
		{"a folder too many", Overlay{Templates: files("our/overlay/"+deployment, "x")}, []string{
			`our/overlay/k8s/deployment.yaml.tmpl: there is no template of this name (want "k8s/deployment.yaml.tmpl": take the folder off with fs.Sub(files, "our/overlay"))`,
		}},
		{"a file without text", Overlay{Templates: files(deployment, " \n")}, []string{`k8s/deployment.yaml.tmpl: the template is empty`}},
		{"no template", Overlay{Templates: files(deployment, "\n{{if}}")}, []string{`k8s/deployment.yaml.tmpl:2: missing value for if`}},
		{"no func", Overlay{Templates: files(deployment, "\n{{qote .Name}}")}, []string{`k8s/deployment.yaml.tmpl:2: function "qote" not defined`}},
		{"fields", Overlay{Templates: files(deployment, "a: {{.Nmae}}\n{{with .Database}}\n  b: {{.Secrt}}{{end}}")}, []string{
			`k8s/deployment.yaml.tmpl:1:6: .Nmae: Service has no field or method "Nmae" (did you mean "Name"?)`,
			`k8s/deployment.yaml.tmpl:3:8: .Secrt: Database has no field or method "Secrt" (did you mean "Secret"?)`,
		}},
		{"a field in a partial", Overlay{Templates: files("k8s/partials.tmpl", "{{define \"labels\"}}\n{{range .}}{{.Kee}}{{end}}{{end}}")}, []string{
			`k8s/partials.tmpl:2:14: .Kee: Pair has no field or method "Kee" (did you mean "Key"?)`,
		}},
		{"an unused partial", Overlay{Templates: files("k8s/partials.tmpl", `{{define "metdata"}}x{{end}}`)}, []string{
			`k8s/partials.tmpl: no template uses "metdata" (did you mean "metadata"?)`,
		}},
		{"a partial twice", Overlay{Templates: files("a/partials.tmpl", `{{define "labels"}}x{{end}}`, "b/partials.tmpl", `{{define "labels"}}y{{end}}`)}, []string{
			`b/partials.tmpl: "labels" is defined in a/partials.tmpl too, and definitions hold for all templates`,
		}},
		{"a newer model", Overlay{Templates: files(deployment, "{{- requires 2}}x")}, []string{
			`k8s/deployment.yaml.tmpl: written for version 2 of the data model, and this plugin has version 1: build it with a newer github.com/protosvc/protosvc`,
		}},
		{"a model in a partial", Overlay{Templates: files("k8s/partials.tmpl", "{{requires 2}}\n"+`{{define "labels"}}{{end}}`)}, []string{
			`k8s/partials.tmpl: written for version 2 of the data model, and this plugin has version 1: build it with a newer github.com/protosvc/protosvc`,
		}},
		{"a file of ours again", Overlay{Files: []File{{deployment, "x"}}}, []string{`k8s/deployment.yaml.tmpl: there is an output of this template already`}},
		{"a file without template", Overlay{Files: []File{{"go/audit.go.tmpl", "x"}}}, []string{`go/audit.go.tmpl: no overlay has this template`}},
		{"a path that is none", Overlay{Templates: files("a.tmpl", "x"), Files: []File{{"a.tmpl", "{{.Deplo}}/a"}}}, []string{
			`path of a.tmpl:1:3: .Deplo: Service has no field or method "Deplo" (did you mean "Deploy"?)`,
		}},
		{"a path that cannot be parsed", Overlay{Templates: files("a.tmpl", "x"), Files: []File{{"a.tmpl", "{{.Deploy"}}}, []string{
			`path of a.tmpl:1: unclosed action`,
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			if err := Check(templates.FS, test.overlay); err != nil {
				lines := strings.Split(err.Error(), "\n")
				if !strings.Contains(lines[0], "in the templates:") {
					t.Errorf("headline is %q", lines[0])
				}
				got = lines[1:]
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFuncsAreDocumented: the manual has a row for each func, and no other.
func TestFuncsAreDocumented(t *testing.T) {
	manual, err := os.ReadFile("../../../docs/overlay.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(manual), "\n## Functions\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var got []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)").FindAllStringSubmatch(section, -1) {
		got = append(got, row[1])
	}
	slices.Sort(got)
	own := maps.Clone(plainFuncs)
	maps.Copy(own, goFuncs(nil))
	maps.Copy(own, wordingFuncs(nil))
	if diff := cmp.Diff(slices.Sorted(maps.Keys(own)), got); diff != "" {
		t.Errorf("funcs in docs/overlay.md (-want +got):\n%s", diff)
	}
}

func TestVersionFault(t *testing.T) {
	if got := versionFault(2, 2); got != "" {
		t.Errorf("equal versions: %s", got)
	}
	const want = "written for version 1 of the data model, and this plugin has version 2: docs/overlay.md says what changed; once it fits, let it begin with {{requires 2}}"
	if got := versionFault(1, 2); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRequired(t *testing.T) {
	for text, want := range map[string]int{
		"x":                                 1,
		"{{.Name}}":                         1,
		"{{requires 1}}":                    1,
		"{{- /* ours */ -}} {{requires 7}}": 7,
		"{{- requires 3 -}}\nx":             3,
		`{{requires "3"}}`:                  0,
	} {
		parsed, err := template.New("").Funcs(allFuncs()).Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := required(parsed.Root); got != want {
			t.Errorf("%s requires %d, want %d", text, got, want)
		}
	}
}
