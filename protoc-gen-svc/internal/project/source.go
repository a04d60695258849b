package project

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// self is the module that this program is part of, which every project requires.
const self = "github.com/protosvc/protosvc"

// source is where a project gets this module from.
type source struct {
	Version string
	// Dir is a checkout that takes the version's place; empty for a release.
	Dir string
}

// unreleased stands where a version must stand and a checkout takes its place.
const unreleased = "v0.0.0"

// findSource returns the checkout that is asked for, or what the running program
// was built from.
func findSource(replace string) (source, error) {
	if replace != "" {
		return checkout(replace)
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		if version := release(info); version != "" {
			return source{Version: version}, nil
		}
	}
	return builtFrom()
}

// release is the version of this module in a program, if it came from the module
// cache: only what did has a checksum. Teams link this module into plugins of
// their own, so it need not be the main one.
func release(info *debug.BuildInfo) string {
	for _, m := range slices.Concat([]*debug.Module{&info.Main}, info.Deps) {
		if m.Path == self && m.Replace == nil && m.Sum != "" {
			return m.Version
		}
	}
	return ""
}

// builtFrom is the checkout that holds this file, as the compiler saw it.
func builtFrom() (source, error) {
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		if s, err := checkout(filepath.Join(filepath.Dir(file), "..", "..", "..")); err == nil {
			return s, nil
		}
	}
	return source{}, errors.New("this program is no release and its checkout is not to be found: say where one is with --replace=DIR")
}

// checkout makes sure that a folder is one of this module.
func checkout(dir string) (source, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return source{}, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil || !slices.Contains(strings.Split(string(text), "\n"), "module "+self) {
		return source{}, fmt.Errorf("replace %q is not a checkout of %s (want the folder with its go.mod)", dir, self)
	}
	return source{Version: unreleased, Dir: dir}, nil
}
