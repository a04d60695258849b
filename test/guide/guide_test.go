package guide

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/protosvc/protosvc/internal/testbuf"
	"github.com/protosvc/protosvc/internal/testfolder"
)

const (
	repository = "../.."
	pages      = repository + "/docs/guide"
)

// TestGuide does what the pages say, one after the other, in one project.
func TestGuide(t *testing.T) {
	index, err := os.ReadFile(filepath.Join(pages, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`(?m)^\d+\. \[.*\]\((.+\.md)\)`).FindAllStringSubmatch(string(index), -1)
	if files, _ := filepath.Glob(filepath.Join(pages, "*-*.md")); len(names) == 0 || len(files) != len(names) {
		t.Fatalf("the index has %d pages, the folder %d", len(names), len(files))
	}
	p := project{filepath.Join(testfolder.New(t, "guide"), "notes"), map[string]string{}}
	p.begin(t)
	for _, name := range names {
		ok := t.Run(name[1], func(t *testing.T) {
			page, err := os.ReadFile(filepath.Join(pages, name[1]))
			if err != nil {
				t.Fatal(err)
			}
			blocks, err := Parse(string(page))
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range blocks {
				p.follow(t, b)
			}
		})
		if !ok {
			t.FailNow() // the next page begins where this one ends
		}
	}
}

// begin is the project as docs/guide/README.md begins it, built with this checkout. Its make
// finds buf made.
func (p project) begin(t *testing.T) {
	t.Helper()
	init := exec.Command("go", "run", "./protoc-gen-svc", "init", "example.com/notes", "--services=note", "--dir="+p.dir)
	init.Dir = repository
	if said, err := init.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", init, err, said)
	}
	bin := filepath.Join(p.dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	buf := fmt.Sprintf("#!/bin/sh\nexec %s \"$@\"\n", testbuf.Find(t, repository))
	if err := os.WriteFile(filepath.Join(bin, "buf"), []byte(buf), 0o755); err != nil {
		t.Fatal(err)
	}
}

// follow does what a block says.
func (p project) follow(t *testing.T, b Block) {
	t.Helper()
	if b.Language != "console" {
		p.write(t, b)
		return
	}
	for _, c := range Commands(b.Text) {
		p.play(t, c)
	}
}
