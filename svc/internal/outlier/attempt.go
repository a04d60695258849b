package outlier

import (
	"context"
	"sync/atomic"

	"github.com/protosvc/protosvc/svc/internal/breaker"
)

// Attempt is the context of a call, by which the balancer and the caller tell
// each other about its attempts. A call without one works, and counts at its end.
type Attempt struct {
	// Context is the context around it. Required.
	context.Context

	// Stream says that the call is a stream, whose end may be far.
	Stream bool

	pending breaker.Pending // of a stream
	ejected atomic.Bool
}

type attemptKey struct{}

// Value returns the values of the context around it, and itself to the balancer.
func (a *Attempt) Value(key any) any {
	if key == (attemptKey{}) {
		return a
	}
	return a.Context.Value(key)
}

func attemptOf(ctx context.Context) *Attempt {
	a, _ := ctx.Value(attemptKey{}).(*Attempt)
	return a
}

// Received says that the first message of a stream has come: its backend works.
func (a *Attempt) Received() { a.pending.Done(breaker.Success) }

// Ejected reports whether the last attempt failed at a backend that is left out
// by now. Such a failure is dealt with.
func (a *Attempt) Ejected() bool { return a.ejected.Load() }

// begin notes an attempt and returns what takes its outcome.
func (a *Attempt) begin(call breaker.Call) func(breaker.Outcome) {
	if a == nil || !a.Stream {
		return call.Done
	}
	a.pending.Begin(call)
	return a.pending.Done
}

// end notes the state of the backend after the attempt.
func (a *Attempt) end(b *backend) {
	if a != nil {
		a.ejected.Store(b.ejected.Load())
	}
}
