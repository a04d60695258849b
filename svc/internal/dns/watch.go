package dns

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// When questions are asked, at the latest. Each time is drawn anew, so that clients
// which started or lost a replica together do not ask together.
const (
	// interval is between questions while all is well. The DNS of a cluster keeps
	// its answers for 5 seconds, so a new replica is known within 9.
	interval = 4 * time.Second

	// pause is from one question to the next where that is wanted soon: when a
	// replica stopped serving, or no address is known.
	pause = time.Second

	// timeout is for one question with all that net.Resolver makes of it: two
	// tries of 5 seconds at each name server.
	timeout = 20 * time.Second
)

// watch asks for the addresses of one host while somebody wants to know them.
type watch struct {
	host, port string
	lookup     Lookup
	onStale    func(error)

	asked  chan struct{} // has room for one
	cancel context.CancelFunc
	done   chan struct{}

	mu          sync.Mutex
	subscribers []*subscription
	addresses   []string // the last ones found
	err         error    // of the last question
	stale       bool     // the addresses are those of a question before
}

func newWatch(host, port string, lookup Lookup, onStale func(error)) *watch {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch{
		host: host, port: port, lookup: lookup, onStale: onStale,
		asked: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{}),
	}
	go w.run(ctx)
	return w
}

// add has a subscriber told what is known, and what will be.
func (w *watch) add(s *subscription) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.subscribers = append(w.subscribers, s)
	if w.addresses != nil || w.err != nil {
		w.tell(s)
	}
}

// remove reports whether nobody is left.
func (w *watch) remove(s *subscription) (last bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.subscribers = slices.DeleteFunc(w.subscribers, func(other *subscription) bool { return other == s })
	return len(w.subscribers) == 0
}

func (w *watch) close() {
	w.cancel()
	<-w.done
}

func (w *watch) ask() {
	select {
	case w.asked <- struct{}{}:
	default: // somebody did so already
	}
}

func (w *watch) run(ctx context.Context) {
	defer close(w.done)
	for ctx.Err() == nil {
		began := time.Now()
		limited, cancel := context.WithTimeout(ctx, timeout)
		addresses, err := w.lookup(limited, w.host)
		cancel()
		if ctx.Err() != nil {
			return
		}
		w.wait(ctx, began, w.answered(addresses, err))
	}
}

// answered tells everybody who does not know it yet, and reports whether an
// address is known. Addresses that were found stay when later questions fail: the
// replicas are no less there when the name server is not.
func (w *watch) answered(addresses []string, err error) (known bool) {
	if err == nil && len(addresses) == 0 {
		err = errors.New("no address")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.addresses = addresses
	}
	w.err = err
	if stale := err != nil && w.addresses != nil; stale != w.stale {
		w.stale = stale
		if w.onStale != nil {
			w.onStale(err)
		}
	}
	for _, s := range w.subscribers {
		w.tell(s)
	}
	return w.addresses != nil
}

// tell passes on the addresses, unless the subscriber has them, or why there are
// none.
func (w *watch) tell(s *subscription) {
	switch {
	case w.addresses == nil:
		s.cc.ReportError(w.err)
	case sameSet(s.has, w.addresses):
	case s.cc.UpdateState(stateOf(w.addresses, w.port)) == nil:
		s.has = w.addresses
	default: // the same is tried again after the next question
		s.has = nil
	}
}

// sameSet compares without regard to order, which name servers change.
func sameSet(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// wait returns when it is time for the next question.
func (w *watch) wait(ctx context.Context, began time.Time, known bool) {
	next := interval
	if !known {
		next = pause
	}
	if sleep(ctx, time.Until(began.Add(early(next))), w.asked) {
		sleep(ctx, max(time.Until(began.Add(early(pause))), rand.N(pause/4)), nil)
	}
}

// early is up to a fifth shorter.
func early(d time.Duration) time.Duration { return d - rand.N(d/5) }

// sleep reports whether it was woken before the time.
func sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) (woken bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-wake:
		return true
	}
	return false
}
