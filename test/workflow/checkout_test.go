package workflow_test

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/protosvc/protosvc/internal/testfolder"
)

const repository = "../.."

// buf is how the Makefile runs buf.
var buf = []string{"go", "tool", "-modfile=tools/buf/go.mod", "buf"}

// checkout is a copy of the repository's sources, in which a test may do what a
// user does.
type checkout struct{ dir string }

// copyRepository copies what git tracks or would track, so that the test sees
// the work in progress but nothing that only this machine has.
func copyRepository(t *testing.T) checkout {
	t.Helper()
	list := exec.Command("git", "ls-files", "-coz", "--exclude-standard")
	list.Dir = repository
	names, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	c := checkout{testfolder.New(t, "workflow")}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(repository, name))
		if os.IsNotExist(err) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		c.write(t, name, content)
	}
	return c
}

func (c checkout) write(t *testing.T, name string, content []byte) {
	t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func (c checkout) read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// try runs a command in the checkout and returns all that it prints.
func (c checkout) try(command ...string) (string, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "PWD="+c.dir)
	output, err := cmd.CombinedOutput()
	return string(output), err
}

// run runs a command that must succeed.
func (c checkout) run(t *testing.T, command ...string) string {
	t.Helper()
	output, err := c.try(command...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, output)
	}
	return output
}

func (c checkout) bufGenerate(t *testing.T) {
	t.Helper()
	c.run(t, append(slices.Clone(buf), "generate")...)
}

// sync writes stubs of handlers that are missing and returns what it prints.
func (c checkout) sync(t *testing.T) string {
	t.Helper()
	return c.run(t, "go", "run", "./protoc-gen-svc", "sync", "--buf="+strings.Join(buf, " "))
}

// edit is a change of a text: what matches, once, is replaced as by
// regexp.ReplaceAll. In patterns a dot matches line ends too, and ^ and $ are
// the ends of a line.
type edit struct{ pattern, replacement string }

func (c checkout) edit(t *testing.T, name string, edits ...edit) {
	t.Helper()
	text := []byte(c.read(t, name))
	for _, e := range edits {
		pattern := regexp.MustCompile("(?sm)" + e.pattern)
		if n := len(pattern.FindAll(text, -1)); n != 1 {
			t.Fatalf("%s: %q matches %d times, want once: the contract has changed, and this test must follow", name, e.pattern, n)
		}
		text = pattern.ReplaceAll(text, []byte(e.replacement))
	}
	c.write(t, name, text)
}

// files are the contents of the files in a folder of the checkout, by path.
type files map[string]string

// ignored are the folders that do not belong to the repository.
var ignored = []string{"bin", "third_party"}

// snapshot reads the folders.
func (c checkout) snapshot(t *testing.T, folders ...string) files {
	t.Helper()
	all := files{}
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(c.dir, folder), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && slices.Contains(ignored, d.Name()):
				return filepath.SkipDir
			case d.IsDir():
				return nil
			}
			name, err := filepath.Rel(c.dir, path)
			if err != nil {
				return err
			}
			all[name] = c.read(t, name)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// wantSame fails the test for every file that is not as it was before.
func wantSame(t *testing.T, before, after files) {
	t.Helper()
	if added := after.minus(before); len(added) > 0 {
		t.Errorf("new: %s", strings.Join(added, ", "))
	}
	if lost := before.minus(after); len(lost) > 0 {
		t.Errorf("gone: %s", strings.Join(lost, ", "))
	}
	for name, content := range before {
		if now, ok := after[name]; ok && now != content {
			t.Errorf("%s differs from line %d on", name, firstDifference(content, now))
		}
	}
}

// minus returns the names that other does not have.
func (f files) minus(other files) []string {
	names := slices.Sorted(maps.Keys(f))
	return slices.DeleteFunc(names, func(name string) bool { _, ok := other[name]; return ok })
}

// firstDifference returns the number of the first line that differs.
func firstDifference(a, b string) int {
	common := 0
	for common < min(len(a), len(b)) && a[common] == b[common] {
		common++
	}
	return 1 + bytes.Count([]byte(a[:common]), []byte("\n"))
}
