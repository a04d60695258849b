package main

import (
	"go/build"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// roots are the folders whose code is changed.
var roots = []string{"svc", "protoc-gen-svc/internal/model"}

// left are folders of no code that runs in a service or in the plugin.
var left = []string{"svc/oracle"}

// sites returns every mutation of the project, by file and position.
func sites(root string) ([]mutation, error) {
	var all []mutation
	for _, r := range roots {
		files, err := goFiles(root, r)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			source, err := os.ReadFile(filepath.Join(root, file))
			if err != nil {
				return nil, err
			}
			of, err := mutations(file, string(source))
			if err != nil {
				return nil, err
			}
			all = append(all, of...)
		}
	}
	return all, nil
}

// goFiles returns the Go files below a folder that are compiled here and are no
// tests, in order.
func goFiles(root, folder string) ([]string, error) {
	var files []string
	err := fs.WalkDir(os.DirFS(root), folder, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains(left, file) || entry.Name() == "testdata" {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		compiled, err := build.Default.MatchFile(filepath.Join(root, path.Dir(file)), entry.Name())
		if compiled {
			files = append(files, file)
		}
		return err
	})
	return files, err
}
