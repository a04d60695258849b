package svcgen

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/internal/testfolder"
	"github.com/protosvc/protosvc/templates"
)

const repository = "../.."

// TestExample builds the example as a team would, in a module outside the
// repository, and runs it as buf does. To what the example overlays comes a
// Deployment that differs from ours in one line.
func TestExample(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a plugin")
	}
	dir := testfolder.New(t, "example")
	if err := os.CopyFS(dir, os.DirFS("testdata/example")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "go.mod"), goMod(t))
	write(t, filepath.Join(dir, "go.sum"), read(t, filepath.Join(repository, "go.sum")))
	write(t, filepath.Join(dir, "k8s/deployment.yaml.tmpl"), ourDeployment(t, "imagePullPolicy: IfNotPresent", "imagePullPolicy: Always"))

	run(t, dir, nil, "go", "vet", "./...")
	run(t, dir, nil, "go", "test", "./...")
	run(t, dir, nil, "go", "build", "-o", "protoc-gen-acme", ".")

	t.Run("plugin", func(t *testing.T) { testPlugin(t, filepath.Join(dir, "protoc-gen-acme")) })
	t.Run("subcommands", func(t *testing.T) {
		if out := run(t, dir, nil, "./protoc-gen-acme", "help"); !strings.Contains(string(out), "sync") {
			t.Errorf("help does not list sync:\n%s", out)
		}
	})
	t.Run("upgrade", func(t *testing.T) { testUpgrade(t, filepath.Join(dir, "protoc-gen-acme")) })
}

// testUpgrade: the command generates with the overlay, as the plugin does.
func testUpgrade(t *testing.T, binary string) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.com/shop\n")
	for name, text := range mustGenerate(t) {
		name = filepath.Join(dir, "generated", name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, name, text)
	}
	set, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: request().GetProtoFile()})
	if err != nil {
		t.Fatal(err)
	}
	out := string(run(t, dir, set, binary, "upgrade", "--descriptor-set=-", "--out=generated", "--opt="+request().GetParameter()))
	for _, file := range []string{"order/k8s/deployment.yaml", "user/k8s/serviceaccount.yaml"} {
		if !strings.Contains(out, "changed    deploy/"+file) {
			t.Errorf("%s is not named:\n%s", file, out)
		}
	}
	if strings.Contains(out, "main.go") || !strings.Contains(out, " 0 new, 0 gone\n") {
		t.Errorf("files are named that the overlay does not change:\n%s", out)
	}
}

func testPlugin(t *testing.T, binary string) {
	input, err := proto.Marshal(request())
	if err != nil {
		t.Fatal(err)
	}
	response := &pluginpb.CodeGeneratorResponse{}
	if err := proto.Unmarshal(run(t, ".", input, binary), response); err != nil {
		t.Fatal(err)
	}
	ours, theirs := mustGenerate(t), contents(t, response)
	if len(theirs) != len(ours) {
		t.Errorf("%d files, want the %d of protoc-gen-svc", len(theirs), len(ours))
	}
	for name, want := range map[string]string{
		"deploy/order/k8s/deployment.yaml":     "imagePullPolicy: Always",
		"deploy/order/k8s/service.yaml":        `acme.example/cost-centre: "platform"`,
		"deploy/user/k8s/serviceaccount.yaml":  "- name: acme-registry",
		"deploy/user/cmd/user/main.go":         ours["deploy/user/cmd/user/main.go"],
		"order/v1/orderv1svc/order_service.go": ours["order/v1/orderv1svc/order_service.go"],
	} {
		if !strings.Contains(theirs[name], want) {
			t.Errorf("%s lacks %q:\n%s", name, want, theirs[name])
		}
	}
}

// ourDeployment is our template with one text replaced.
func ourDeployment(t *testing.T, old, with string) string {
	t.Helper()
	text, err := templates.FS.ReadFile("k8s/deployment.yaml.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), old); n != 1 {
		t.Fatalf("our Deployment has %q %d times, want once", old, n)
	}
	return strings.Replace(string(text), old, with, 1)
}

var (
	moduleLine = regexp.MustCompile(`(?m)^module (.*)$`)
	toolBlock  = regexp.MustCompile(`(?ms)^tool (\(.*?^\)|.*?)$`)
)

// goMod requires what the repository requires, and the repository itself.
func goMod(t *testing.T) string {
	t.Helper()
	checkout, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	mod := read(t, filepath.Join(repository, "go.mod"))
	own := moduleLine.FindStringSubmatch(mod)[1]
	mod = moduleLine.ReplaceAllString(toolBlock.ReplaceAllString(mod, ""), "module acme.example/protoc-gen-acme")
	return mod + fmt.Sprintf("\nrequire %[1]s v0.0.0\n\nreplace %[1]s => %[2]s\n", own, checkout)
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// run returns what a command prints. It must succeed.
func run(t *testing.T, dir string, input []byte, command ...string) []byte {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", cmd, err, output, stderr.String())
	}
	return output
}
