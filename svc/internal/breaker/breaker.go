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

// Shared are options that several breakers have, and that can change while they are at
// work.
type Shared struct{ options atomic.Pointer[Options] }

// Share returns options to make breakers with.
func Share(o Options) *Shared {
	s := new(Shared)
	s.Set(o)
	return s
}

// Set changes the options. A breaker that is open stays so for as long as it would have.
func (s *Shared) Set(o Options) {
	o = o.WithDefaults()
	s.options.Store(&o)
}

// Options returns the present ones, with every default in its place.
func (s *Shared) Options() Options { return *s.options.Load() }

// New returns a closed breaker. OnChange is called at each change of its state, in order,
// with the breaker locked: it must not call it. It may be nil.
func (s *Shared) New(onChange func(State)) *Breaker {
	return &Breaker{shared: s, onChange: onChange}
}

// Breaker is a circuit breaker. Make one with [Shared.New]; it has no goroutine and no
// timer. It is safe for concurrent use.
type Breaker struct {
	shared   *Shared
	onChange func(State)
	state    atomic.Int32
	// generation counts the changes of the state. Only calls of the present generation count.
	generation atomic.Uint32

	mu    sync.Mutex
	calls window    // while closed
	row   int       // faults since the last success, while closed
	until time.Time // while not: when the next call is let through
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
	b.until = now.Add(b.shared.Options().Open)
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
	o := b.shared.options.Load()
	sum := b.calls.add(o.Window, now, outcome == Fault)
	b.row++
	if outcome == Success {
		b.row = 0
	}
	inARow := o.ConsecutiveFaults > 0 && b.row >= o.ConsecutiveFaults
	if inARow || sum.calls >= o.MinCalls && sum.faults*100 >= o.FailurePercent*sum.calls {
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
	b.until = now.Add(b.shared.Options().Open)
	b.change(Open)
}

// change enters a state. It needs the lock.
func (b *Breaker) change(to State) {
	from := b.State()
	b.generation.Add(1)
	b.state.Store(int32(to))
	if from != to && b.onChange != nil {
		b.onChange(to)
	}
}
