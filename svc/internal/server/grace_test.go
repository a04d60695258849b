package server

import (
	"testing"
	"time"

	"github.com/protosvc/protosvc/svc/internal/rpcmetrics"
	"github.com/protosvc/protosvc/svc/policy"
)

// The connection of a call outlives the longest that the call may last, whatever
// the contract says.
func TestConnectionsOutliveTheirCalls(t *testing.T) {
	for _, test := range []struct {
		name    string
		methods []policy.Method
		want    time.Duration
	}{
		{"nothing bound", nil, time.Minute},
		{"quick", []policy.Method{{Timeout: 5 * time.Second}}, time.Minute},
		{"slow", []policy.Method{{Timeout: 5 * time.Second}, {Timeout: 2 * time.Minute}}, 2*time.Minute + graceMargin},
		{"streams", []policy.Method{{Timeout: 5 * time.Second}, {Stream: policy.Stream{MaxAge: 10 * time.Minute}}}, 10*time.Minute + graceMargin},
		{"stream with a shorter deadline", []policy.Method{{Timeout: 2 * time.Minute, Stream: policy.Stream{MaxAge: time.Hour}}}, 2*time.Minute + graceMargin},
		{"endless stream", []policy.Method{{Timeout: time.Second}, {Stream: policy.Stream{IdleTimeout: time.Minute}}}, unbounded},
	} {
		b := New(Options{})
		for _, m := range test.methods {
			m.Name = "/test.v1.TestService/Method"
			b.bind(m, rpcmetrics.BidiStream)
		}
		if got := b.grace(); got != test.want {
			t.Errorf("%s: connections have a grace of %v, want %v", test.name, got, test.want)
		}
	}
}
