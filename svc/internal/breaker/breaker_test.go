package breaker

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/protosvc/protosvc/svc/internal/bubble"
)

// calls makes n calls that end alike and returns how many were let through.
func calls(b *Breaker, n int, outcome Outcome) (passed int) {
	for range n {
		if c, err := b.Allow(); err == nil {
			passed++
			c.Done(outcome)
		}
	}
	return passed
}

func TestStates(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var seen []State
		b := Share(Options{}).New(func(s State) { seen = append(seen, s) })
		if got := calls(b, 19, Fault); got != 19 || b.State() != Closed {
			t.Fatalf("19 faults: %d passed, %v; want all to pass: the least number of calls is 20", got, b.State())
		}
		if got := calls(b, 10, Fault); got != 1 || b.State() != Open {
			t.Fatalf("10 faults more: %d passed, %v; want one to pass and open it", got, b.State())
		}
		_, err := b.Allow()
		refused, ok := err.(*OpenError)
		if !ok || refused.RetryAfter != time.Second {
			t.Fatalf("got %v, want an OpenError for 1s", err)
		}
		time.Sleep(time.Second)
		trial, err := b.Allow()
		if err != nil || b.State() != HalfOpen {
			t.Fatalf("after 1s: %v, %v; want a trial", err, b.State())
		}
		if got := calls(b, 5, Success); got != 0 {
			t.Fatalf("%d calls passed beside the trial", got)
		}
		trial.Done(Fault)
		if b.State() != Open {
			t.Fatalf("after a failed trial: %v", b.State())
		}
		time.Sleep(time.Second)
		if got := calls(b, 100, Success); got != 100 || b.State() != Closed {
			t.Fatalf("after a good trial: %d of 100 passed, %v", got, b.State())
		}
		want := []State{Open, HalfOpen, Open, HalfOpen, Closed}
		if !slices.Equal(seen, want) {
			t.Errorf("changes %v, want %v", seen, want)
		}
	})
}

func TestClosesWithoutMemory(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		b := Share(Options{MinCalls: 2}).New(nil)
		calls(b, 2, Fault)
		time.Sleep(time.Second)
		calls(b, 1, Success)
		if got := calls(b, 1, Fault); got != 1 || b.State() != Closed {
			t.Errorf("one fault after closing: %v, want closed: what came before is forgotten", b.State())
		}
	})
}

func TestNeutral(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		b := Share(Options{MinCalls: 2}).New(nil)
		calls(b, 1000, Neutral)
		calls(b, 2, Fault)
		if b.State() != Open {
			t.Fatalf("%v, want open: neutral calls do not count", b.State())
		}
		time.Sleep(time.Second)
		calls(b, 1, Neutral)
		if b.State() != HalfOpen {
			t.Errorf("%v after a neutral trial, want half_open: nothing was learnt", b.State())
		}
		if got := calls(b, 1, Success); got != 1 || b.State() != Closed {
			t.Errorf("after a neutral trial: %d passed, %v; want the next call to be the trial", got, b.State())
		}
	})
}

func TestWindowForgets(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		b := Share(Options{MinCalls: 10, ConsecutiveFaults: -1, Window: 10 * time.Second}).New(nil)
		calls(b, 9, Fault)
		time.Sleep(10 * time.Second)
		calls(b, 9, Fault)
		if b.State() != Closed {
			t.Fatalf("%v, want closed: the first nine are ten seconds old", b.State())
		}
		calls(b, 1, Fault)
		if b.State() != Open {
			t.Errorf("%v, want open", b.State())
		}
	})
}

// The window forgets a tenth of its time at once: a call at either edge of the first
// tenth counts until the window has passed since that tenth began.
func TestWindowForgetsATenth(t *testing.T) {
	const window, tick = 10 * time.Second, time.Nanosecond
	for _, edge := range []time.Duration{0, window/10 - tick} {
		for at, want := range map[time.Duration]State{window - tick: Open, window: Closed} {
			bubble.Test(t, func(t *testing.T) {
				b := Share(Options{MinCalls: 2, ConsecutiveFaults: -1, Window: window}).New(nil)
				begin := time.Now().Truncate(window)
				time.Sleep(time.Until(begin.Add(window + edge)))
				calls(b, 1, Fault)
				time.Sleep(at - edge)
				if calls(b, 1, Fault); b.State() != want {
					t.Errorf("faults at %v and %v: %v, want %v", edge, at, b.State(), want)
				}
			})
		}
	}
}

func TestRow(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		b := Share(Options{ConsecutiveFaults: 5}).New(nil)
		calls(b, 1000, Success)
		calls(b, 4, Fault)
		calls(b, 1, Success)
		calls(b, 4, Fault)
		if b.State() != Closed {
			t.Fatalf("%v, want closed: there was a success between the faults", b.State())
		}
		calls(b, 1, Fault)
		if b.State() != Open {
			t.Errorf("%v after five faults in a row, want open", b.State())
		}
	})
}

