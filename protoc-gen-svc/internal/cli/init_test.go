package cli

import (
	"bytes"
	"os"
	"testing"
)

// TestInit checks the way of the arguments; package project tests what comes out.
func TestInit(t *testing.T) {
	const usage = "\nusage: protoc-gen-svc init [FLAGS] MODULE\n"
	for _, c := range []struct {
		name string
		args []string
		exit int
		want string // on stderr
	}{
		{"no module", []string{"init"}, exitUsage,
			`protoc-gen-svc init: got 0 arguments, want the path of the new module (for example "example.com/shop")` + usage},
		{"two modules", []string{"init", "a.b/c", "a.b/d"}, exitUsage,
			`protoc-gen-svc init: got 2 arguments, want the path of the new module (for example "example.com/shop")` + usage},
		{"several faults", []string{"init", "shop", "--services=user,Order"}, exitFault,
			`protoc-gen-svc init: module path "shop" must begin with a domain, which has a dot (want for example "example.com/shop")
service name "Order" is not words of two or more lower-case letters, joined by "-", 54 characters at most (want for example "line-item")
`},
		{"folder of another", []string{"init", "example.com/shop", "--dir=init.go"}, exitFault,
			"protoc-gen-svc init: open {dir}/init.go: not a directory\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			if c.name == "folder of another" {
				if err := os.WriteFile("init.go", []byte("mine\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			var out, errors bytes.Buffer
			exit := Main(c.args, &out, &errors)
			got := string(bytes.ReplaceAll(errors.Bytes(), []byte(dir), []byte("{dir}")))
			if exit != c.exit || got != c.want || out.Len() > 0 {
				t.Errorf("exit code %d and\n%s%s, want %d and\n%s", exit, got, &out, c.exit, c.want)
			}
		})
	}
}
