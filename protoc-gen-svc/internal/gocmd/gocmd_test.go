package gocmd

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/protosvc/protosvc/internal/testfolder"
)

// TestFolders asks the go command itself about a package in each folder.
func TestFolders(t *testing.T) {
	tests := map[string]struct{ ordinary, importable bool }{
		"order": {true, true}, "v1": {true, true}, "CamelCase": {true, true}, "main": {true, true}, "init": {true, true}, "cmd": {true, true}, "a_test": {true, true}, "a_linux": {true, true},
		"vendor": {false, false}, "aux": {false, false}, "CON": {false, false}, "nul.v1": {false, false}, "com1": {false, false}, "lpt9": {false, false},
		"internal": {false, true}, "testdata": {false, true}, "_hidden": {false, true}, ".hidden": {false, true},
		"console": {true, true}, "com10": {true, true}, "vendors": {true, true}, "Äpfel": {true, false}, "a b": {true, false}, "a~1": {true, false}, "a~b": {true, true}, "a+b": {true, true}, "a.": {true, false},
	}
	dir := testfolder.New(t, "gocmd")
	write(t, dir, "go.mod", "module example.com/m\n\ngo 1.26\n")
	for folder, want := range tests {
		if got := Ordinary(folder); got != want.ordinary {
			t.Errorf("Ordinary(%q) = %v", folder, got)
		}
		if got := Importable("example.com/m/" + folder + "/p"); got != want.importable {
			t.Errorf("Importable of %q = %v", folder, got)
		}
		write(t, dir, folder+"/p/p.go", "package p\n")
		write(t, dir, "m.go", "package m\n\nimport _ \"example.com/m/"+folder+"/p\"\n")
		command := exec.Command("go", "build", ".")
		command.Dir = dir
		if out, err := command.CombinedOutput(); (err == nil) != want.importable {
			t.Errorf("go build with an import of %q: %v\n%s", folder, err, out)
		}
	}
}

func TestImportable(t *testing.T) {
	for path, want := range map[string]bool{"time": true, "example.com/a": true, "": false, "/a": false, "a//b": false, "a/": false, "-a": false, "example.com/aux/v1": false, "a/vendor/b": false} {
		if got := Importable(path); got != want {
			t.Errorf("Importable(%q) = %v", path, got)
		}
	}
}

func TestAlwaysBuilt(t *testing.T) {
	for file, want := range map[string]bool{"order.pb.go": true, "linux.go": true, "a_linux_service.go": true, "a_linux.pb.go": false, "a_amd64.go": false, "a_test.go": false} {
		if got := AlwaysBuilt(file); got != want {
			t.Errorf("AlwaysBuilt(%q) = %v", file, got)
		}
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	name = filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
