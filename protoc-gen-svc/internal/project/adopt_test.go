package project

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// newModule is a module that somebody has begun: it imports what is not generated yet.
func newModule(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	write(t, dir, "go.mod", "module example.com/stock\n\ngo 1.24\n")
	write(t, dir, "main.go", "package main\n\nimport _ \"example.com/stock/generated/stock/v1\"\n\nfunc main() {}\n")
	return dir
}

// adopt sets up a module and returns what is said about it.
func adopt(t *testing.T, o AdoptOptions) string {
	t.Helper()
	if o.Protos == "" {
		o.Protos = DefaultProtos
	}
	var out bytes.Buffer
	if err := Adopt(t.Context(), o, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

var adoptedFiles = []string{
	"buf.gen.yaml", "buf.yaml", "third_party/buf/validate/validate.proto",
	"third_party/google/api/annotations.proto", "third_party/google/api/http.proto",
	"third_party/google/rpc/code.proto", "third_party/google/rpc/error_details.proto", "third_party/google/rpc/status.proto",
	"third_party/svc/v1/svc.proto",
}

func TestAdopt(t *testing.T) {
	dir := newModule(t)
	checkout, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	said := adopt(t, AdoptOptions{Dir: dir, Replace: repository})
	want := `go list: go.mod and go.sum of the tools (the first time downloads their modules)
example.com/stock: changed go.mod and go.sum
wrote ` + strings.Join(adoptedFiles, "\nwrote ") + `
go.mod replaces github.com/protosvc/protosvc by ` + checkout + `: take that line out when you require a release.
Until then no image can be built: what lies outside of the project is not in the context of its Dockerfiles

Write a contract below proto/, then:
buf generate    writes generated/
go mod tidy     requires what that imports
go build ./...  builds a service for each contract
docs/own-module.md of protosvc says how to go on with handlers.
`
	if said != want {
		t.Errorf("said\n%swant\n%s", said, want)
	}
	if got, want := names(t, dir), slices.Sorted(slices.Values(append([]string{"go.mod", "go.sum", "main.go"}, adoptedFiles...))); !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
	ours, theirs := readMod(t, repository), readMod(t, dir)
	if theirs.Go != ours.Go {
		t.Errorf("go %s, want %s", theirs.Go, ours.Go)
	}
	if want := (project{}).Tools(); !slices.Equal(paths(theirs.Tool), want) {
		t.Errorf("tools %q, want %q", paths(theirs.Tool), want)
	}
	for _, m := range theirs.Require {
		if m.Path != self && !slices.Contains(ours.Require, m) {
			t.Errorf("requires %v, which this repository does not", m)
		}
	}
	for _, tool := range theirs.Tool {
		list := exec.Command("go", "list", "-mod=readonly", "-deps", tool.Path)
		list.Dir = dir
		if said, err := list.CombinedOutput(); err != nil {
			t.Errorf("go.mod or go.sum lacks something of %s: %v\n%s", tool.Path, err, said)
		}
	}
}

// TestAdoptLikeCreate: buf reads the same in a module as in a project, but for handlers,
// which a module does not have yet.
func TestAdoptLikeCreate(t *testing.T) {
	dir := newModule(t)
	adopt(t, AdoptOptions{Dir: dir, Replace: repository})
	created := rendered(t, "user")
	for name, want := range map[string]string{
		"buf.yaml": created["buf.yaml"],
		"buf.gen.yaml": strings.ReplaceAll(strings.Replace(created["buf.gen.yaml"],
			"- handlers=example.com/shop/services", "# - handlers=example.com/shop/services # once you write handlers", 1), "/shop/", "/stock/"),
	} {
		if got := content(t, dir, name); got != want {
			t.Errorf("%s is\n%swant\n%s", name, got, want)
		}
	}
}

// TestAdoptProtos: contracts may be elsewhere.
func TestAdoptProtos(t *testing.T) {
	dir := newModule(t)
	said := adopt(t, AdoptOptions{Dir: dir, Protos: "api/protos", Replace: repository})
	for text, wants := range map[string][]string{
		said:                            {"\nWrite a contract below api/protos/, then:\n"},
		content(t, dir, "buf.yaml"):     {"\n  - path: api/protos\n"},
		content(t, dir, "buf.gen.yaml"): {"\n  - directory: api/protos\n", "\n      - proto_root=api/protos\n"},
	} {
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
	}
}

// TestAdoptKeeps: what go.mod has stays, and so do protos that are right.
func TestAdoptKeeps(t *testing.T) {
	dir := newModule(t)
	adopt(t, AdoptOptions{Dir: dir, Replace: repository})
	for _, name := range []string{"buf.yaml", "buf.gen.yaml", "third_party/google/api/http.proto"} {
		without(t, name)(dir)
	}
	const versioned = "github.com/protosvc/protosvc v0.0.0"
	replaced(t, "go.mod", versioned, "github.com/protosvc/protosvc v0.0.1")(dir)
	before := content(t, dir, "go.mod")
	if err := os.Chmod(filepath.Join(dir, "go.mod"), 0o600); err != nil {
		t.Fatal(err)
	}
	said := adopt(t, AdoptOptions{Dir: dir})
	if got := content(t, dir, "go.mod"); got != before {
		t.Errorf("go.mod is now\n%swas\n%s", got, before)
	}
	if info, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil || info.Mode() != 0o600 {
		t.Errorf("go.mod has another mode: %v (%v)", info.Mode(), err)
	}
	if want := "\nwrote buf.gen.yaml\nwrote buf.yaml\nwrote third_party/google/api/http.proto\n\nWrite a contract"; !strings.Contains(said, want) {
		t.Errorf("said\n%swant %q", said, want)
	}
	without(t, "buf.yaml")(dir)
	without(t, "buf.gen.yaml")(dir)
	adopt(t, AdoptOptions{Dir: dir, Replace: repository})
	if got := content(t, dir, "go.mod"); !strings.Contains(got, versioned+"\n") {
		t.Errorf("a checkout that is asked for is not required:\n%s", got)
	}
}

// TestAdoptRefusals checks that nothing is written, and why.
func TestAdoptRefusals(t *testing.T) {
	const (
		bufYAML    = "buf.yaml is there, and init replaces nothing (move it away, and take into the new one what it has)"
		bufGenYAML = "buf.gen.yaml is there, and init replaces nothing (move it away, and take into the new one what it has)"
		goMod      = "go mod edit: exit status 1; nothing is written, run init again when this is mended\n" +
			"go: errors parsing go.mod:\n{dir}/go.mod:1: unknown directive: modul"
		noCheckout = `replace "{dir}" is not a checkout of github.com/protosvc/protosvc (want the folder with its go.mod)`
		generated  = "folder generated is there, and buf generate would empty it (move it away)"
		noFolder   = ` is not a folder below that of go.mod, of letters, digits, "-", "." and "_" (want for example "proto")`
		taken      = ` is a folder of other files (want one for contracts, for example "proto")`
	)
	for _, c := range []struct {
		name, protos string
		change       func(dir string)
		want         string
	}{
		{"no module", "proto", without(t, "go.mod"), `folder "{dir}" has no go.mod (want "go mod init" first, or for a new project its module: init example.com/shop)`},
		{"set up", "proto", func(dir string) { with(t, "buf.yaml")(dir); with(t, "buf.gen.yaml")(dir) }, bufYAML + "\n" + bufGenYAML},
		{"generated by others", "proto", with(t, "generated/x.go"), generated},
		{"all at once", "../proto", func(dir string) { with(t, "buf.gen.yaml")(dir); replaced(t, "go.mod", "module", "modul")(dir) },
			goMod + "\nproto \"../proto\"" + noFolder + "\n" + bufGenYAML + "\n" + noCheckout},
		{"all folders", ".", nil, `proto "."` + noFolder},
		{"absolute", "/proto", nil, `proto "/proto"` + noFolder},
		{"no folder", "", nil, `proto ""` + noFolder},
		{"a list", "a, b", nil, `proto "a, b"` + noFolder},
		{"third_party", "third_party", nil, `proto "third_party"` + taken},
		{"generated", "generated/proto", nil, `proto "generated/proto"` + taken},
		{"other protos", "proto", func(dir string) {
			with(t, "third_party/google/api/http.proto")(dir)
			with(t, "third_party/google/rpc/code.proto")(dir)
		}, "third_party/google/api/http.proto is there with other content (the command protos third_party replaces it)\n" +
			"third_party/google/rpc/code.proto is there with other content (the command protos third_party replaces it)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := newModule(t)
			if c.change != nil {
				c.change(dir)
			}
			replace := repository
			if c.name == "all at once" {
				replace = dir
			}
			before := contents(t, dir)
			err := Adopt(t.Context(), AdoptOptions{Dir: dir, Protos: c.protos, Replace: replace}, &bytes.Buffer{})
			if err == nil || strings.ReplaceAll(err.Error(), dir, "{dir}") != c.want {
				t.Errorf("got\n%v\nwant\n%s", err, c.want)
			}
			if after := contents(t, dir); after != before {
				t.Errorf("files\n%s\nbefore\n%s", after, before)
			}
		})
	}
}

// TestAdoptWithoutModules: tools that cannot be had leave go.mod as it was.
func TestAdoptWithoutModules(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOMODCACHE", t.TempDir())
	dir := newModule(t)
	before := contents(t, dir)
	err := Adopt(t.Context(), AdoptOptions{Dir: dir, Protos: DefaultProtos, Replace: repository}, &bytes.Buffer{})
	if want := "go list: exit status 1; nothing is written, run init again when this is mended"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error is %v, want %q", err, want)
	}
	if after := contents(t, dir); after != before {
		t.Errorf("files\n%s\nbefore\n%s", after, before)
	}
}

// TestAdoptPlace: a file that appears while init runs stays, and go.mod is as it was.
func TestAdoptPlace(t *testing.T) {
	staging, dir := t.TempDir(), t.TempDir()
	for _, name := range []string{"go.mod", "go.sum", "a", "b/x"} {
		write(t, staging, name, "new\n")
	}
	write(t, dir, "go.mod", "mine\n")
	write(t, dir, "b/x", "mine\n")
	before := contents(t, dir)
	if err := (adopted{dir: dir}).place(staging, []string{"a", "b/x"}); err == nil {
		t.Error("b/x was replaced")
	}
	if after := contents(t, dir); after != before {
		t.Errorf("files\n%s\nbefore\n%s", after, before)
	}
}

// contents are all files of a folder and what is in them.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	for _, name := range names(t, dir) {
		all.WriteString("-- " + name + " --\n" + content(t, dir, name))
	}
	return all.String()
}

func paths(tools []modPath) (all []string) {
	for _, tool := range tools {
		all = append(all, tool.Path)
	}
	return all
}
