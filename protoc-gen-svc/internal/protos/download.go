package protos

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed pins.mod
var pinsMod []byte

//go:embed pins.sum
var pinsSum []byte

// download has the go command fetch and check every module of the pins, and
// returns the folder of each in the module cache.
func download(ctx context.Context) (map[string]string, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return nil, errors.New("the go command is not in PATH: third-party protos come out of Go modules, so install Go (https://go.dev/dl) first")
	}
	dir, err := os.MkdirTemp("", "protoc-gen-svc-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for name, content := range map[string][]byte{"go.mod": pinsMod, "go.sum": pinsSum} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return nil, err
		}
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", append([]string{"mod", "download", "-json"}, pinned()...)...)
	cmd.Dir = dir
	// The caller's project must not matter: neither its workspace nor flags
	// such as -mod=vendor.
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "GO111MODULE=on", "PWD="+dir)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	failed := cmd.Run()
	dirs, err := modules(&stdout)
	if err == nil && failed != nil {
		err = fmt.Errorf("go mod download: %w\n%s", failed, strings.TrimSpace(stderr.String()))
	}
	return dirs, err
}

// pinned returns the modules of pins.mod, as "path@version".
func pinned() []string {
	var out []string
	for line := range strings.Lines(string(pinsMod)) {
		if f := strings.Fields(line); len(f) == 2 && strings.HasPrefix(line, "\t") {
			out = append(out, f[0]+"@"+f[1])
		}
	}
	return out
}

// modules reads what "go mod download -json" prints, one value for each module.
func modules(r io.Reader) (map[string]string, error) {
	dirs := map[string]string{}
	var faults []error
	for d := json.NewDecoder(r); ; {
		var m struct{ Path, Version, Dir, Error string }
		err := d.Decode(&m)
		if errors.Is(err, io.EOF) {
			return dirs, errors.Join(faults...)
		}
		if err != nil {
			return nil, fmt.Errorf("go mod download: %w", err)
		}
		if m.Error != "" {
			faults = append(faults, fmt.Errorf("module %s@%s cannot be had: %s (\"go env GOPROXY\" says where the go command looks)", m.Path, m.Version, m.Error))
		}
		dirs[m.Path] = m.Dir
	}
}
