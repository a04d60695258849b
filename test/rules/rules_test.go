// Package rules_test holds the validators that the plugin generates against
// protovalidate. The protos are those of the plugin's golden files.
package rules_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

const (
	repository = "../.."
	archives   = repository + "/protoc-gen-svc/internal/rules/testdata/*.txtar"

	// generated is where the code goes, in a folder of this module, so that it
	// sees the module's dependencies. Git ignores it.
	generated  = "gen"
	importPath = "github.com/protosvc/protosvc/test/rules/" + generated
)

var (
	seed   = flag.Uint64("seed", 1, "where the random messages begin")
	rounds = flag.Int("rounds", 8000, "messages of each type")
)

// TestOracle generates code for all archives, compiles it, and lets package
// oracle compare it with protovalidate.
func TestOracle(t *testing.T) {
	clean := func() {
		if err := os.RemoveAll(generated); err != nil {
			t.Error(err)
		}
	}
	clean()
	t.Cleanup(clean)

	module := t.TempDir()
	extract(t, filepath.Join(module, "proto"))
	generate(t, module)
	main(t)
	run(t, ".", "go", "vet", "./"+generated+"/...")
	t.Logf("%s", run(t, ".", "go", "run", "./"+generated))
}

// extract writes the protos of all archives that have no faults.
func extract(t *testing.T, to string) {
	t.Helper()
	names, err := filepath.Glob(archives)
	if err != nil || len(names) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range archive.Files {
			if strings.HasSuffix(file.Name, ".proto") && bytes.Contains(file.Data, []byte(importPath)) {
				write(t, filepath.Join(to, file.Name), file.Data)
			}
		}
	}
}

// generate runs protoc-gen-go and the generator of rules under buf.
func generate(t *testing.T, module string) {
	t.Helper()
	const validate = "buf/validate/validate.proto"
	var downloaded struct{ Dir string }
	out := run(t, repository, "go", "mod", "download", "-json", "github.com/bufbuild/protovalidate@v1.2.2")
	if err := json.Unmarshal(out, &downloaded); err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(downloaded.Dir, "proto/protovalidate", validate))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(module, "validate", validate), source)
	write(t, filepath.Join(module, "buf.yaml"), []byte("version: v2\nmodules:\n  - path: proto\n  - path: validate\n"))
	folder, err := filepath.Abs(generated)
	if err != nil {
		t.Fatal(err)
	}
	run(t, repository, "go", "tool", "-modfile=tools/buf/go.mod", "buf", "generate", module,
		"--exclude-path", filepath.Join(module, "validate/buf"), "--template", template(t, folder))
}

func template(t *testing.T, out string) string {
	t.Helper()
	plugin := func(command ...string) map[string]any {
		return map[string]any{"local": command, "out": out, "opt": "module=" + importPath}
	}
	text, err := json.Marshal(map[string]any{"version": "v2", "plugins": []any{
		plugin("go", "tool", "protoc-gen-go"),
		plugin("go", "run", "./protoc-gen-svc/internal/rules/protoc-gen-rules"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// main writes the program that hands all validators to package oracle.
func main(t *testing.T) {
	t.Helper()
	var packages []string
	err := filepath.WalkDir(generated, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == "rules.go" {
			packages = append(packages, filepath.ToSlash(filepath.Dir(path)))
		}
		return err
	})
	if err != nil || len(packages) == 0 {
		t.Fatalf("nothing was generated: %v", err)
	}
	slices.Sort(packages)
	var imports, tables strings.Builder
	for i, name := range packages {
		fmt.Fprintf(&imports, "\tp%d %q\n", i, "github.com/protosvc/protosvc/test/rules/"+name)
		fmt.Fprintf(&tables, "p%d.Validators, ", i)
	}
	write(t, filepath.Join(generated, "main.go"), fmt.Appendf(nil, program, imports.String(), *seed, *rounds, tables.String()))
}

const program = `package main

import (
	"os"

	"github.com/protosvc/protosvc/test/rules/oracle"
%s)

func main() {
	if oracle.Run(os.Stdout, %d, %d, %s) > 0 {
		os.Exit(1)
	}
}
`

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, folder, name string, args ...string) []byte {
	t.Helper()
	command := exec.Command(name, args...)
	command.Dir = folder
	var problems bytes.Buffer
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", command, err, problems.String(), out)
	}
	return out
}
