package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/protosvc/protosvc/internal/testbuf"
	"github.com/protosvc/protosvc/internal/testfolder"
)

// recipes are contracts of a reader of README.md: what it says must do for each.
var recipes = []struct{ name, imports, option, rule string }{
	{"without annotations", "", "", ""},
	{"with rules", `import "buf/validate/validate.proto";`, "", "[(buf.validate.field).string.min_len = 1]"},
	{"with both", `import "buf/validate/validate.proto"; import "svc/v1/svc.proto";`, `option (svc.v1.service) = {name: "stock"};`, "[(buf.validate.field).string.min_len = 1]"},
}

// TestReadme does what README.md says under "In your own module", word for word
// but for the release, whose place a checkout takes as it says too.
func TestReadme(t *testing.T) {
	if testing.Short() {
		t.Skip("generates and builds modules")
	}
	t.Parallel()
	repository, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	section := readSection(t, filepath.Join(repository, "README.md"), "In your own module")
	tools := t.TempDir()
	testbuf.Link(t, repository, tools)
	for _, r := range recipes {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			dir := testfolder.New(t, "readme-"+strings.ReplaceAll(r.name, " ", "-"))
			writeAll(t, dir, map[string]string{
				"buf.yaml":                   section.file(t, "buf.yaml"),
				"buf.gen.yaml":               section.file(t, "buf.gen.yaml"),
				"proto/stock/v1/stock.proto": "syntax = \"proto3\";\npackage stock.v1;\n" + r.imports + "\noption go_package = \"example.com/stock/generated/stock/v1;stockv1\";\nservice StockService {\n" + r.option + "\nrpc Get(GetRequest) returns (GetResponse);\n}\nmessage GetRequest {\nstring id = 1 " + r.rule + ";\n}\nmessage GetResponse {}\n",
			})
			checkout := strings.Replace(section.commands(t, "-replace="), "../protosvc", repository, 1)
			module := replaceOnce(t, section.commands(t, "go mod init"), "go get github.com/protosvc/protosvc@latest\n", checkout)
			shell(t, dir, tools, module)
			shell(t, dir, tools, section.commands(t, "protos third_party"))
			handlers := replaceOnce(t, section.file(t, "buf.gen.yaml"), "# - handlers=", "- handlers=")
			writeAll(t, dir, map[string]string{"buf.gen.yaml": handlers})
			shell(t, dir, tools, section.commands(t, "protoc-gen-svc sync"))
			if stubs, _ := filepath.Glob(filepath.Join(dir, "services/stock/*.go")); len(stubs) == 0 {
				t.Error("sync wrote no stubs")
			}
		})
	}
}

// section is part of a Markdown file.
type section string

func readSection(t *testing.T, file, title string) section {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "\n## "+title+"\n")
	if !found {
		t.Fatalf("%s has no section %q", file, title)
	}
	part, _, _ := strings.Cut(after, "\n## ")
	return section(part)
}

// file is the YAML that follows a paragraph which begins with the name of a file.
func (s section) file(t *testing.T, name string) string {
	t.Helper()
	return s.block(t, "(?s)\n`"+regexp.QuoteMeta(name)+"`[^`]*```yaml\n(.*?)```", name)
}

// commands are the first block of commands that has some words in it.
func (s section) commands(t *testing.T, words string) string {
	t.Helper()
	return s.block(t, "(?s)```sh\n([^`]*"+regexp.QuoteMeta(words)+"[^`]*)```", words)
}

func (s section) block(t *testing.T, pattern, what string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(string(s))
	if m == nil {
		t.Fatalf("README.md has no block %s", what)
	}
	return m[1]
}

func replaceOnce(t *testing.T, text, old, with string) string {
	t.Helper()
	if strings.Count(text, old) != 1 {
		t.Fatalf("want %q once in\n%s", old, text)
	}
	return strings.Replace(text, old, with, 1)
}

// shell runs commands that must all succeed. What they link is without DWARF, which takes
// a third of the time.
func shell(t *testing.T, dir, tools, commands string) {
	t.Helper()
	cmd := exec.Command("bash", "-euxo", "pipefail", "-c", commands)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+tools+string(os.PathListSeparator)+os.Getenv("PATH"), "GOWORK=off", "GOFLAGS=-ldflags=-w")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
}