func TestLateResults(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		b := Share(Options{MinCalls: 1}).New(nil)
		early, _ := b.Allow()
		calls(b, 1, Fault)
		early.Done(Success)
		if b.State() != Open {
			t.Fatalf("%v: a call from before closed the breaker", b.State())
		}
		time.Sleep(time.Second)
		hung, _ := b.Allow()
		time.Sleep(time.Second)
		second, err := b.Allow()
		if err != nil {
			t.Fatalf("a trial that hangs holds up the next one: %v", err)
		}
		second.Done(Success)
		hung.Done(Fault)
		if b.State() != Closed {
			t.Errorf("%v: a trial that was given up changed the state", b.State())
		}
	})
}

// What the comments of Options promise.
func TestDefaults(t *testing.T) {
	got := Options{}.WithDefaults()
	for _, c := range []struct{ name, got, want any }{
		{"FailurePercent", got.FailurePercent, 50},
		{"MinCalls", got.MinCalls, 20},
		{"ConsecutiveFaults", got.ConsecutiveFaults, 20},
		{"ConsecutiveFaults follows MinCalls", Options{MinCalls: 7}.WithDefaults().ConsecutiveFaults, 7},
		{"Window", got.Window, 10 * time.Second},
		{"Open", got.Open, time.Second},
	} {
		if c.got != c.want {
			t.Errorf("%s is %v, want %v", c.name, c.got, c.want)
		}
	}
}

// Opened by the share of faults, closed by a trial: the faults of before are not
// the beginning of a new row.
func TestRowBeginsAnewWhenItCloses(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		b := Share(Options{MinCalls: 4, ConsecutiveFaults: 6}).New(nil)
		calls(b, 4, Fault)
		if b.State() != Open {
			t.Fatalf("%v, want open", b.State())
		}
		time.Sleep(time.Second)
		calls(b, 1, Success)
		if calls(b, 2, Fault); b.State() != Closed {
			t.Errorf("%v after two faults, want closed", b.State())
		}
	})
}

// A share at the limit opens, one below it does not.
func TestShare(t *testing.T) {
	for faults, want := range map[int]State{29: Closed, 30: Open} {
		bubble.Test(t, func(t *testing.T) {
			b := Share(Options{FailurePercent: 30, MinCalls: 100, ConsecutiveFaults: -1}).New(nil)
			calls(b, 100-faults, Success)
			calls(b, faults, Fault)
			if b.State() != want {
				t.Errorf("%d of 100 failed: %v, want %v", faults, b.State(), want)
			}
		})
	}
}

// The first place where the outcome shows counts, and a call that is begun anew
// has an outcome of its own.
func TestPending(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		b := Share(Options{MinCalls: 2}).New(nil)
		var p Pending
		p.Done(Fault) // no call yet
		for n, want := range []State{Closed, Open} {
			c, err := b.Allow()
			if err != nil {
				t.Fatal(err)
			}
			p.Begin(c)
			for range 3 {
				p.Done(Fault)
			}
			if b.State() != want {
				t.Errorf("after %d calls that failed, each said three times: %v, want %v", n+1, b.State(), want)
			}
		}
	})
}

func TestConcurrent(t *testing.T) {
	b := Share(Options{MinCalls: 1, Open: time.Microsecond, Window: time.Millisecond}).New(nil)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 2000 {
				if c, err := b.Allow(); err == nil {
					c.Done(Outcome((n + i) % 3))
				}
			}
		})
	}
	all.Wait()
	time.Sleep(time.Millisecond)
	if _, err := b.Allow(); err != nil {
		t.Errorf("%v, want a call to pass", err)
	}
}

func TestAllocations(t *testing.T) {
	b := Share(Options{}).New(nil)
	if n := testing.AllocsPerRun(1000, func() { calls(b, 1, Success) }); n != 0 {
		t.Errorf("%v allocations per call, want 0", n)
	}
}

func BenchmarkClosed(b *testing.B) {
	breaker := Share(Options{}).New(nil)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			calls(breaker, 1, Success)
		}
	})
}

// Options change for breakers that are at work: what is counted stays, unless it was
// counted over another time.
func TestSet(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		shared := Share(Options{})
		b, other := shared.New(nil), shared.New(nil)
		calls(b, 4, Fault)
		shared.Set(Options{MinCalls: 5})
		if got := calls(b, 2, Fault); got != 1 || b.State() != Open {
			t.Errorf("a fifth fault: %d passed, %v; want one to pass and open it", got, b.State())
		}
		calls(other, 2, Success)
		calls(other, 2, Fault)
		shared.Set(Options{MinCalls: 6, ConsecutiveFaults: -1, Window: time.Minute})
		if calls(other, 5, Fault); other.State() != Closed {
			t.Errorf("five faults within another window: %v", other.State())
		}
		shared.Set(Options{MinCalls: 6, ConsecutiveFaults: -1, Window: time.Minute, Open: 5 * time.Second})
		calls(other, 1, Fault)
		if _, err := other.Allow(); err == nil || err.(*OpenError).RetryAfter != 5*time.Second {
			t.Errorf("it is open for %v, want 5 s", err)
		}
	})
}
