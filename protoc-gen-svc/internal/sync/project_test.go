package sync

import (
	"os"
	"path/filepath"
	"testing"
)

// TestOutput: the folder that buf.gen.yaml names for our plugin, and the exact
// text where it does not name one.
func TestOutput(t *testing.T) {
	const ours = "version: v2\nplugins:\n  - local: protoc-gen-go\n    out: other\n  - local: protoc-gen-svc\n"
	const again = "  - local: protoc-gen-svc\n    out: "
	for text, want := range map[string]struct{ folder, fault string }{
		ours + "    out: generated\n":                            {"generated", ""},
		ours + "    out: generated\n" + again + "./generated/\n": {"generated", ""},
		ours + "    out: ../gen\n":                               {"../gen", ""},
		ours:                                                     {"", "buf.gen.yaml: the plugin has no out: (name the folder with --out)"},
		ours + "    out: generated\n" + again + "elsewhere\n":        {"", "buf.gen.yaml: protoc-gen-svc writes to generated and to elsewhere: name one of them with --out"},
		"version: v2\nplugins:\n  - local: buf-gen-go\n    out: x\n": {"", "buf.gen.yaml: none of the plugins is protoc-gen-svc (want one whose local names it, or whose opt has root=)"},
	} {
		t.Chdir(t.TempDir())
		if err := os.WriteFile("buf.gen.yaml", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		folder, err := Output("buf.gen.yaml")
		fault := ""
		if err != nil {
			fault = err.Error()
		}
		if filepath.ToSlash(folder) != want.folder || fault != want.fault {
			t.Errorf("%s\ngives %q and %q, want %q and %q", text, folder, fault, want.folder, want.fault)
		}
	}
}
