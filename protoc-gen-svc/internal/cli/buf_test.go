package cli

import (
	"bytes"
	"os"
	"testing"
)

// TestNoBuf: whatever runs buf says the same where there is none.
func TestNoBuf(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("PATH", "")
	for name, text := range map[string]string{"buf.gen.yaml": "version: v2\nplugins: [{local: protoc-gen-svc, out: .}]\n", "buf.yaml": "plugins: [{plugin: buf-plugin-svc}]\n"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"explain"}, {"diff", ".", "."}, {"sync"}, {"upgrade"}, {"lint"}} {
		var out, errors bytes.Buffer
		want := "protoc-gen-svc " + args[0] + `: there is no buf: looked for --buf, buf in PATH, bin/buf and tools/buf/go.mod (say how to run it with --buf, such as --buf="go tool buf")` + "\n"
		if exit := Main(args, &out, &errors); exit != exitFault || errors.String() != want {
			t.Errorf("%s: exit code %d, said %q, want %q", args[0], exit, &errors, want)
		}
	}
}
