package server_test

import (
	"context"
	stderrors "errors"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/internal/bubble"
)

// TestLinesAreThinnedOut floods a server with each kind of call that makes a line.
// Every kind has its own bound in a second, and the next line counts what is missing.
func TestLinesAreThinnedOut(t *testing.T) {
	answers := map[string]error{
		"invalid": status.Error(codes.InvalidArgument, "no"),
		"broken":  stderrors.New("disk on fire"),
		"odd":     status.Error(codes.Code(77), "made up"),
	}
	tests := []struct {
		name, method, request, line string
		want                        int
	}{
		{"mistakes of callers", unaryName, "invalid", "call failed", 100},
		{"faults of the server", unaryName, "broken", "call failed", 100},
		{"codes that nobody knows", unaryName, "odd", "call failed", 100},
		{"panics", unaryName, "panic", "handler panicked", 100},
		{"unknown methods", "/test.v1.EchoService/Missing", "", "unknown method called", 10},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				f := start(t, setup{echo: echo{unary: func(_ context.Context, m *text) (*text, error) {
					if m.Value == "panic" {
						panic("at the disco")
					}
					return m, answers[m.Value]
				}}})
				const calls = 250
				for range calls {
					if _, err := call(within(t), f.conn, test.method, test.request); err == nil {
						t.Fatal("the call succeeds")
					}
				}
				if got := len(f.log.lines(t, test.line)); got != test.want {
					t.Errorf("%d lines in the first second, want %d", got, test.want)
				}
				// Another kind is not in the same pot.
				other := "invalid"
				if test.request == other {
					other = "broken"
				}
				before := len(f.log.lines(t, "call failed"))
				_, _ = call(within(t), f.conn, unaryName, other)
				if got := len(f.log.lines(t, "call failed")); got != before+1 {
					t.Errorf("%d lines about another failure, want 1", got-before)
				}
				time.Sleep(time.Second)
				_, _ = call(within(t), f.conn, test.method, test.request)
				lines := f.log.lines(t, test.line)
				last := lines[len(lines)-1]
				if got := last["suppressed"]; got != float64(calls-test.want) {
					t.Errorf("the next line says that %v were suppressed, want %d", got, calls-test.want)
				}
			})
		})
	}
}
