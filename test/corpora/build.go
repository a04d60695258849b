package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var (
	moduleLine = regexp.MustCompile(`(?m)^module (.*)$`)
	toolBlock  = regexp.MustCompile(`(?ms)^tool (\(.*?^\)|.*?$)`)
)

// writeModule writes a go.mod that requires what the repository requires, and
// the repository's runtime itself: what a user's module would have.
func (w *workshop) writeModule() error {
	mod, err := os.ReadFile(filepath.Join(w.repository, "go.mod"))
	if err != nil {
		return err
	}
	own := moduleLine.FindSubmatch(mod)[1]
	text := moduleLine.ReplaceAllString(toolBlock.ReplaceAllString(string(mod), ""), "module "+module)
	if err := w.copyRuntime(); err != nil {
		return err
	}
	text += fmt.Sprintf("\nrequire %[1]s v0.0.0\n\nreplace %[1]s => %[2]s\n", own, w.path(runtimeCopy))
	if err := writeFile(w.path("module", "go.mod"), []byte(text)); err != nil {
		return err
	}
	return copyFile(filepath.Join(w.repository, "go.sum"), w.path("module", "go.sum"))
}

// runtimeCopy is a module with the part of the repository that outputs import.
const runtimeCopy = "runtime"

// runtimeFolders has what outputs import, and what that imports.
var runtimeFolders = []string{"svctest/fake", "svc", "internal"}

// copyRuntime copies the runtime: the go command compiles a package, and all that
// import it, again when its folder has another path, as it has in each clone.
func (w *workshop) copyRuntime() error {
	if err := os.RemoveAll(w.path(runtimeCopy)); err != nil {
		return err
	}
	for _, folder := range runtimeFolders {
		if err := os.CopyFS(w.path(runtimeCopy, folder), os.DirFS(filepath.Join(w.repository, folder))); err != nil {
			return err
		}
	}
	return copyFile(filepath.Join(w.repository, "go.mod"), w.path(runtimeCopy, "go.mod"))
}

// build compiles and vets all packages. The mains are compiled and not linked,
// which go build cannot do: start links them.
func (w *workshop) build(r *report) error {
	list, err := command(w.path("module"), nil, "go", "list", "-e", "./...")
	if err != nil {
		return err
	}
	r.packages = len(strings.Fields(string(list)))
	for _, tool := range [][]string{{"go", "list", "-export"}, {"go", "vet"}} {
		if _, err := command(w.path("module"), nil, tool[0], append(tool[1:], "./...")...); err != nil {
			r.compilerFailures(strings.Join(tool, " "), said(err))
			return nil // vet would say the same again
		}
	}
	return nil
}

// position begins a message of the compiler or of vet: a file below the folder
// of its corpus, then line and column.
var position = regexp.MustCompile(`^(?:vet: )?(?:\./)?([-a-z0-9]+)/(\S+\.go:\d+(?::\d+)?): (.*)$`)

// compilerFailures finds the corpus of each message. What has no position
// follows the one before it.
func (r *report) compilerFailures(tool, output string) {
	found := false
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, "\n")
		if m := position.FindStringSubmatch(line); m != nil {
			r.fail(m[1], m[2], "%s: %s", tool, m[3])
			found = true
		}
	}
	if !found {
		r.fail("", "", "%s: %s", tool, output)
	}
}
