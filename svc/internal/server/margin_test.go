package server

import (
	"testing"
	"time"

	"github.com/protosvc/protosvc/svc/internal/rpcmetrics"
	"github.com/protosvc/protosvc/svc/policy"
)

// A call that takes all of its time has 5 seconds for the way.
func TestGraceMargin(t *testing.T) {
	b := New(Options{})
	b.bind(policy.Method{Name: "/test.v1.TestService/Method", Timeout: 2 * time.Minute}, rpcmetrics.Unary)
	if got := b.grace(); got != 125*time.Second {
		t.Errorf("connections have a grace of %v, want 2m5s", got)
	}
}
