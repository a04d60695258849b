package manifests

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func scripts(t *testing.T) []string { return files(t, "*/systemd/start.sh") }

func files(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := fs.Glob(generated(t), pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("%s: found %v, %v", pattern, found, err)
	}
	for i, f := range found {
		found[i] = filepath.Join(deploy, f)
	}
	return found
}

func TestScriptSyntax(t *testing.T) {
	for _, script := range scripts(t) {
		if out, err := exec.Command("sh", "-n", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", script, err, out)
		}
	}
}

// TestScript runs a start script around a program that writes down how it was
// called and refuses the configuration that is called "bad".
func TestScript(t *testing.T) {
	tests := []struct {
		name, config string
		args         []string
		calls        []string
		fails        bool
		says         string
	}{
		{name: "start", config: "good", args: []string{"--env=prod"},
			calls: []string{"--config=good --env=prod --check-config", "--config=good --env=prod"}},
		{name: "check only", config: "good", args: []string{"--check"},
			calls: []string{"--config=good --check-config"}},
		{name: "bad config", config: "bad",
			calls: []string{"--config=bad --check-config"}, fails: true, says: "the configuration is wrong: correct bad"},
	}
	script := scripts(t)[0]
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			log, binary := filepath.Join(dir, "log"), filepath.Join(dir, "binary")
			program := "#!/bin/sh\necho \"$*\" >>'" + log + "'\ncase $1 in *bad) exit 1;; esac\n"
			if err := os.WriteFile(binary, []byte(program), 0o755); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("sh", append([]string{script}, test.args...)...)
			cmd.Env = append(os.Environ(), "BINARY="+binary, "CONFIG="+test.config)
			out, err := cmd.CombinedOutput()
			if (err != nil) != test.fails || !strings.Contains(string(out), test.says) {
				t.Errorf("%v\n%s", err, out)
			}
			written, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			if calls := strings.Split(strings.TrimSpace(string(written)), "\n"); !slices.Equal(calls, test.calls) {
				t.Errorf("called with %q, want %q", calls, test.calls)
			}
		})
	}
	t.Run("no binary", func(t *testing.T) {
		cmd := exec.Command("sh", script)
		cmd.Env = append(os.Environ(), "BINARY=/nonexistent/binary")
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "/nonexistent/binary is not there") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// exposure is the most that systemd-analyze security may say of a unit, in
// tenths, between 0 (nothing of the machine is exposed) and 100.
const exposure = "20"

// TestUnit has systemd read the units and rate their sandbox, where it is installed.
func TestUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	for _, unit := range files(t, "*/systemd/*.service") {
		copied := withoutBinary(t, unit)
		if out, err := exec.Command(analyze, "verify", "--man=no", copied).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", unit, err, out)
		}
		if out, err := exec.Command(analyze, "security", "--offline=true", "--threshold="+exposure, copied).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", unit, err, out)
		}
	}
}

// withoutBinary is a copy of a unit for a program that is installed: systemd looks
// whether it exists.
func withoutBinary(t *testing.T, unit string) string {
	t.Helper()
	text, err := os.ReadFile(unit)
	if err != nil {
		t.Fatal(err)
	}
	binary := regexp.MustCompile(`/usr/local/bin/[-a-z0-9]+`)
	copied := filepath.Join(t.TempDir(), filepath.Base(unit))
	if err := os.WriteFile(copied, binary.ReplaceAll(text, []byte("/bin/true")), 0o644); err != nil {
		t.Fatal(err)
	}
	return copied
}

// notEverywhere are features of Dockerfiles that one of Docker, BuildKit and
// buildah 1.28 lacks.
var notEverywhere = map[string]*regexp.Regexp{
	"a syntax line":       regexp.MustCompile(`(?m)^#\s*syntax\s*=`),
	"a heredoc":           regexp.MustCompile(`(?m)^(RUN|COPY) .*<<`),
	"--link or --parents": regexp.MustCompile(`(?m)^(COPY|ADD) .*--(link|parents)`),
	"a bind mount of .":   regexp.MustCompile(`target=\.`),
	"RUN --network":       regexp.MustCompile(`(?m)^RUN .*--network`),
}

func TestDockerfile(t *testing.T) {
	for _, file := range files(t, "*/Dockerfile") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for what, form := range notEverywhere {
			if form.Match(text) {
				t.Errorf("%s has %s", file, what)
			}
		}
		name := filepath.Base(filepath.Dir(file))
		for _, want := range []string{
			"\nFROM scratch\n", "\nUSER 65532:65532\n",
			"\nENTRYPOINT [\"/" + name + "\", \"--config=/etc/" + name + "/config.yaml\"]\n",
			"-tags grpcnotrace,nethttpomithttp2,nosqlite ",
		} {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s: there is no %q", file, want)
			}
		}
	}
}
