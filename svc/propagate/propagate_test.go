package propagate_test

import (
	"testing"

	"github.com/protosvc/protosvc/svc/propagate"
)

func TestValue(t *testing.T) {
	ctx := propagate.NewContext(t.Context(), "x-tenant-id", "acme")
	if got := propagate.Value(ctx, "x-tenant-id"); got != "acme" {
		t.Errorf("got %q", got)
	}
	if got := propagate.Value(ctx, "x-request-id") + propagate.Value(t.Context(), "x-tenant-id"); got != "" {
		t.Errorf("got %q for what was not sent", got)
	}
}
