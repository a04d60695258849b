package claim

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// Waits for work of another process, which can only be looked for.
const (
	firstLook = 5 * time.Millisecond
	lastLook  = 100 * time.Millisecond
)

// Flights is the work of this process that is under way, by what it works on.
// The zero value has none.
type Flights[K comparable] struct {
	mu     sync.Mutex
	flying map[K]chan struct{}
}

// Begin says that work has begun. The function it returns says that it has
// ended, and wakes those who wait.
func (f *Flights[K]) Begin(k K) (end func()) {
	landed := make(chan struct{})
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.flying == nil {
		f.flying = map[K]chan struct{}{}
	}
	f.flying[k] = landed
	return func() {
		close(landed)
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.flying[k] == landed { // nobody has taken over meanwhile
			delete(f.flying, k)
		}
	}
}

// Flying reports whether work is under way here.
func (f *Flights[K]) Flying(k K) bool { return f.landed(k) != nil }

func (f *Flights[K]) landed(k K) chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.flying[k]
}

// Wait returns when it is worth looking again: when the work of this process has
// ended, or, as the work may be another's, after a while that grows with the
// looks taken so far, at random so that not all look at once. Its error is that
// of ctx.
func (f *Flights[K]) Wait(ctx context.Context, k K, looks int) error {
	pause := min(firstLook<<min(looks, 10), lastLook)
	timer := time.NewTimer(pause/2 + rand.N(pause/2))
	defer timer.Stop()
	landed := f.landed(k) // nil: waits for ever
	if landed != nil {
		timer.Reset(Duration) // in case another one took over from us
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-landed:
	case <-timer.C:
	}
	return nil
}
