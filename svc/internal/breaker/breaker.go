// Package breaker stops calls to something that fails, so that it can recover
// and its callers fail fast.
//
// A [Breaker] is closed while calls succeed. When too large a share of them
// fails it opens and refuses calls at once. After a pause it is half open: one
// call is let through, and its outcome closes the breaker or opens it again.
// What counts as a failure is the caller's decision; see [Outcome].
package breaker

import (
	"cmp"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/protosvc/protosvc/internal/defaults"
)

// State is what a breaker does with calls. The numbers are those of the metric.
type State int32

// The states.
const (
	Closed   State = iota // calls pass
	HalfOpen              // one call at a time passes, to find out
	Open                  // no call passes
)

// String returns "closed", "half_open" or "open".
func (s State) String() string {
	return [...]string{"closed", "half_open", "open"}[s]
}

// Outcome is how a call ended, as far as a breaker is concerned.
type Outcome int

// The outcomes.
const (
	// Neutral says nothing about the callee: the caller gave up, for example.
	Neutral Outcome = iota
	// Success: the callee works. That includes answers that the caller does not
	// like, such as "not found".
	Success
	// Fault: the callee failed.
	Fault
)

// Options say when a breaker opens and for how long. A zero field has its default.
type Options struct {
	// FailurePercent is the share of faults, from 1 to 100, at which it opens.
	// Default 50.
	FailurePercent int

	// MinCalls is the number of calls in the window below which it stays closed.
	// Default 20.
	MinCalls int

	// ConsecutiveFaults is how many faults in a row open it, whatever came before: a callee that
	// stops to work after a good time is noticed by this. Default MinCalls;
	// negative: none.
	ConsecutiveFaults int

	// Window is the time over which calls are counted. Default 10 s.
	Window time.Duration

	// Open is how long it stays open before it lets a call through, and how long
	// that call may take before another one is let through. Default 1 s.
	Open time.Duration

	// OnChange is called at each change of the state, in order, with the breaker
	// locked: it must not call it. May be nil.
	OnChange func(State)
}

// WithDefaults returns the options with every default in its place.
func (o Options) WithDefaults() Options {
	o.FailurePercent = cmp.Or(o.FailurePercent, defaults.BreakerFailurePercent)
	o.MinCalls = cmp.Or(o.MinCalls, defaults.BreakerMinCalls)
	o.ConsecutiveFaults = cmp.Or(o.ConsecutiveFaults, o.MinCalls)
	o.Window = cmp.Or(o.Window, defaults.BreakerWindow)
	o.Open = cmp.Or(o.Open, defaults.BreakerOpen)
	return o
}

// Breaker is a circuit breaker. Make one with [New]; it has no goroutine and no
// timer. It is safe for concurrent use.
type Breaker struct {
	options Options
	state   atomic.Int32
	// generation counts the changes of the state. Only calls of the present generation count.
	generation atomic.Uint32

	mu    sync.Mutex
	calls window    // while closed
	row   int       // faults since the last success, while closed
	until time.Time // while not: when the next call is let through
}

// New returns a closed breaker.
func New(o Options) *Breaker {
	o = o.WithDefaults()
	return &Breaker{options: o, calls: newWindow(o.Window)}
}

// State returns the present state. One that is open and due for a trial is
// half open only once somebody calls.
func (b *Breaker) State() State { return State(b.state.Load()) }

// Call is a call that was let through. Its Done must be called once.
type Call struct {
	breaker    *Breaker
	generation uint32
}

// OpenError refuses a call.
type OpenError struct {
	// RetryAfter is when the next call may be let through.
	RetryAfter time.Duration
}

// Error says how long.
func (e *OpenError) Error() string {
	return fmt.Sprintf("circuit breaker is open for another %v", e.RetryAfter.Round(time.Millisecond))
}

// Allow lets a call through, or returns an [*OpenError] at once.
func (b *Breaker) Allow() (Call, error) {
	generation := b.generation.Load()
	if b.State() == Closed {
		return Call{b, generation}, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.State() == Closed { // meanwhile
		return Call{b, b.generation.Load()}, nil
	}
	now := time.Now()
	if wait := b.until.Sub(now); wait > 0 {
		return Call{}, &OpenError{wait}
	}
	// Each trial is a generation of its own: one that outlived its time counts no more.
	b.change(HalfOpen)
	b.until = now.Add(b.options.Open)
	return Call{b, b.generation.Load()}, nil
}

// Done says how the call ended.
func (c Call) Done(outcome Outcome) {
	b := c.breaker
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.generation.Load() != c.generation {
		return // it began in another state, about which it says nothing now
	}
	now := time.Now()
	if b.State() == HalfOpen {
		b.conclude(now, outcome)
		return
	}
	if outcome == Neutral {
		return
	}
	sum := b.calls.add(now, outcome == Fault)
	b.row++
	if outcome == Success {
		b.row = 0
	}
	if b.row == b.options.ConsecutiveFaults || sum.calls >= b.options.MinCalls && sum.faults*100 >= b.options.FailurePercent*sum.calls {
		b.open(now)
	}
}

// conclude ends a trial.
func (b *Breaker) conclude(now time.Time, outcome Outcome) {
	switch outcome {
	case Success:
		b.calls.reset()
		b.row = 0
		b.change(Closed)
	case Fault:
		b.open(now)
	default:
		b.until = now // nothing was learnt: the next call is the trial
	}
}

func (b *Breaker) open(now time.Time) {
	b.until = now.Add(b.options.Open)
	b.change(Open)
}

// change enters a state. It needs the lock.
func (b *Breaker) change(to State) {
	from := b.State()
	b.generation.Add(1)
	b.state.Store(int32(to))
	if from != to && b.options.OnChange != nil {
		b.options.OnChange(to)
	}
}
