// Package gocmd knows what the go command makes of the names of files and
// folders: some it leaves out without a word, others it refuses.
package gocmd

import (
	"go/build"
	"io"
	"slices"
	"strings"
)

// special are the folders with a meaning of their own, and devices the names that
// Windows keeps to itself: the go command refuses them everywhere, and with them
// all packages that "./..." would have found.
var (
	special = []string{"internal", "testdata", "vendor"}
	devices = []string{
		"aux", "con", "nul", "prn",
		"com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
		"lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
	}
)

// Ordinary reports whether a folder is to the go command like any other.
func Ordinary(folder string) bool {
	return !slices.Contains(special, folder) && !strings.HasPrefix(folder, "_") && !strings.HasPrefix(folder, ".") && !isDevice(folder)
}

func isDevice(folder string) bool {
	name, _, _ := strings.Cut(strings.ToLower(folder), ".")
	return slices.Contains(devices, name)
}

// Importable reports whether Go code can import a path. The rule is that of
// golang.org/x/mod/module.CheckImportPath, and that vendored packages are
// imported by another path.
func Importable(path string) bool {
	if strings.HasPrefix(path, "-") {
		return false
	}
	for element := range strings.SplitSeq(path, "/") {
		if element == "" || element == "vendor" || strings.HasSuffix(element, ".") || isDevice(element) || isShortName(element) || strings.ContainsFunc(element, notInPath) {
			return false
		}
	}
	return true
}

// isShortName reports whether an element ends as Windows shortens names: "~1".
func isShortName(element string) bool {
	name, _, _ := strings.Cut(element, ".")
	i := strings.LastIndexByte(name, '~')
	return i >= 0 && i < len(name)-1 && strings.Trim(name[i+1:], "0123456789") == ""
}

func notInPath(r rune) bool {
	isLetter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	return !isLetter && (r < '0' || r > '9') && !strings.ContainsRune("-._~+", r)
}

// AlwaysBuilt reports whether a Go file is part of its package on every platform:
// the go command leaves out run_test.go and, elsewhere, reboot_windows.go.
func AlwaysBuilt(file string) bool {
	nowhere := build.Context{GOOS: "none", GOARCH: "none", Compiler: "gc", OpenFile: func(string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("package p\n")), nil
	}}
	matches, err := nowhere.MatchFile("", file)
	return err == nil && matches && !strings.HasSuffix(file, "_test.go")
}
