package project

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

const repository = "../../.."

func TestRelease(t *testing.T) {
	released := debug.Module{Path: self, Version: "v0.3.0", Sum: "h1:x"}
	plugin := debug.Module{Path: "example.com/plugin", Version: "v1.0.0", Sum: "h1:y"}
	replaced := released
	replaced.Replace = &debug.Module{Path: "../protosvc"}
	for _, c := range []struct {
		name string
		info debug.BuildInfo
		want string
	}{
		{"go run of a release", debug.BuildInfo{Main: released}, "v0.3.0"},
		{"a team's plugin", debug.BuildInfo{Main: plugin, Deps: []*debug.Module{&released}}, "v0.3.0"},
		{"a team's plugin with a replacement", debug.BuildInfo{Main: plugin, Deps: []*debug.Module{&replaced}}, ""},
		{"a checkout", debug.BuildInfo{Main: debug.Module{Path: self, Version: "(devel)"}}, ""},
		{"a checkout, stamped", debug.BuildInfo{Main: debug.Module{Path: self, Version: "v0.3.1-0.20261122170000-bcdb5c3df359"}}, ""},
	} {
		if got := release(&c.info); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestFindSource(t *testing.T) {
	checkout, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	want := source{Version: "v0.0.0", Dir: checkout}
	for _, replace := range []string{"", repository, checkout} {
		if got, err := findSource(replace); err != nil || got != want {
			t.Errorf("findSource(%q) = %v, %v, want %v", replace, got, err, want)
		}
	}
	fault := `replace "` + checkout + `/test" is not a checkout of github.com/protosvc/protosvc (want the folder with its go.mod)`
	if _, err := findSource(repository + "/test"); err == nil || err.Error() != fault {
		t.Errorf("a folder of another module: %v, want %s", err, fault)
	}
}

// TestPins checks that a new project has the buf of this repository.
func TestPins(t *testing.T) {
	for ours, theirs := range map[string]string{"go.mod": "buf.mod", "go.sum": "buf.sum"} {
		ours = "tools/buf/" + ours
		want, err := os.ReadFile(filepath.Join(repository, ours))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := templates.ReadFile("templates/" + theirs); err != nil || string(got) != string(want) {
			t.Errorf("%s is not %s (%v): cp %s protoc-gen-svc/internal/project/templates/%s", theirs, ours, err, ours, theirs)
		}
	}
}

// TestVersions checks that what go mod tidy makes of a new project has the tools
// and the versions of this repository.
func TestVersions(t *testing.T) {
	dir := t.TempDir()
	create(t, Options{Module: "example.com/shop", Services: []string{"user"}, Dir: dir})
	ours, theirs := readMod(t, repository), readMod(t, dir)
	if theirs.Go != ours.Go {
		t.Errorf("go %s, want %s", theirs.Go, ours.Go)
	}
	if want := append(ours.Tool, modPath{self + "/buf-plugin-svc"}, modPath{self + "/protoc-gen-svc"}); !slices.Equal(sorted(theirs.Tool), sorted(want)) {
		t.Errorf("tools %v, want %v", theirs.Tool, want)
	}
	for _, m := range theirs.Require {
		if m.Path != self && !slices.Contains(ours.Require, m) {
			t.Errorf("requires %v, which this repository does not", m)
		}
	}
}

// mod is a go.mod as "go mod edit -json" prints it.
type mod struct {
	Go      string
	Require []struct{ Path, Version string }
	Tool    []modPath
}

type modPath struct{ Path string }

func readMod(t *testing.T, dir string) (m mod) {
	t.Helper()
	cmd := exec.Command("go", "mod", "edit", "-json")
	cmd.Dir = dir
	text, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func sorted(tools []modPath) []modPath {
	return slices.SortedFunc(slices.Values(tools), func(a, b modPath) int { return strings.Compare(a.Path, b.Path) })
}
