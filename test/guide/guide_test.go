package guide

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
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
	index := read(t, "README.md")
	p := project{filepath.Join(testfolder.New(t, "guide"), "notes"), map[string]string{}}
	p.begin(t, index)
	for _, name := range listed(t, index) {
		if !t.Run(name, func(t *testing.T) { p.follow(t, read(t, name)) }) {
			t.FailNow() // the next page begins where this one ends
		}
	}
}

func read(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(pages, page))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// listed are the pages of the index, which are all that there are.
func listed(t *testing.T, index string) (names []string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`(?m)^\d+\. \[.*\]\((.+\.md)\)`).FindAllStringSubmatch(index, -1) {
		names = append(names, m[1])
	}
	files, err := filepath.Glob(filepath.Join(pages, "*-*.md"))
	if err != nil || len(names) == 0 || len(files) != len(names) {
		t.Fatalf("the index has the pages %q, the folder %q (%v)", names, files, err)
	}
	return names
}

// begin makes the project by the command of the index, but with this checkout. Its make
// finds buf made.
func (p project) begin(t *testing.T, index string) {
	t.Helper()
	command := regexp.MustCompile(`(?m)^go run .* (init .*)$`).FindStringSubmatch(index)
	if command == nil {
		t.Fatal("the index does not begin a project")
	}
	arguments := append([]string{"run", "./protoc-gen-svc"}, strings.Fields(command[1])...)
	init := exec.Command("go", append(arguments, "--dir="+p.dir)...)
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

// follow does what a page says.
func (p project) follow(t *testing.T, page string) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil && strings.Contains(page, "$ curl ") {
		t.Skip(err) // the last pages: no other one needs what they make
	}
	blocks, err := Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		if b.Language != "console" {
			p.write(t, b)
			continue
		}
		for _, c := range Commands(b.Text) {
			p.play(t, c)
		}
	}
}
