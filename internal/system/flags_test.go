package system_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestFlags runs each binary as a person would who has a question or a bad file.
func TestFlags(t *testing.T) {
	good := newConfig(t, "order", "service: {default_page_size: 7}\n")
	bad := newConfig(t, "order", "listen:\n  grpd: \":1\"\nservice:\n  watch_interval: soon\n")
	if err := os.WriteFile(filepath.Join(filepath.Dir(good.path), "config.prod.yaml"), []byte("nonsense: 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(t.TempDir(), "config.yaml")
	for _, test := range []struct {
		name string
		args []string
		code int
		want []string // texts of the output
	}{
		{"missing config", []string{"--config=" + missing}, 1, []string{"order: ", missing}},
		{"default config is missing", nil, 1, []string{"order: ", "config.yaml"}},
		{"bad config", []string{"--config=" + bad.path}, 1, []string{"config.yaml:2:3", `"grpd"`, `"grpc"`, "config.yaml:4:", "watch_interval", "soon"}},
		{"check a bad config", []string{"--config=" + bad.path, "--check-config"}, 1, []string{"config.yaml:2:3"}},
		{"check a good config", []string{"--config=" + good.path, "--check-config"}, 0, []string{"order: config is valid"}},
		{"check a bad overlay", []string{"--config=" + good.path, "--env=prod", "--check-config"}, 1, []string{"config.prod.yaml:1:1", `"nonsense"`}},
		{"version", []string{"--version"}, 0, []string{"order "}},
		{"help", []string{"--help"}, 0, []string{"-check-config", "-config", "-env", "-version"}},
		{"unknown flag", []string{"--colour"}, 2, []string{"colour"}},
		{"argument", []string{"start"}, 2, []string{`unexpected argument "start"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, output := execBinary(t, "order", test.args...)
			if code != test.code || !containsAll(output, test.want) {
				t.Errorf("exit code %d, want %d; want all of %q in:\n%s", code, test.code, test.want, output)
			}
		})
	}
}

func TestCheckOfGeneratedConfigs(t *testing.T) {
	for _, name := range []string{"user", "payment", "order"} {
		path, err := filepath.Abs(filepath.Join(root, "generated", "deploy", name, "config.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if code, output := execBinary(t, name, "--config="+path, "--check-config"); code != 0 {
			t.Errorf("exit code %d:\n%s", code, output)
		}
	}
}

// execBinary runs a binary in an empty folder to its end.
func execBinary(t *testing.T, name string, args ...string) (code int, output string) {
	t.Helper()
	cmd := exec.CommandContext(limited(t), filepath.Join(bin, name), args...)
	var out bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.TempDir(), &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}
