// Package testbuf finds the pinned buf for tests.
package testbuf

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Find returns the path of the buf that tools/buf of the repository pins. The go command
// keeps what it links for go tool, other than for go build, and linking buf takes long.
func Find(t *testing.T, repository string) string {
	t.Helper()
	find := exec.Command("go", "tool", "-modfile=tools/buf/go.mod", "-n", "buf")
	find.Dir = repository
	path, err := find.Output()
	if err != nil {
		t.Fatalf("%s: %v", find, err)
	}
	return strings.TrimSpace(string(path))
}

// Link puts it into a folder for PATH.
func Link(t *testing.T, repository, folder string) {
	t.Helper()
	if err := os.Symlink(Find(t, repository), filepath.Join(folder, "buf")); err != nil {
		t.Fatal(err)
	}
}
