package sync

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/internal/testfolder"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/plugin"
	"github.com/protosvc/protosvc/templates"
)

const (
	shopModule = "example.com/shop"
	handlerDir = "services/shop"
)

// toolbox is what projects are generated and checked with, made once.
type toolbox struct {
	repository string
	plugins    string // folder of the binaries
	fset       *token.FileSet
	libraries  types.Importer
}

func newToolbox(t *testing.T) *toolbox {
	t.Helper()
	repository, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	b := &toolbox{repository: repository, plugins: t.TempDir(), fset: token.NewFileSet()}
	b.goCommand(t, repository, "build", "-o", b.plugins+"/", "google.golang.org/protobuf/cmd/protoc-gen-go", "google.golang.org/grpc/cmd/protoc-gen-go-grpc")
	// What the compiler exports of each library, as the go command's cache has it.
	list := b.goCommand(t, repository, "list", "-export", "-deps", "-f", "{{if .Export}}{{.ImportPath}}\t{{.Export}}{{end}}",
		"./svc/...", "google.golang.org/grpc", "google.golang.org/protobuf/types/known/emptypb", "embed", "io/fs")
	exports := map[string]string{}
	for line := range strings.Lines(list) {
		importPath, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		exports[importPath] = file
	}
	b.libraries = importer.ForCompiler(b.fset, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("package %q is not among those of the test", path)
		}
		return os.Open(exports[path])
	})
	return b
}

func (b *toolbox) goCommand(t *testing.T, dir string, args ...string) string {
	t.Helper()
	command := exec.Command("go", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return string(out)
}

// enterProject makes a module outside the repository and enters it.
func (b *toolbox) enterProject(t *testing.T) {
	t.Helper()
	t.Chdir(testfolder.New(t, "sync-property"))
	mod, err := os.ReadFile(filepath.Join(b.repository, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(b.repository, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	const own = "github.com/protosvc/protosvc"
	text := strings.Replace(string(mod), "module "+own+"\n", "module "+shopModule+"\n", 1)
	text += fmt.Sprintf("\nrequire %[1]s v0.0.0\n\nreplace %[1]s => %[2]s\n", own, b.repository)
	writeFile(t, "go.mod", text)
	writeFile(t, "go.sum", string(sum))
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

const pluginOptions = "root=" + shopModule + "/generated,handlers=" + shopModule + "/services,system=true"

// generate writes generated/ anew, as "buf generate" with "clean: true" does.
func (b *toolbox) generate(t *testing.T, s *shop) {
	t.Helper()
	if err := os.RemoveAll("generated"); err != nil {
		t.Fatal(err)
	}
	files, err := plugin.Files(s.request(pluginOptions), templates.FS)
	if err != nil {
		t.Fatalf("the contract is refused: %v", err)
	}
	for _, f := range files {
		writeFile(t, "generated/"+f.Path, f.Text)
	}
	for name, option := range map[string]string{"protoc-gen-go": "", "protoc-gen-go-grpc": ",require_unimplemented_servers=false"} {
		input, err := proto.Marshal(s.request("module=" + shopModule + option))
		if err != nil {
			t.Fatal(err)
		}
		command := exec.Command(filepath.Join(b.plugins, name))
		command.Stdin = bytes.NewReader(input)
		output, err := command.Output()
		response := &pluginpb.CodeGeneratorResponse{}
		if err := errors.Join(err, proto.Unmarshal(output, response)); err != nil || response.Error != nil {
			t.Fatalf("%s: %v %s", name, err, response.GetError())
		}
		for _, f := range response.GetFile() {
			writeFile(t, f.GetName(), f.GetContent())
		}
	}
}

// runSync is the command as people run it.
func runSync(s *shop, check bool) (out, notes string, err error) {
	var o, n bytes.Buffer
	err = Run(context.Background(), Options{Source: fixed{s.request(pluginOptions)}, Check: check}, &o, &n)
	return o.String(), n.String(), err
}

// checked is the project as the compiler sees it.
type checked struct {
	toolbox  *toolbox
	packages map[string]*types.Package
	errors   []types.Error
}

// typeCheck checks every package of the project.
func (b *toolbox) typeCheck(t *testing.T) *checked {
	t.Helper()
	c := &checked{toolbox: b, packages: map[string]*types.Package{}}
	for _, dir := range []string{"generated/deploy/shop/cmd/shop", handlerDir} {
		if _, err := c.Import(shopModule + "/" + dir); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// Import checks a package of the project from its source; others are libraries.
func (c *checked) Import(importPath string) (*types.Package, error) {
	dir, ours := strings.CutPrefix(importPath, shopModule+"/")
	if !ours {
		return c.toolbox.libraries.Import(importPath)
	}
	if p := c.packages[importPath]; p != nil {
		return p, nil
	}
	names, err := filepath.Glob(path.Join(dir, "*.go"))
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("package %s has no files (%v)", importPath, err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(c.toolbox.fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	config := types.Config{Importer: c, Error: func(err error) {
		var e types.Error
		if errors.As(err, &e) {
			c.errors = append(c.errors, e)
		}
	}}
	p, _ := config.Check(importPath, c.toolbox.fset, files, nil) // its errors are collected
	c.packages[importPath] = p
	return p, nil
}

// said are the errors as the compiler prints them.
func (c *checked) said() string {
	var lines []string
	for _, e := range c.errors {
		lines = append(lines, fmt.Sprintf("%s: %s", e.Fset.Position(e.Pos), e.Msg))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// fits reports whether the method of the handler type at a position is, by the
// type checker's judgement, what the contract's interface wants.
func (c *checked) fits(handler, method string) bool {
	handlers, contract := c.packages[shopModule+"/"+handlerDir], c.packages[goPackage]
	server := contract.Scope().Lookup("ShopServiceServer").Type().Underlying().(*types.Interface)
	wanted, _, _ := types.LookupFieldOrMethod(server, false, contract, method)
	object := handlers.Scope().Lookup(handler)
	if wanted == nil || object == nil {
		return false
	}
	got, _, _ := types.LookupFieldOrMethod(types.NewPointer(object.Type()), false, handlers, method)
	f, isMethod := got.(*types.Func)
	return isMethod && types.Identical(f.Type(), wanted.Type())
}
