package project

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// tidy writes go.mod and has the go command complete it for the tools, in a
// folder without any Go file: those of the project import what is not generated
// yet. "make generate" tidies again when all of it is there. Of the files, go.mod
// then has what the go command made of it; go.sum lies beside it.
//
// Which versions these are follows from the one of this module, whose go.mod has
// all of them.
func tidy(ctx context.Context, dir string, files []file) error {
	i := slices.IndexFunc(files, func(f file) bool { return f.path == goMod })
	if err := files[i].write(dir); err != nil {
		return err
	}
	if _, err := goCommand(ctx, dir, modulesHint, "mod", "tidy"); err != nil {
		return err
	}
	var err error
	files[i].content, err = os.ReadFile(filepath.Join(dir, goMod))
	return err
}

// modulesHint is for commands that may have to download modules.
const modulesHint = " (\"go env GOPROXY\" says where modules come from)"

// goCommand runs the go command and returns what it prints. The hint is part of the
// error of a command that fails.
func goCommand(ctx context.Context, dir, hint string, args ...string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	// Neither a workspace above the new project nor flags such as -mod=vendor
	// are about it.
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "GO111MODULE=on", "PWD="+dir)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("the go command is not in PATH: install Go (https://go.dev/dl) first")
	case err != nil:
		words := args[:slices.IndexFunc(append(args, "-"), func(arg string) bool { return strings.HasPrefix(arg, "-") })]
		return nil, fmt.Errorf("go %s: %w; nothing is written, run init again when this is mended%s\n%s",
			strings.Join(words, " "), err, hint, strings.TrimSpace(stderr.String()))
	}
	return stdout.Bytes(), nil
}
