package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCommands(t *testing.T) {
	cases := []struct {
		name        string
		args        []string
		exit        int
		out, errors string // contained in what is printed
	}{
		{"list", nil, exitOK, "  sync       write stubs of handlers that are missing\n", ""},
		{"help", []string{"help"}, exitOK, "  protos     write the proto files that a contract imports\n", ""},
		{"-h", []string{"-h"}, exitOK, "Commands for people:", ""},
		{"--help", []string{"--help"}, exitOK, "Commands for people:", ""},
		{"help of one", []string{"help", "protos"}, exitOK, "usage: protoc-gen-svc protos [FLAGS] DIR\n", ""},
		{"--help of one", []string{"sync", "--help"}, exitOK, "  --template=FILE        FILE that runs protoc-gen-svc, with its options (default \"buf.gen.yaml\")\n", ""},
		{"-h after an argument", []string{"protos", "dir", "-h"}, exitOK, "  -v                     name every file that is written\n", ""},
		{"help of help", []string{"help", "help"}, exitOK, "usage: protoc-gen-svc help [COMMAND]\n", ""},
		{"version", []string{"version"}, exitOK, "protoc-gen-svc ", ""},
		{"--version", []string{"--version"}, exitOK, " go1.", ""},
		{"near command", []string{"snyc"}, exitUsage, "", `unknown command "snyc" (did you mean "sync"?)`},
		{"far command", []string{"frobnicate"}, exitUsage, "", `unknown command "frobnicate" (want one of init, add, protos, sync, lint, explain, diff, upgrade, doc, completion, version, help)`},
		{"help of a near command", []string{"help", "proto"}, exitUsage, "", `(did you mean "protos"?)`},
		{"no folder", []string{"protos"}, exitUsage, "", "got 0 arguments, want the folder to write to\nusage: protoc-gen-svc protos [FLAGS] DIR\n"},
		{"unknown flag", []string{"protos", "dir", "--quiet"}, exitUsage, "", "flag provided but not defined: -quiet\n"},
		{"superfluous argument", []string{"sync", "order"}, exitUsage, "", `"order" is an argument, and there are none`},
		{"no shell", []string{"completion", "tcsh"}, exitUsage, "", `"tcsh" is not a shell (want bash, zsh or fish)`},
		{"references", []string{"doc", "errors"}, exitUsage, "", `"errors" is not a reference (want annotations, cli or diagnostics)`},
		{"diagnostics", []string{"doc", "diagnostics"}, exitOK, "\n## deadline-budget\n", ""},
		{"arguments of upgrade", []string{"upgrade", "order"}, exitUsage, "", `"order" is an argument, and there are none`},
		{"nothing to upgrade", []string{"upgrade", "--out=none"}, exitFault, "", "\"none\" is not a folder"},
		{"no template to upgrade", []string{"upgrade", "--template=none.yaml"}, exitFault, "", "protoc-gen-svc upgrade: open none.yaml: "},
		{"no template", []string{"sync", "--template=none.yaml"}, exitFault, "", "protoc-gen-svc sync: open none.yaml: "},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out, errors bytes.Buffer
			if exit := Main(c.args, &out, &errors); exit != c.exit {
				t.Errorf("exit code %d, want %d", exit, c.exit)
			}
			for _, s := range []struct{ name, got, want string }{{"stdout", out.String(), c.out}, {"stderr", errors.String(), c.errors}} {
				if !strings.Contains(s.got, s.want) || (s.want == "" && s.got != "") {
					t.Errorf("%s is %q, want %q", s.name, s.got, s.want)
				}
			}
		})
	}
}

// TestProtos checks that flags may follow arguments, and the way to the files.
func TestProtos(t *testing.T) {
	var out, errors bytes.Buffer
	dir := t.TempDir()
	if exit := Main([]string{"protos", dir, "-v", "--third-party-only"}, &out, &errors); exit != exitOK {
		t.Fatalf("exit code %d: %s", exit, &errors)
	}
	if want := filepath.Join(dir, "google", "api", "http.proto") + "\n"; !strings.Contains(out.String(), want) {
		t.Errorf("printed %q, want a line %q", &out, want)
	}
	if _, err := os.Stat(filepath.Join(dir, "svc")); !os.IsNotExist(err) {
		t.Errorf("svc/v1 is there in spite of --third-party-only (%v)", err)
	}
}

// TestTable checks what help relies on.
func TestTable(t *testing.T) {
	for _, c := range commands() {
		if c.name == "" || c.summary == "" || c.setup == nil || strings.HasSuffix(c.summary, ".") {
			t.Errorf("command %q has no name, summary or setup, or a summary with a full stop", c.name)
		}
	}
}
