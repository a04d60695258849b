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
		{"protoc-gen-svc explain or", "order order/GetOrder"},
		{"protoc-gen-svc explain --js", "--json"},
		{"protoc-gen-svc diff ma", "main"},
		{"protoc-gen-svc diff main v", "v1.0.0"},
		{"go tool protoc-gen-svc s", "sync"},
		{"go tool protoc-gen-svc sync --de", "--descriptor-set"},
		{"go tool protoc-gen-svc diff ma", "main"},
		{"go tool protoc-gen-svc explain order/", "order/GetOrder"},
		{"go tool ve", "vet"}, // as before
	}
	// What the program and go tool say in a project. Before, go had a completion.
	const project = `protoc-gen-svc() {
  case "$*" in
    "complete-names explain") printf '%s\n' user order order/GetOrder ;;
    "complete-names diff") printf '%s\n' main v1.0.0 ;;
  esac
}
go() { shift; "$@"; }
_go() { COMPREPLY=(vet); }
complete -F _go go
`
	for _, test := range tests {
		words := strings.Fields(test.line)
		function := map[bool]string{true: "_protoc_gen_svc_go", false: "_protoc_gen_svc"}[words[0] == "go"]
		// Twice, as for who starts a shell in a shell.
		call := project + script.String() + script.String() + "complete -p go | grep -q _protoc_gen_svc_go || echo lost\nCOMP_WORDS=(" + test.line + "); COMP_CWORD=" + string(rune('0'+len(words)-1)) + "\n" + function + "\necho \"${COMPREPLY[*]}\"\n"
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
			if c.name != namesName && strings.Contains(script.String(), c.name) == c.hidden {
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

// TestNamesCommand: what the scripts ask for, where there is a repository and where not.
func TestNamesCommand(t *testing.T) {
	names := func(command string) (string, int) {
		var out, errors bytes.Buffer
		exit := Main([]string{namesName, command}, &out, &errors)
		return out.String() + errors.String(), exit
	}
	t.Chdir(t.TempDir())
	if got, exit := names("diff"); got != "" || exit != exitOK {
		t.Errorf("without a repository: %q, exit code %d", got, exit)
	}
	if got, exit := names("explain"); !strings.Contains(got, "open buf.gen.yaml: ") || exit != exitFault {
		t.Errorf("without a contract: %q, exit code %d", got, exit)
	}
	if got, exit := names("sync"); !strings.Contains(got, `nothing is known about "sync"`) || exit != exitUsage {
		t.Errorf("of sync: %q, exit code %d", got, exit)
	}
	for _, args := range []string{"init -q -b main", "-c user.name=a -c user.email=a@b commit -q --allow-empty -m a", "tag v1.0.0", "branch feature/x"} {
		if out, err := exec.Command("git", strings.Fields(args)...).CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", args, err, out)
		}
	}
	if got, exit := names("diff"); got != "feature/x\nmain\nv1.0.0\n" || exit != exitOK {
		t.Errorf("in a repository: %q, exit code %d", got, exit)
	}
}
