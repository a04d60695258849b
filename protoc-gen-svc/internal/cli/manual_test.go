package cli

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestManual: docs/cli.md is what the table of commands says.
func TestManual(t *testing.T) {
	want, err := manual()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/cli.md is stale (make generate rewrites it; -want +got):\n%s", diff)
	}
}
