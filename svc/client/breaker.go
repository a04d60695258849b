package client

import (
	"context"
	stderrors "errors"
	"log/slog"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/breaker"
	"github.com/protosvc/protosvc/svc/internal/outlier"
	"github.com/protosvc/protosvc/svc/internal/rpcmetrics"
)

// backendCalls is how many calls of one backend tell that it fails. It is less
// than for the callee as a whole, since less is at stake.
const backendCalls = 5

// Breaker says when a callee is called no more for a while, and which of its backends
// are left out. A zero field has its default.
type Breaker struct {
	// FailurePercent is the share of calls, from 1 to 100, whose failure opens it:
	// failures of the callee, not its answers. Default 50.
	FailurePercent int `yaml:"failure_percent"`

	// MinCalls is the number of calls in the window below which it stays closed, and
	// how many failures in a row open it, whatever came before. Default 20. For a
	// backend it is 5 at most.
	MinCalls int `yaml:"min_calls"`

	// Window is the time over which calls are counted. Default 10 s.
	Window time.Duration `yaml:"window"`

	// Open is how long it stays open before it lets a call through, and how long
	// that call may take before another one is let through. Default 1 s.
	Open time.Duration `yaml:"open"`
}

func (b Breaker) options() breaker.Options {
	return breaker.Options{FailurePercent: b.FailurePercent, MinCalls: b.MinCalls, Window: b.Window, Open: b.Open}
}

// backend are the options of a single backend's breaker.
func (b Breaker) backend() breaker.Options {
	o := b.options()
	o.MinCalls = min(backendCalls, o.WithDefaults().MinCalls)
	return o
}

// guard is the circuit breaker of a callee, and what its backends are judged by.
// Nil guards nothing.
type guard struct {
	breaker  *breaker.Breaker
	whole    *breaker.Shared // the options of the breaker
	backends *breaker.Shared
	metrics  *rpcmetrics.Breaker
	log      *slog.Logger

	attemptTimeout map[string]time.Duration // by method
	errors         errors.Table
}

// newGuard returns nil if the options have no breaker.
func newGuard(spec Spec, o Options) *guard {
	if o.Breaker == nil {
		return nil
	}
	g := &guard{
		whole:          breaker.Share(o.Breaker.options()),
		backends:       breaker.Share(o.Breaker.backend()),
		metrics:        o.Metrics.RPC().Breaker(spec.Service),
		log:            o.log(spec),
		attemptTimeout: map[string]time.Duration{},
		errors:         spec.Errors,
	}
	for _, m := range spec.Methods {
		g.attemptTimeout[m.Name] = m.Timeout / 2
	}
	g.breaker = g.whole.New(g.changed)
	return g
}

// SetBreaker changes when calls stop. A connection without a breaker gets none.
func (c *Conn) SetBreaker(b Breaker) {
	if c.guard != nil {
		c.guard.whole.Set(b.options())
		c.guard.backends.Set(b.backend())
	}
}

func (g *guard) changed(to breaker.State) {
	g.metrics.State(int(to))
	level := slog.LevelInfo
	if to == breaker.Open {
		level = slog.LevelWarn
	}
	g.log.Log(context.Background(), level, "circuit breaker changed", slog.String("state", to.String()))
}

func (g *guard) ejected(address string, ejected bool) {
	g.metrics.Ejected(ejected)
	if ejected {
		g.log.Warn("backend is left out: its calls fail", slog.String("address", address))
	} else {
		g.log.Info("backend is tried again", slog.String("address", address))
	}
}

// allow lets a call through, or returns CircuitOpen.
func (g *guard) allow() (breaker.Call, error) {
	call, err := g.breaker.Allow()
	if err == nil {
		return call, nil
	}
	g.metrics.Refused()
	refusal := errors.CircuitOpen.New().WithCause(err)
	if open, ok := stderrors.AsType[*breaker.OpenError](err); ok {
		refusal = refusal.After(open.RetryAfter)
	}
	return breaker.Call{}, refusal
}

// guarded is a call that was let through. Nil: nothing guards it.
type guarded struct {
	outlier.Attempt
	guard  *guard
	method string
	whole  breaker.Pending
}

// begin lets a call through, or returns CircuitOpen. The context is that to make
// the call with.
func (g *guard) begin(ctx context.Context, method string, stream bool) (context.Context, *guarded, error) {
	if g == nil {
		return ctx, nil, nil
	}
	call, err := g.allow()
	if err != nil {
		return ctx, nil, err
	}
	c := &guarded{guard: g, method: method}
	c.whole.Begin(call)
	c.Attempt.Context, c.Attempt.Stream = ctx, stream
	return &c.Attempt, c, nil
}

// received says that the first message of a stream has come, with which it counts
// as a success.
func (c *guarded) received() {
	if c != nil {
		c.whole.Done(breaker.Success)
		c.Received()
	}
}

// end says how the call ended. The failure of a backend that is left out now is
// no reason to leave all of them alone.
func (c *guarded) end(took time.Duration, err error) {
	if c == nil {
		return
	}
	outcome := c.guard.outcome(c.method, took, err)
	if outcome == breaker.Fault && c.Ejected() {
		outcome = breaker.Neutral
	}
	c.whole.Done(outcome)
}

// outcome says what the end of a call, or of one attempt, means. A caller who
// leaves the callee less than half of the time that its contract claims cannot
// blame it.
func (g *guard) outcome(method string, took time.Duration, err error) breaker.Outcome {
	switch code := status.Code(err); {
	case code == codes.Canceled,
		code == codes.DeadlineExceeded && took < g.attemptTimeout[method]:
		return breaker.Neutral
	case errors.TripsBreaker(errors.FromStatus(err, g.errors)):
		return breaker.Fault
	}
	return breaker.Success
}

// judge has the policy leave out backends that fail.
func (g *guard) judge(p *outlier.Policy) {
	if g != nil {
		p.Breaker, p.Outcome, p.OnEject = g.backends, g.outcome, g.ejected
	}
}
