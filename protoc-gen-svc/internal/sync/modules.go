package sync

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// modules are the Go modules that are worked on here, path to folder: the main
// module, or all of a workspace.
type modules map[string]string

// listModules asks the go command, which knows about go.mod and go.work.
func listModules(ctx context.Context) (modules, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Path}}\t{{.Dir}}")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); errors.Is(err, exec.ErrNotFound) {
		return nil, errors.New("the go command is not in PATH: install Go (https://go.dev/dl) first")
	} else if err != nil {
		return nil, fmt.Errorf("go list -m: %w\n%s", err, strings.TrimSpace(stderr.String()))
	}
	found := modules{}
	for line := range strings.Lines(stdout.String()) {
		if path, dir, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			found[path] = dir
		}
	}
	if len(found) == 0 {
		return nil, errors.New("there is no go.mod here or above: run \"go mod init\" first")
	}
	return found, nil
}

// dir returns the folder of a package, relative to the current directory where
// that is shorter to read.
func (m modules) dir(importPath string) (string, error) {
	module := ""
	for path := range m {
		if (importPath == path || strings.HasPrefix(importPath, path+"/")) && len(path) > len(module) {
			module = path
		}
	}
	if module == "" {
		return "", fmt.Errorf("package %q is in none of the modules here (%s)", importPath, m)
	}
	dir := filepath.Join(m[module], filepath.FromSlash(strings.TrimPrefix(importPath, module)))
	if current, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(current, dir); err == nil && !strings.HasPrefix(rel, "..") {
			return rel, nil
		}
	}
	return dir, nil
}

func (m modules) String() string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}
