package sync

import (
	"strings"
	"testing"
)

// TestExcluded: what the plugin generates from cannot be taken from it, which buf
// does without a trace; from another plugin it can.
func TestExcluded(t *testing.T) {
	const (
		goPlugin = "  - local: protoc-gen-go\n    exclude_types: [buf.validate, svc.v1]\n"
		ours     = "  - local: protoc-gen-svc\n    out: generated\n"
		input    = "inputs:\n  - directory: proto\n"
	)
	tests := []struct{ name, template, want string }{
		{"nothing", input + "plugins:\n" + ours, ""},
		{"under another plugin", input + "plugins:\n" + goPlugin + ours, ""},
		{"something else", "plugins:\n" + ours + "    exclude_types: [acme.Secret, svc.v10]\n", ""},
		{"rules", "plugins:\n" + goPlugin + ours + "    exclude_types: [acme.Secret, buf.validate]\n", `"buf.validate"`},
		{"one rule", "plugins:\n" + ours + "    exclude_types: [buf.validate.field]\n", `"buf.validate.field"`},
		{"routes with what is around", "plugins:\n" + ours + "    exclude_types: [google.api]\n", `"google.api"`},
		{"for all plugins", input + "    exclude_types: [svc.v1]\nplugins:\n" + ours, `"svc.v1"`},
		{"no inputs that make sense", "inputs: 3\nplugins:\n" + ours, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := readTemplate([]byte("version: v2\n" + test.template))
			if test.want == "" && err != nil {
				t.Errorf("got %v", err)
			}
			if want := "exclude_types has " + test.want; test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}
