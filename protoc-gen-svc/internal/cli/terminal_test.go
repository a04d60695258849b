package cli

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTerminal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{file: false, os.DevNull: false, "/dev/ptmx": true} {
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			t.Logf("%s is not tried: %v", name, err)
			continue
		}
		defer f.Close()
		if got := Terminal(f); got != want {
			t.Errorf("Terminal(%s) = %t, want %t", name, got, want)
		}
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	if Terminal(read) {
		t.Error("a pipe is a terminal")
	}
	_ = read.Close()
	if Terminal(read) {
		t.Error("a closed file is a terminal")
	}
}
