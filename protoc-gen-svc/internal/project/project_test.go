package project

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// create makes a project and returns what is said about it.
func create(t *testing.T, o Options) string {
	t.Helper()
	o.Replace = repository
	var out bytes.Buffer
	if err := Create(t.Context(), o, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// names lists what is in a folder, files only.
func names(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestCreate(t *testing.T) {
	outer := t.TempDir()
	dir := filepath.Join(outer, "a", "b")
	said := create(t, Options{Module: "example.com/shop", Services: []string{"line-item"}, Dir: dir})
	if want := "example.com/shop: wrote 19 files and go.sum to " + dir + "\n"; !strings.Contains(said, want) {
		t.Errorf("said %q, want %q", said, want)
	}
	want := []string{
		".dockerignore", ".github/workflows/ci.yaml", ".gitignore", "Makefile", "README.md", "buf.gen.yaml", "buf.yaml", "go.mod", "go.sum",
		"internal/demo/line_item_story.go", "internal/demo/main.go", "internal/demo/service.go", "internal/demo/system.go",
		"proto/line_item/v1/line_item.proto",
		"services/lineitem/handler.go", "services/lineitem/handler_test.go", "services/lineitem/migrations/0001_init.sql", "services/lineitem/store.go",
		"tools/buf/go.mod", "tools/buf/go.sum",
	}
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
	if entries, err := os.ReadDir(outer); err != nil || len(entries) != 1 {
		t.Errorf("beside the project: %v (%v)", entries, err)
	}
}

// TestCalls: with others beside it, the first service has one RPC more, and each of
// those calls it, at once and through its outbox.
func TestCalls(t *testing.T) {
	alone, both := rendered(t, "user"), rendered(t, "user", "line-item", "order")
	for _, c := range []struct{ name, more string }{
		{"proto/user/v1/user.proto", "  rpc ActivateUser("},
		{"services/user/handler.go", ") ActivateUser("},
		{"services/user/handler_test.go", "func TestActivate("},
		{"services/user/store.go", ") activate("},
		{"services/user/migrations/0001_init.sql", "\n  active BOOLEAN NOT NULL\n"},
	} {
		if strings.Contains(strings.ToLower(alone[c.name]), "activ") || !strings.Contains(both[c.name], c.more) {
			t.Errorf("%s: alone\n%swith others, for which it has %q,\n%s", c.name, alone[c.name], c.more, both[c.name])
		}
	}
	for _, name := range []string{"line_item", "order"} {
		contract := both["proto/"+name+"/v1/"+name+".proto"]
		for _, want := range []string{
			"calls: \"user.v1.UserService/GetUser\"\n", "defers: \"user.v1.UserService/ActivateUser\"\n",
			"from: \"user.v1.USER_ERROR_NOT_FOUND\"\n",
		} {
			if !strings.Contains(contract, want) {
				t.Errorf("the contract of %s has no %s:\n%s", name, want, contract)
			}
		}
		tests := both["services/"+strings.ReplaceAll(name, "_", "")+"/handler_test.go"]
		if !strings.Contains(tests, "fake.ActivateUserCalls()") {
			t.Errorf("the tests of %s do not look at the deferred call:\n%s", name, tests)
		}
	}
}

// rendered are the files of a project by their paths.
func rendered(t *testing.T, names ...string) map[string]string {
	t.Helper()
	services, err := newServices("example.com/shop", names)
	if err != nil {
		t.Fatal(err)
	}
	files, err := render(project{Module: "example.com/shop", Protos: DefaultProtos, Services: services})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range files {
		all[f.path] = string(f.content)
	}
	return all
}

// TestImageContext: who builds with a checkout beside the project learns why the
// image cannot be built.
func TestImageContext(t *testing.T) {
	said := create(t, Options{Module: "example.com/shop", Services: []string{"user"}, Dir: t.TempDir()})
	if want := "Until then no image can be built: "; !strings.Contains(said, want) {
		t.Errorf("said %q, want %q", said, want)
	}
}

// TestDockerignore: what version control does not keep is in no image either.
func TestDockerignore(t *testing.T) {
	for _, c := range []struct{ git, docker string }{
		{"templates/gitignore.tmpl", "templates/dockerignore.tmpl"},
		{filepath.Join(repository, ".gitignore"), filepath.Join(repository, ".dockerignore")},
	} {
		ignored := patterns(t, c.docker)
		for _, p := range append(patterns(t, c.git), "/.git/") {
			// Docker's patterns begin at the root, whereas git's without a slash are for any folder.
			want := strings.Trim(p, "/")
			if !strings.Contains(p, "/") {
				want = "**/" + p
			}
			if !slices.Contains(ignored, want) {
				t.Errorf("%s: there is no %q for %q in %s", c.docker, want, p, c.git)
			}
		}
	}
}

// patterns are the lines of a file without comments.
func patterns(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(regexp.MustCompile(`(?m)^#.*$`).ReplaceAllString(string(text), ""))
}

// TestCreateBesideVersionControl: a folder that was cloned empty is empty enough.
func TestCreateBesideVersionControl(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, ".git/HEAD", "ref: refs/heads/main\n")
	write(t, dir, "LICENSE", "mine\n")
	create(t, Options{Module: "example.com/shop", Services: []string{"user"}, Dir: dir})
	for name, want := range map[string]string{"LICENSE": "mine\n", ".git/HEAD": "ref: refs/heads/main\n"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s is now %q (%v)", name, got, err)
		}
	}
}

// TestRefusals checks that all mistakes are told at once, and nothing is written.
func TestRefusals(t *testing.T) {
	full := t.TempDir()
	for _, name := range []string{"a.txt", "b/c", "d", "e", "f", "g", "h"} {
		write(t, full, name, "mine\n")
	}
	before := names(t, full)
	err := Create(t.Context(), Options{Module: "shop", Services: []string{"Order", "go"}, Dir: full, Replace: full}, &bytes.Buffer{})
	want := `module path "shop" must begin with a domain, which has a dot (want for example "example.com/shop")
service name "Order" is not words of two or more lower-case letters, joined by "-", 54 characters at most (want for example "line-item")
service name "go" cannot be used: it is a keyword of Go (want for example "line-item")
folder "` + full + `" is not empty, it has a.txt, b, d, e, f, 2 more (want an empty one: --dir=DIR names another)
replace "` + full + `" is not a checkout of github.com/protosvc/protosvc (want the folder with its go.mod)`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if after := names(t, full); !slices.Equal(after, before) {
		t.Errorf("files %q, before %q", after, before)
	}
}

// TestWithoutModules checks that a project that cannot be built is not begun.
func TestWithoutModules(t *testing.T) {
	for _, c := range []struct{ name, variable, value, want string }{
		{"no go", "PATH", "/nowhere", "the go command is not in PATH"},
		{"no proxy", "GOPROXY", "off", "go mod tidy: exit status 1; nothing is written, run init again when this is mended"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(c.variable, c.value)
			if c.variable == "GOPROXY" {
				t.Setenv("GOMODCACHE", t.TempDir())
			}
			outer := t.TempDir()
			o := Options{Module: "example.com/shop", Services: []string{"user"}, Dir: filepath.Join(outer, "shop"), Replace: repository}
			if err := Create(t.Context(), o, &bytes.Buffer{}); err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("error is %v, want %q", err, c.want)
			}
			if entries, err := os.ReadDir(outer); err != nil || len(entries) > 0 {
				t.Errorf("something is written: %v (%v)", entries, err)
			}
		})
	}
}

// TestPlace checks that a file that appears while init runs stays as it is, and
// that nothing of the project is left beside it.
func TestPlace(t *testing.T) {
	for _, taken := range []string{"c", "d/x"} {
		from, to := t.TempDir(), t.TempDir()
		for _, name := range []string{"a", "b/x", "c", "d/x", "e"} {
			write(t, from, name, "new\n")
		}
		write(t, to, taken, "mine\n")
		if err := place(from, to); err == nil || !strings.HasSuffix(err.Error(), "; nothing is written, run init again in an empty folder") {
			t.Errorf("%s is taken: %v", taken, err)
		}
		if got := names(t, to); !slices.Equal(got, []string{taken}) {
			t.Errorf("%s is taken: there is %q", taken, got)
		}
		if got, err := os.ReadFile(filepath.Join(to, taken)); err != nil || string(got) != "mine\n" {
			t.Errorf("%s is now %q (%v)", taken, got, err)
		}
	}
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := (file{name, []byte(content)}).write(dir); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
