package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"
)

// TestEnvironment: the plugin is a function of what the compiler sends. In any
// folder and with any environment, its answer has the same bytes.
func TestEnvironment(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the plugin")
	}
	c := loadCorpus(t)
	binary := filepath.Join(t.TempDir(), "protoc-gen-svc")
	if _, err := output(exec.Command("go", "build", "-o", binary, ".")); err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	other := decoys(t)
	for _, name := range []string{"hostile", "several", "service_config", "ten_mistakes"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one := c.named(t, name)
			protos := one.good
			if len(protos) == 0 { // a refusal is an answer too
				protos = one.bad[0].protos
			}
			request := c.request(one.parameter, protos...)
			want := answer(t, binary, here, os.Environ(), request)
			if len(want) == 0 {
				t.Fatal("no answer")
			}
			for what, got := range map[string][]byte{
				"without an environment, in another folder": answer(t, binary, other, []string{}, request),
				"with another environment":                  answer(t, binary, here, strangeEnvironment, request),
			} {
				if string(got) != string(want) {
					t.Errorf("%s the answer differs", what)
				}
			}
		})
	}
}

// strangeEnvironment is what programs and libraries are known to look at.
var strangeEnvironment = []string{
	"HOME=/nonexistent", "USER=somebody", "HOSTNAME=somewhere", "PWD=/", "TMPDIR=/nonexistent", "PATH=",
	"TZ=Pacific/Kiritimati", "LANG=tr_TR.UTF-8", "LC_ALL=tr_TR.UTF-8", "SOURCE_DATE_EPOCH=1", "NO_COLOR=1", "DEBUG=1",
	"GOOS=plan9", "GOARCH=arm", "GOFLAGS=-mod=vendor", "GOPATH=/nonexistent", "GO111MODULE=off", "GOMAXPROCS=1", "GOLANG_PROTOBUF_REGISTRATION_CONFLICT=warn",
	"ORDER_LISTEN_GRPC=:1", "VERSION=v9",
}

// decoys is a folder with files of names that a generator might look for.
func decoys(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{
		"buf.yaml", "buf.gen.yaml", "config.yaml", "go.mod", "go.work", ".env", "hostile/v1/hostile.proto",
		"templates/go/service.go.tmpl", "go/service.go.tmpl", "deploy/README.md",
	} {
		if err := write(filepath.Join(dir, name), []byte("decoy\n")); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// answer is what the plugin writes to standard output, as a process.
func answer(t *testing.T, binary, dir string, environment []string, request *pluginpb.CodeGeneratorRequest) []byte {
	t.Helper()
	input, err := proto.MarshalOptions{Deterministic: true}.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(binary)
	command.Dir, command.Env, command.Stdin = dir, environment, strings.NewReader(string(input))
	out, err := output(command)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestNoDate: no output says when or where it was made.
func TestNoDate(t *testing.T) {
	c := loadCorpus(t)
	var traces []string
	for _, day := range []time.Time{time.Now(), time.Now().UTC()} {
		for _, layout := range []string{time.DateOnly, "20060102", "2006/01/02", "02.01.2006", "01/02/2006", "Jan 2, 2006", "2 Jan 2006", "Jan _2 15:04", "January 2006"} {
			traces = append(traces, day.Format(layout))
		}
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	traces = append(traces, here)
	for _, one := range c.cases {
		for name, text := range c.generateGood(t, one) {
			for _, trace := range traces {
				if strings.Contains(text, trace) {
					t.Errorf("%s: %s says %q", one.name, name, trace)
				}
			}
		}
	}
}

// impure are packages by which a program learns of something besides its input.
var impure = []string{"os", "os/exec", "os/user", "net", "net/http", "math/rand", "math/rand/v2", "crypto/rand", "runtime", "runtime/debug", "path/filepath", "syscall"}

// clock are the names in package time that depend on when or where one asks.
var clock = []string{"Now", "Since", "Until", "Local", "LoadLocation"}

// TestPure: what a run of the plugin executes, package plugin and all of ours that
// it imports, cannot look at the machine.
func TestPure(t *testing.T) {
	const start = "protoc-gen-svc/internal/plugin"
	seen := map[string]bool{start: true}
	for queue := []string{start}; len(queue) > 0; queue = queue[1:] {
		for _, name := range sources(t, filepath.Join("..", queue[0])) {
			for _, path := range checkPure(t, name) {
				ours, ok := strings.CutPrefix(path, "github.com/protosvc/protosvc/")
				if ok && !seen[ours] {
					seen[ours] = true
					queue = append(queue, ours)
				}
			}
		}
	}
	if !seen["protoc-gen-svc/internal/model"] || !seen["protoc-gen-svc/internal/emit"] {
		t.Errorf("looked at %v only", slices.Sorted(maps.Keys(seen)))
	}
}

// sources are the Go files of a package, without its tests.
func sources(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
}

// checkPure returns the imports of a file.
func checkPure(t *testing.T, name string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(impure, path) {
			t.Errorf("%s imports %s", name, path)
		}
		paths = append(paths, path)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if pkg, ok := selector.X.(*ast.Ident); ok && pkg.Name == "time" && slices.Contains(clock, selector.Sel.Name) {
			t.Errorf("%s looks at the clock: time.%s", name, selector.Sel.Name)
		}
		return true
	})
	return paths
}
