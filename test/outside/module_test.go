package outside_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/protosvc/protosvc/internal/testbuf"
	"github.com/protosvc/protosvc/internal/testfolder"
)

const (
	repository = "../.."
	example    = "testdata/stock"
)

// module is a Go module outside the repository, in a temporary folder.
type module struct{ dir, bin string }

// newModule copies the example.
func newModule(t *testing.T) module {
	t.Helper()
	m := module{dir: testfolder.New(t, "outside"), bin: t.TempDir()}
	if err := os.CopyFS(m.dir, os.DirFS(example)); err != nil {
		t.Fatal(err)
	}
	testbuf.Link(t, repository, m.bin) // the commands expect buf in PATH
	return m
}

// edit changes a file.
func (m module) edit(t *testing.T, name string, change func(string) (string, error)) {
	t.Helper()
	path := filepath.Join(m.dir, name)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := change(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
}

// follow runs the commands of a step of the recipe and returns what they print.
func (m module) follow(t *testing.T, commands string) string {
	t.Helper()
	t.Setenv("PATH", m.bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	return command(t, m.dir, "bash", "-euxo", "pipefail", "-c", commands)
}

// build builds the service and returns the path of its binary.
func (m module) build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(m.bin, "stock")
	command(t, m.dir, "go", "build", "-o", binary, "./generated/deploy/stock/cmd/stock")
	return binary
}

func (m module) exists(name string) bool {
	_, err := os.Stat(filepath.Join(m.dir, name))
	return err == nil
}

// command runs a command that must succeed.
func command(t *testing.T, dir string, line ...string) string {
	t.Helper()
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Dir = dir
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(line, " "), err, output)
	}
	return string(output)
}
