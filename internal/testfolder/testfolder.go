// Package testfolder has folders for tests that build Go code outside of the
// repository.
package testfolder

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// New makes an empty folder that is removed when the test ends, with the same path each
// time. A second run at the same time has a folder of its own.
func New(t *testing.T, name string) string {
	t.Helper()
	dir, err := Make(name)
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// Make makes an empty folder, which the caller removes. It has the same path each time,
// since the go command compiles a package again when its folder has another. Where it is
// in use, there is an error.
func Make(name string) (string, error) {
	dir := filepath.Join(os.TempDir(), "protosvc-test-"+name)
	// What a run that was killed left behind: an hour is longer than any run takes.
	if info, err := os.Lstat(dir); err == nil && time.Since(info.ModTime()) > time.Hour {
		os.RemoveAll(dir) // or else Mkdir fails
	}
	return dir, os.Mkdir(dir, 0o700)
}

// Environment is that of a command in a folder. The make that runs this test must not tell
// another one what to do.
func Environment(dir string) []string {
	return append(os.Environ(), "PWD="+dir, "MAKEFLAGS=", "MAKELEVEL=0", "MAKEOVERRIDES=", "RACE=")
}
