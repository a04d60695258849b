package sync

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestLine removes one buf after the other: what is left is taken in the order of
// the help.
func TestLine(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, mode := range map[string]os.FileMode{"path/buf": 0o755, "bin/buf": 0o755, "tools/buf/go.mod": 0o644} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	path, err := filepath.Abs("path")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", path)
	for _, c := range []struct {
		command []string
		gone    string
		want    []string
	}{
		{[]string{"go", "tool", "buf"}, "none", []string{"go", "tool", "buf"}},
		{nil, "none", []string{"buf"}},
		{nil, "path/buf", []string{"bin/buf"}},
		{nil, "bin/buf", []string{"go", "tool", "-modfile=tools/buf/go.mod", "buf"}},
	} {
		_ = os.Remove(c.gone)
		if got, err := (Buf{Command: c.command}).Line(); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("with %q and without %s: %q (%v), want %q", c.command, c.gone, got, err, c.want)
		}
	}
}
