package main

import (
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// Patches follow the files that they change.
func TestKnownMutants(t *testing.T) {
	all, err := knownMutants(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("there are no known mutants")
	}
	for _, m := range all {
		for file, source := range m.files {
			if _, err := parser.ParseFile(token.NewFileSet(), file, source, parser.SkipObjectResolution); err != nil {
				t.Errorf("%s: %v", m.name, err)
			}
		}
	}
}

// Whatever is changed has tests that judge it, and is of the folders that are meant.
func TestSites(t *testing.T) {
	all, err := sites(root)
	if err != nil {
		t.Fatal(err)
	}
	folders := map[string]int{}
	for _, m := range all {
		folders[path.Dir(m.file)]++
		if strings.HasSuffix(m.file, "_test.go") || strings.HasPrefix(m.file, "svc/oracle/") {
			t.Errorf("%s is changed", m.file)
		}
	}
	for _, want := range append([]string{"svc", "svc/internal/breaker"}, roots...) {
		if folders[want] == 0 {
			t.Errorf("nothing of %s is changed", want)
		}
	}
	known, err := knownMutants(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range known {
		for _, folder := range m.folders() {
			folders[folder]++
		}
	}
	for folder := range folders {
		for _, asked := range judgeOf(folder).tests {
			if files, _ := filepath.Glob(filepath.Join(root, asked.pkg, "*_test.go")); len(files) == 0 {
				t.Errorf("%s is judged by %s, which has no tests", folder, asked.pkg)
			}
		}
	}
	for _, j := range judges {
		if folders[j.folder] == 0 {
			t.Errorf("there is a row for %s, of which nothing is changed", j.folder)
		}
	}
	t.Logf("%d mutations and %d patches in %d folders", len(all), len(known), len(folders))
}
