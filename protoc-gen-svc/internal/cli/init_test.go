package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestInit checks the way of the arguments; package project tests what comes out.
func TestInit(t *testing.T) {
	const usage = "\nusage: protoc-gen-svc init [FLAGS] [MODULE]\n"
	for _, c := range []struct {
		name  string
		args  []string
		exit  int
		want  string // on stderr
		files map[string]string
	}{
		{"no module", []string{"init"}, exitFault,
			`protoc-gen-svc init: folder "{dir}" has no go.mod (want "go mod init" first, or for a new project its module: init example.com/shop)` + "\n", nil},
		{"services of no module", []string{"init", "--services=user"}, exitUsage,
			`protoc-gen-svc init: --services is for new projects (want the path of the new module with it, for example "example.com/shop")` + usage, nil},
		{"protos of a new project", []string{"init", "example.com/shop", "--proto=api"}, exitUsage,
			"protoc-gen-svc init: --proto is for a module that is there, new projects have their contracts in proto" + usage, nil},
		{"two modules", []string{"init", "a.b/c", "a.b/d"}, exitUsage,
			`protoc-gen-svc init: got 2 arguments, want the path of the new module (for example "example.com/shop"), or none to set up the module of the folder` + usage, nil},
		{"flags of a module", []string{"init", "--dir=module", "--proto=../api", "--replace=module"}, exitFault,
			`protoc-gen-svc init: proto "../api" is not a folder below that of go.mod, of letters, digits, "-", "." and "_" (want for example "proto")
replace "{dir}/module" is not a checkout of github.com/protosvc/protosvc (want the folder with its go.mod)
`, map[string]string{"module/go.mod": "module example.com/stock\n"}},
		{"several faults", []string{"init", "shop", "--services=user,Order"}, exitFault,
			`protoc-gen-svc init: module path "shop" must begin with a domain, which has a dot (want for example "example.com/shop")
service name "Order" is not words of two or more lower-case letters, joined by "-", 54 characters at most (want for example "line-item")
`, nil},
		{"folder of another", []string{"init", "example.com/shop", "--dir=init.go"}, exitFault,
			"protoc-gen-svc init: open {dir}/init.go: not a directory\n", map[string]string{"init.go": "mine\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			for name, text := range c.files {
				if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			var stdout, stderr bytes.Buffer
			exit := Main(c.args, &stdout, &stderr)
			got := string(bytes.ReplaceAll(stderr.Bytes(), []byte(dir), []byte("{dir}")))
			if exit != c.exit || got != c.want || stdout.Len() > 0 {
				t.Errorf("exit code %d and\n%s%s, want %d and\n%s", exit, got, &stdout, c.exit, c.want)
			}
		})
	}
}
