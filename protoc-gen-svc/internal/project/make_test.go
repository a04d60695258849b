package project

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
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
		"\n  gRPC CreateLineItem of no such user ", "\n  HTTP POST /v1/line-items of no such user     404 {", `"reason":"LINE_ITEM_ERROR_USER_NOT_FOUND"`,
		"… a moment later  {\"user\":{", `"active":true}`,
	} {
		if !strings.Contains(said, want) {
			t.Errorf("make demo does not say %q:\n%s", want, said)
		}
	}
	p.serve(t)
	said = p.run(t, "make", "test")
	for _, want := range []string{"example.com/shop/services/user", "example.com/shop/services/lineitem"} {
		if !strings.Contains(said, "ok  \t"+want+"\t") {
			t.Errorf("make test does not say that %s is ok:\n%s", want, said)
		}
	}
	if got, want := p.run(t, "git", "status", "--porcelain"), " M go.mod\n M go.sum\n?? generated/\n"; got != want {
		t.Errorf("make has changed\n%swant\n%s", got, want)
	}

	p.run(t, "go", "tool", "protoc-gen-svc", "add", "parcel", "--calls=line-item")
	said = p.run(t, "make", "demo", "explain", "OF=parcel.v1.ParcelService/CreateParcel")
	for _, want := range []string{`"reason":"PARCEL_ERROR_LINE_ITEM_NOT_FOUND"`, "\nAll as promised.\n", "line_item.v1.LineItemService/GetLineItem"} {
		if !strings.Contains(said, want) {
			t.Errorf("make demo and explain do not say %q of what is added:\n%s", want, said)
		}
	}
	p.commit(t)
	p.compare(t)
	// In one run, which generates once.
	p.run(t, "make", "fresh", "lint", "demo", "test", "clean", "help")
	if got := p.run(t, "git", "status", "--porcelain"); got != "" {
		t.Errorf("the second time make has changed\n%s", got)
	}
	p.lint(t)
}

// serve checks that make run wires services to each other at the ports of their
// contracts, which are the same here.
func (p shop) serve(t *testing.T) {
	t.Helper()
	at := freePorts(t)
	for _, name := range []string{"proto/user/v1/user.proto", "proto/line_item/v1/line_item.proto"} {
		p.edit(t, name, "    database: {}\n", fmt.Sprintf("    database: {}\n    ports: {grpc: %d http: %d admin: %d}\n", at, at+1, at+2))
	}
	defer p.run(t, "git", "checkout", "-q", "proto")
	cmd := p.command("make", "run")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "All run. Ctrl-C stops them." {
		t.Log(lines.Text())
	}
	user := post(t, at+1, "/v1/users", `{"requestId": "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "displayName": "Ada"}`)
	id := regexp.MustCompile(`"userId":"([^"]*)"`).FindStringSubmatch(user)
	if id == nil {
		t.Errorf("POST /v1/users: %s", user)
	} else if item := post(t, at+11, "/v1/line-items", `{"requestId": "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "displayName": "x", "userId": "`+id[1]+`"}`); !strings.Contains(item, id[0]) {
		t.Errorf("POST /v1/line-items: %s, want %s in it", item, id[0])
	}
	// A terminal interrupts make and what it has started.
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(out)
	if err := errors.Join(err, lines.Err()); err != nil || !strings.Contains(string(rest), "All stopped.\n") {
		t.Errorf("interrupted, it says %q (%v)", rest, err)
	}
	_ = cmd.Wait() // make says that it was interrupted
}

// freePorts is the first of three ports that are free, as are those 10 above.
func freePorts(t *testing.T) int {
	t.Helper()
search:
	for range 100 {
		first := 10_000 + rand.IntN(20_000)
		for _, offset := range []int{0, 1, 2, 10, 11, 12} {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+offset))
			if err != nil {
				continue search
			}
			l.Close()
		}
		return first
	}
	t.Fatal("no ports are free")
	return 0
}

func post(t *testing.T, port int, path, body string) string {
	t.Helper()
	res, err := http.Post(fmt.Sprintf("http://127.0.0.1:%d%s", port, path), "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// edit changes one place of a file.
func (p shop) edit(t *testing.T, name, from, to string) {
	t.Helper()
	text := content(t, p.dir, name)
	if strings.Count(text, from) != 1 {
		t.Fatalf("%s has %q not once", name, from)
	}
	write(t, p.dir, name, strings.Replace(text, from, to, 1))
}

// compare checks that diff and breaking see a change since a commit.
func (p shop) compare(t *testing.T) {
	t.Helper()
	if said := p.run(t, "make", "breaking", "diff", "BASE=HEAD"); !strings.Contains(said, "\nnothing differs\n") {
		t.Errorf("make breaking diff without a change says\n%s", said)
	}
	p.edit(t, "proto/parcel/v1/parcel.proto", "  string display_name = 2;\n", "")
	defer p.run(t, "git", "checkout", "-q", "proto")
	if said := p.run(t, "make", "diff", "BASE=HEAD"); !strings.Contains(said, "\n2 breaking, ") {
		t.Errorf("make diff after a breaking change says\n%s", said)
	}
	output, err := p.command("make", "breaking", "BASE=HEAD").CombinedOutput()
	if want := `field "2" with name "display_name" on message "Parcel" was deleted`; err == nil || !strings.Contains(string(output), want) {
		t.Errorf("make breaking does not say %q (%v):\n%s", want, err, output)
	}
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
	cmd.Env = testfolder.Environment(p.dir)
	return cmd
}
