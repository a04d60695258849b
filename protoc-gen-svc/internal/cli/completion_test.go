package cli

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

// TestBashCompletion runs the script in bash, as the shell does for a tab key.
func TestBashCompletion(t *testing.T) {
	var script, errors bytes.Buffer
	if exit := Main([]string{"completion", "bash"}, &script, &errors); exit != exitOK {
		t.Fatalf("exit code %d: %s", exit, &errors)
	}
	tests := []struct{ line, want string }{
		{"protoc-gen-svc s", "sync"},
		{"protoc-gen-svc he", "help"},
		{"protoc-gen-svc capture", ""}, // hidden
		{"protoc-gen-svc sync --de", "--descriptor-set"},
		{"protoc-gen-svc protos -", "--third-party-only -v"},
		{"protoc-gen-svc protos thi", ""}, // files, which are the shell's own matter
	}
	for _, test := range tests {
		words := strings.Fields(test.line)
		call := script.String() + "COMP_WORDS=(" + test.line + "); COMP_CWORD=" + string(rune('0'+len(words)-1)) + "\n_protoc_gen_svc\necho \"${COMPREPLY[*]}\"\n"
		out, err := exec.Command("bash", "-c", call).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != test.want {
			t.Errorf("%q completes to %q (%v), want %q", test.line, got, err, test.want)
		}
	}
}

// TestCompletionScripts: every command for people is in the script of each shell,
// and shells that are there accept it.
func TestCompletionScripts(t *testing.T) {
	for shell := range shells() {
		var script, errors bytes.Buffer
		if exit := Main([]string{"completion", shell}, &script, &errors); exit != exitOK {
			t.Fatalf("exit code %d: %s", exit, &errors)
		}
		for _, c := range commands() {
			if strings.Contains(script.String(), c.name) == c.hidden {
				t.Errorf("%s: command %s is missing, or is hidden and is there", shell, c.name)
			}
		}
		if _, err := exec.LookPath(shell); err != nil {
			t.Logf("%s is not installed: its script is not tried", shell)
			continue
		}
		check := exec.Command(shell, "-n")
		check.Stdin = &script
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s -n: %v\n%s", shell, err, out)
		}
	}
}
