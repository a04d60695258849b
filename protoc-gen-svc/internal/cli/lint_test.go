package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestLint runs a project's buf, for which echo can stand as long as it is only
// asked what it is told. What buf makes of the rules is tested beside the plugin.
func TestLint(t *testing.T) {
	for _, c := range []struct {
		name, config string
		args         []string
		exit         int
		out, errors  string
	}{
		{"a tool", "plugins: [{plugin: [go, tool, buf-plugin-svc]}]", nil, exitOK, "lint --error-format=text\n", ""},
		{"in PATH", "plugins: [{plugin: other}, {plugin: buf-plugin-svc}]", []string{"proto/user", "--error-format=json", "a.proto"}, exitOK,
			"lint --error-format=json --path=proto/user --path=a.proto\n", ""},
		{"in the source", "plugins: [{plugin: [go, run, ./buf-plugin-svc], options: {service_rpc_limit: 3}}]", nil, exitOK, "lint --error-format=text\n", ""},
		{"JSON", "plugins: [{plugin: buf-plugin-svc}]", []string{"--json"}, exitOK, "lint --error-format=json\n", ""},
		{"not wired", "plugins: [{plugin: buf-plugin-svc-other}]", nil, exitFault, "",
			"protoc-gen-svc lint: buf.yaml does not name the check plugin buf-plugin-svc: run \"go get -tool github.com/protosvc/protosvc/buf-plugin-svc\", and add SVC to lint.use and\n\nplugins:\n  - plugin: [go, tool, buf-plugin-svc]\n"},
		{"no plugins", "version: v2", nil, exitFault, "", "does not name the check plugin"},
		{"not YAML", "plugins: [", nil, exitFault, "", "protoc-gen-svc lint: buf.yaml: yaml: "},
		{"no buf", "plugins: [{plugin: buf-plugin-svc}]", []string{"--buf=no-such-program"}, exitFault, "", "no-such-program is not in PATH: say how to run buf with --buf\n"},
		{"findings", "plugins: [{plugin: buf-plugin-svc}]", []string{"--buf=false"}, exitFault, "", "protoc-gen-svc lint: buf lint: exit status 1\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.WriteFile("buf.yaml", []byte(c.config+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			var out, errors bytes.Buffer
			if exit := Main(append([]string{"lint", "--buf=echo"}, c.args...), &out, &errors); exit != c.exit {
				t.Errorf("exit code %d, want %d", exit, c.exit)
			}
			if out.String() != c.out || !strings.Contains(errors.String(), c.errors) || (c.errors == "" && errors.Len() > 0) {
				t.Errorf("said %q and %q, want %q and %q", &out, &errors, c.out, c.errors)
			}
		})
	}
}

func TestLintWithoutConfiguration(t *testing.T) {
	t.Chdir(t.TempDir())
	var out, errors bytes.Buffer
	if exit := Main([]string{"lint"}, &out, &errors); exit != exitFault || !strings.Contains(errors.String(), "open buf.yaml: ") {
		t.Errorf("exit code %d, said %q", exit, &errors)
	}
}
