package testreadme

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(page, []byte("# A\n\n## B\n\n```sh\none\n```\n\n```yaml\ntwo\n```\n\n```sh\ntwo\n```\n\n## C\n\n```sh\nthree\n```\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(page, "A"); err == nil || err.Error() != page+` has no section "A"` {
		t.Errorf("the page itself: %v", err)
	}
	s, err := Find(page, "B")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Block("sh", "two"); got != "two\n" || err != nil {
		t.Errorf("block %q, %v, want the second one of sh", got, err)
	}
	if _, err := s.Block("sh", "three"); err == nil || err.Error() != page+` has no block of sh with "three"` {
		t.Errorf("the block of another section: %v", err)
	}
}

// TestOwnModule: the pages have what is looked for.
func TestOwnModule(t *testing.T) {
	m, err := ReadOwnModule("../..")
	if err != nil {
		t.Fatal(err)
	}
	if want := "go mod init example.com/stock\ngo -C '../..' run ./protoc-gen-svc init --dir=$PWD\n"; m.Begin != want {
		t.Errorf("begins with\n%swant\n%s", m.Begin, want)
	}
	text := "      - root=x\n" + strings.SplitAfter(m.Edit, "\n")[0][1:]
	if got, err := m.WithHandlers(text); err != nil || got != "      - root=x\n      - handlers=example.com/stock/services\n" {
		t.Errorf("with handlers %q, %v", got, err)
	}
	if _, err := m.WithHandlers("- root=x\n"); err == nil {
		t.Error("the edit fits where its line is missing")
	}
}

func TestEdit(t *testing.T) {
	got, err := Edit("a\nb\n\nc\nb\n", " a\n-b\n+B\n\n@@\n c\n-b\n+d\n")
	if want := "a\nB\n\nc\nd\n"; err != nil || got != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	for diff, want := range map[string]string{
		"-b\n": "this is there 2 times, want once:\nb\n",
		" x\n": "this is there 0 times, want once:\nx\n",
	} {
		if _, err := Edit("a\nb\nb\n", diff); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", diff, err, want)
		}
	}
}
