package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"google.golang.org/protobuf/reflect/protoregistry"
)

// workshop is the folder in which everything happens:
//
//	bin/             buf and the plugins
//	protos/CORPUS/   what buf compiles
//	runtime/         a copy of what the outputs import of the repository
//	module/          the Go module of all outputs, one folder for each corpus
type workshop struct {
	dir, repository string
	corpora         []corpus
	modules         map[string]string // folders in the module cache, by module path

	mu        sync.Mutex
	files     map[string]*protoregistry.Files // what is compiled, by corpus
	services  map[string]int                  // how many there are, by corpus
	generated map[string][]string             // paths of the files that are generated, by corpus
}

// plugins are the generators, in the order in which they run. ours is the one
// that is tried.
var plugins = []string{"protoc-gen-go", "protoc-gen-go-grpc", ours}

const ours = "protoc-gen-svc"

func open(dir string) (*workshop, error) {
	repository, err := filepath.Abs("../..")
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(repository, ours)); err != nil {
		return nil, errors.New("run it in the folder test/corpora")
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	w := &workshop{dir: dir, repository: repository, files: map[string]*protoregistry.Files{}, services: map[string]int{}, generated: map[string][]string{}}
	if err := w.buildTools(); err != nil {
		return nil, err
	}
	w.modules, err = download("pins")
	return w, err
}

// buildTools builds the pinned buf, the pinned plugins, and ours as it is now.
func (w *workshop) buildTools() error {
	bin := w.path("bin") + string(filepath.Separator)
	if _, err := command(w.repository, nil, "go", "build", "-o", bin, "-modfile=tools/buf/go.mod", "github.com/bufbuild/buf/cmd/buf"); err != nil {
		return err
	}
	_, err := command(w.repository, nil, "go", "build", "-o", bin, "./"+ours,
		"google.golang.org/protobuf/cmd/protoc-gen-go",
		"google.golang.org/grpc/cmd/protoc-gen-go-grpc")
	return err
}

func (w *workshop) path(parts ...string) string {
	return filepath.Join(append([]string{w.dir}, parts...)...)
}

// each calls a function for every corpus, as many at once as there are CPUs.
func (w *workshop) each(do func(corpus)) { inParallel(w.corpora, do) }

func inParallel[T any](all []T, do func(T)) {
	var wait sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, one := range all {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			do(one)
		})
	}
	wait.Wait()
}

// command runs a program, free of the caller's workspace and flags. The error
// has what the program complained about.
func command(dir string, input []byte, name string, args ...string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	c := exec.Command(name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false")
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(input), &stdout, &stderr
	if err := c.Run(); err != nil {
		return nil, &commandError{name: filepath.Base(name), args: args, err: err, output: stderr.String() + stdout.String()}
	}
	return stdout.Bytes(), nil
}

// commandError is a program that failed.
type commandError struct {
	name   string
	args   []string
	err    error
	output string
}

func (e *commandError) Error() string {
	return fmt.Sprintf("%s %s: %v\n%s", e.name, strings.Join(e.args, " "), e.err, e.output)
}

// said is what a program complained about, or the error if it never ran.
func said(err error) string {
	var c *commandError
	if errors.As(err, &c) && c.output != "" {
		return c.output
	}
	return err.Error()
}
