package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/protosvc/protosvc/internal/testbuf"
	"github.com/protosvc/protosvc/internal/testfolder"
	"github.com/protosvc/protosvc/internal/testreadme"
)

// recipes are contracts of a reader of README.md: what it says must do for each.
var recipes = []struct{ name, imports, option, rule string }{
	{"without annotations", "", "", ""},
	{"with rules", `import "buf/validate/validate.proto";`, "", "[(buf.validate.field).string.min_len = 1]"},
	{"with both", `import "buf/validate/validate.proto"; import "svc/v1/svc.proto";`, `option (svc.v1.service) = {name: "stock"};`, "[(buf.validate.field).string.min_len = 1]"},
}

// TestReadme does what README.md says under "In your own module", and
// docs/own-module.md of handlers, word for word but for the release, whose place a
// checkout takes as they say too.
func TestReadme(t *testing.T) {
	if testing.Short() {
		t.Skip("generates and builds modules")
	}
	t.Parallel()
	repository, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	m, err := testreadme.ReadOwnModule(repository)
	if err != nil {
		t.Fatal(err)
	}
	tools := t.TempDir()
	testbuf.Link(t, repository, tools)
	for _, r := range recipes {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			dir := testfolder.New(t, "readme-"+strings.ReplaceAll(r.name, " ", "-"))
			writeAll(t, dir, map[string]string{
				"proto/stock/v1/stock.proto": "syntax = \"proto3\";\npackage stock.v1;\n" + r.imports + "\noption go_package = \"example.com/stock/generated/stock/v1;stockv1\";\nservice StockService {\n" + r.option + "\nrpc Get(GetRequest) returns (GetResponse);\n}\nmessage GetRequest {\nstring id = 1 " + r.rule + ";\n}\nmessage GetResponse {}\n",
			})
			shell(t, dir, tools, m.Begin)
			shell(t, dir, tools, m.Generate)
			text, err := os.ReadFile(filepath.Join(dir, "buf.gen.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			handlers, err := m.WithHandlers(string(text))
			if err != nil {
				t.Fatal(err)
			}
			writeAll(t, dir, map[string]string{"buf.gen.yaml": handlers})
			shell(t, dir, tools, m.Handlers)
			if stubs, _ := filepath.Glob(filepath.Join(dir, "services/stock/*.go")); len(stubs) == 0 {
				t.Error("sync wrote no stubs")
			}
		})
	}
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
