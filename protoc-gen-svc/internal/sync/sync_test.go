package sync

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite what the archives of testdata expect")

// What an archive holds beside the user's files, which have their own paths.
const (
	expected = "want/"  // a file that sync writes
	output   = "output" // what it prints
	notes    = "notes"
	failure  = "error"
)

// TestArchives runs sync on the files of each archive, whose comment is the
// contract, and checks what the package promises in every case: new files and
// nothing else, nothing at all the second time, and code that compiles.
func TestArchives(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			testArchive(t, name)
		})
	}
}

func testArchive(t *testing.T, name string) {
	name, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	contract := readContract(string(archive.Comment))
	user := slices.DeleteFunc(slices.Clone(archive.Files), func(f txtar.File) bool {
		return strings.HasPrefix(f.Name, expected) || slices.Contains([]string{output, notes, failure}, f.Name)
	})
	newModule(t, contract, user)
	before := tree(t)

	source := fixed{contract.request()}
	checkOut, checkErr := synchronise(t, source, true /* check */)
	if after := tree(t); !cmp.Equal(before, after) {
		t.Errorf("--check changed files:\n%s", cmp.Diff(before, after))
	}
	got, err := synchronise(t, source, false /* check */)
	after := tree(t)
	archive.Files = append(user, results(before, after, got, err)...)
	if *update {
		if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, _ := txtar.ParseFile(name)
	if diff := cmp.Diff(string(txtar.Format(want)), string(txtar.Format(archive))); diff != "" {
		t.Errorf("differs from the archive (-want +got):\n%s", diff)
	}
	for path, content := range before {
		if after[path] != content {
			t.Errorf("%s, a file of the user, has changed", path)
		}
	}
	if err != nil {
		if !cmp.Equal(before, after) {
			t.Errorf("something was written in spite of the error")
		}
		return
	}
	if wrote := got[output] != ""; wrote != errors.Is(checkErr, ErrMissing) || wrote != (checkOut[output] != "") {
		t.Errorf("--check printed %q and returned %v", checkOut[output], checkErr)
	}
	if again, err := synchronise(t, source, false /* check */); err != nil || again[output] != "" {
		t.Errorf("the second run printed %q and returned %v, want nothing", again[output], err)
	}
	if !cmp.Equal(after, tree(t)) {
		t.Errorf("the second run changed files")
	}
	if got[notes] == "" {
		compile(t)
	}
}

// synchronise runs sync in the current directory.
func synchronise(t *testing.T, source Source, check bool) (map[string]string, error) {
	t.Helper()
	var out, log bytes.Buffer
	err := Run(context.Background(), Options{
		Source: source, Root: "example.com/shop/generated", Handlers: "example.com/shop/services", Check: check,
	}, &out, &log)
	return map[string]string{output: out.String(), notes: log.String()}, err
}

// results are the files by which an archive says what sync did.
func results(before, after map[string]string, printed map[string]string, err error) []txtar.File {
	var out []txtar.File
	for _, name := range []string{output, notes} {
		if printed[name] != "" {
			out = append(out, txtar.File{Name: name, Data: []byte(printed[name])})
		}
	}
	if err != nil {
		out = append(out, txtar.File{Name: failure, Data: []byte(err.Error() + "\n")})
	}
	var created []string
	for path := range after {
		if _, existed := before[path]; !existed {
			created = append(created, path)
		}
	}
	slices.Sort(created)
	for _, path := range created {
		out = append(out, txtar.File{Name: expected + path, Data: []byte(after[path])})
	}
	return out
}

// tree is every file below the current directory.
func tree(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		files[filepath.ToSlash(path)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// compile builds the module of the current directory.
func compile(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("go", "vet", "./...").CombinedOutput(); err != nil {
		t.Errorf("does not build: %v\n%s", err, out)
	}
}

// TestCheckStale: a method that does not fit the contract fails the check, and one
// that was an RPC does not.
func TestCheckStale(t *testing.T) {
	for signature, want := range map[string]error{
		"Ship(context.Context, *shopv1.ShipRequest) (*shopv1.ShipResponse, error)":                                                                         nil,
		"Ship(context.Context, *shopv1.OrderRequest) (*shopv1.ShipResponse, error)":                                                                        ErrStale,
		"Ship(context.Context, *shopv1.ShipRequest) (*shopv1.ShipResponse, error) {panic(0)}\nfunc (h) Old(context.Context, *shopv1.A) (*shopv1.B, error)": nil,
		"Ship(context.Context, *other.ShipRequest) (*other.ShipResponse, error)":                                                                           nil, // aliases, perhaps
	} {
		t.Run(signature, func(t *testing.T) {
			contract := readContract("rpc Ship unary\n")
			newModule(t, contract, []txtar.File{{Name: "services/shop/shop.go", Data: []byte(`package shop

import (
	"context"

	"example.com/other"
	"example.com/shop/generated/shop/v1/shopv1svc"

	shopv1 "example.com/shop/generated/shop/v1"
)

type h struct{}

var _ shopv1.ShopServiceServer = (*h)(nil)

func New(shopv1svc.ShopServiceDeps) (shopv1.ShopServiceServer, error) { return h{}, nil }

func (h) ` + signature + ` { panic(1) }
`)}})
			if _, err := synchronise(t, fixed{contract.request()}, true /* check */); !errors.Is(err, want) {
				t.Errorf("%s: error is %v, want %v", signature, err, want)
			}
		})
	}
}

func TestSameHandlerTwice(t *testing.T) {
	contract := readContract("rpc Ship unary\n")
	newModule(t, contract, nil)
	second := readContract("rpc Ship unary\n")
	_, err := synchronise(t, fixed{contract.request(), second.request()}, false /* check */)
	want := "shop.v1.ShopService and shop.v1.ShopService have the same handler package services/shop: set (svc.v1.service).name on one of them"
	if err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

func TestOptionsMissing(t *testing.T) {
	newModule(t, readContract("rpc Ship unary\n"), nil)
	err := Run(context.Background(), Options{Source: fixed{readContract("rpc Ship unary\n").request()}, Root: "example.com/shop/generated"}, os.Stdout, os.Stderr)
	if want := "handlers= is not among the options of protoc-gen-svc in buf.gen.yaml: set it there, or give --handlers"; err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

func TestHandlersElsewhere(t *testing.T) {
	newModule(t, readContract("rpc Ship unary\n"), nil)
	err := Run(context.Background(), Options{
		Source: fixed{readContract("rpc Ship unary\n").request()}, Root: "example.com/shop/generated", Handlers: "example.com/other",
	}, os.Stdout, os.Stderr)
	if want := `package "example.com/other/shop" is in none of the modules here (example.com/shop)`; err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

// TestJSON: one document has what is printed in lines elsewhere, and nothing else is.
func TestJSON(t *testing.T) {
	c := readContract("rpc Ship unary\nrpc Track unary\n")
	newModule(t, c, []txtar.File{{Name: "services/shop/shop.go", Data: []byte(`package shop

import shopv1 "example.com/shop/generated/shop/v1"

var _ shopv1.ShopServiceServer = (*handler)(nil)

type handler struct{}

func New() *handler { return nil }

func (h *handler) Ship(int) error { return nil }
`)}})
	const (
		missing = `{
  "files": [
    {
      "path": "services/shop/track.go",
      "what": "stub of Track"
    }
  ],
`
		none  = "{\n  \"files\": [],\n"
		wrong = `  "wrong": [
    "services/shop/shop.go:9:6: New has the signature func() *handler, and the generated main wants func(deps shopv1svc.ShopServiceDeps) (shopv1.ShopServiceServer, error)",
    "services/shop/shop.go:11:19: Ship has the signature func(int) error, and shop.v1.ShopService wants func(ctx context.Context, req *shopv1.ShipRequest) (*shopv1.ShipResponse, error)"
  ],
  "notes": []
}
`
	)
	for _, run := range []struct {
		check bool
		want  string
		err   error
	}{
		{true, missing + wrong, ErrMissing},
		{false, missing + wrong, nil},
		{true, none + wrong, ErrStale},
	} {
		var out, log bytes.Buffer
		err := Run(context.Background(), Options{Source: fixed{c.request()}, Root: "example.com/shop/generated", Handlers: "example.com/shop/services", Check: run.check, JSON: true}, &out, &log)
		if out.String() != run.want || !errors.Is(err, run.err) || log.Len() > 0 {
			t.Errorf("check %t: %v, %s\n%s", run.check, err, &log, &out)
		}
	}
	var out bytes.Buffer
	if err := Run(context.Background(), Options{Source: fixed{}, JSON: true}, &out, io.Discard); err != nil || out.String() != "{\n  \"files\": [],\n  \"wrong\": [],\n  \"notes\": []\n}\n" {
		t.Errorf("without services: %v, %s", err, &out)
	}
}

func TestCreateNeverReplaces(t *testing.T) {
	name := filepath.Join(t.TempDir(), "sub", "a.go")
	if err := create(name, []byte("first")); err != nil {
		t.Fatal(err)
	}
	for label, create := range map[string]func(string, []byte) error{"linked": create, "direct": createDirectly} {
		if err := create(name, []byte("second")); err == nil {
			t.Errorf("%s: no error for a file that exists", label)
		}
	}
	if text, err := os.ReadFile(name); err != nil || string(text) != "first" {
		t.Errorf("file holds %q, want %q (%v)", text, "first", err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode is %v, want 0644 (%v)", info.Mode(), err)
	}
	if left, _ := os.ReadDir(filepath.Dir(name)); len(left) != 1 {
		t.Errorf("folder holds %v, want one file", left)
	}
}
