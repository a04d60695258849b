package project

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/protosvc/protosvc/internal/testfolder"
)

// TestMake does in a new project, outside of this repository, what its README
// says, and everything that its CI does.
func TestMake(t *testing.T) {
	if testing.Short() {
		t.Skip("generates, builds and tests a project")
	}
	p := shop{filepath.Join(testfolder.New(t, "make"), "new shop")}
	create(t, Options{Module: "example.com/shop", Services: []string{"user", "line-item"}, Dir: p.dir})
	p.run(t, "git", "init", "-q")
	p.commit(t)

	said := p.run(t, "make", "demo")
	for _, want := range []string{
		"\nuser: gRPC 127.0.0.1:", "HTTP GET /v1/users/", `200 {"user":{"userId":"`, "the same user\n",
		"\nline-item: gRPC 127.0.0.1:", "HTTP GET /v1/line-items/", "the same line item\n", "\nAll as promised.\n",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("make demo does not say %q:\n%s", want, said)
		}
	}
	said = p.run(t, "make", "test")
	for _, want := range []string{"example.com/shop/services/user", "example.com/shop/services/lineitem"} {
		if !strings.Contains(said, "ok  \t"+want+"\t") {
			t.Errorf("make test does not say that %s is ok:\n%s", want, said)
		}
	}
	if got, want := p.run(t, "git", "status", "--porcelain"), " M go.mod\n M go.sum\n?? generated/\n"; got != want {
		t.Errorf("make has changed\n%swant\n%s", got, want)
	}

	p.commit(t)
	// In one run, which generates once.
	p.run(t, "make", "fresh", "lint", "demo", "test", "clean", "help")
	if got := p.run(t, "git", "status", "--porcelain"); got != "" {
		t.Errorf("the second time make has changed\n%s", got)
	}
	p.lint(t)
}

// lint checks that lint has the rules of the check plugin.
func (p shop) lint(t *testing.T) {
	t.Helper()
	const name = "proto/fee/v1/fee.proto"
	write(t, p.dir, name, "// Fees.\nsyntax = \"proto3\";\n\npackage fee.v1;\n\n// Fee is one.\nmessage Fee {\n  // How much.\n  double amount = 1;\n}\n")
	output, err := p.command("make", "lint").CombinedOutput()
	if want := name + ":9:3:field \"amount\" is double"; err == nil || !strings.Contains(string(output), want) {
		t.Errorf("make lint does not say %q (%v):\n%s", want, err, output)
	}
}

// shop is a new project.
type shop struct{ dir string }

func (p shop) commit(t *testing.T) {
	t.Helper()
	p.run(t, "git", "add", "-A")
	p.run(t, "git", "-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false", "commit", "-qm", "x")
}

// run runs a command that must succeed and returns all that it prints.
func (p shop) run(t *testing.T, line ...string) string {
	t.Helper()
	output, err := p.command(line...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(line, " "), err, output)
	}
	return string(output)
}

// command is a command in the folder of the project.
func (p shop) command(line ...string) *exec.Cmd {
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Dir = p.dir
	// The make that runs this test must not tell the other one what to do.
	cmd.Env = append(os.Environ(), "PWD="+p.dir, "MAKEFLAGS=", "RACE=")
	return cmd
}
