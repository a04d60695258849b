// Package budget bounds the memory of requests that are on their way. A client that
// never ends what it has begun would otherwise keep all of it there for as long as its
// call may last, and so could many of them take a process down.
//
// When the budget is spent, no new request is refused for it: the account that holds
// the most is evicted. Requests of ordinary size hold little, and for a moment only, so
// they go on while large ones end. Envoy does the same when it resets the streams
// with the most memory.
package budget

import "sync"

// Budget is how many bytes all accounts may hold together. A nil one has no limit.
type Budget struct {
	limit int64

	mu       sync.Mutex
	held     int64
	arriving map[*Account]struct{} // those that can be evicted
}

// New returns a budget of so many bytes.
func New(limit int64) *Budget {
	return &Budget{limit: limit, arriving: map[*Account]struct{}{}}
}

// Held returns how many bytes all accounts hold.
func (b *Budget) Held() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held
}

// Open opens an account, which must be closed. Evict is called once at the most, by
// the goroutine of whoever spends the last of the budget, and must make the holder let
// go of what it holds.
func (b *Budget) Open(evict func()) *Account {
	if b == nil {
		return nil
	}
	a := &Account{budget: b, evict: evict}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.arriving[a] = struct{}{}
	return a
}

// Account is what one holder has of a budget. A nil one is never evicted.
type Account struct {
	budget *Budget
	evict  func()

	// Guarded by the budget.
	held            int64
	evicted, closed bool
}

// Hold adds bytes to what the account holds, or gives some back if there are less than
// none. It reports false once the account is evicted.
func (a *Account) Hold(bytes int) bool {
	if a == nil {
		return true
	}
	victims, ok := a.budget.hold(a, int64(bytes))
	for _, victim := range victims {
		victim.evict()
	}
	return ok
}

// hold returns whom to evict, and whether the account stays.
func (b *Budget) hold(a *Account, bytes int64) (victims []*Account, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a.evicted || a.closed {
		return nil, false
	}
	a.held += bytes
	b.held += bytes
	for bytes > 0 && b.held > b.limit {
		victim := b.largest()
		if victim == nil {
			break
		}
		victim.evicted = true
		b.drop(victim)
		victims = append(victims, victim)
	}
	return victims, !a.evicted
}

// largest returns the account that holds the most of those that can be evicted, nil if
// there is none.
func (b *Budget) largest() (largest *Account) {
	for a := range b.arriving {
		if a.held > 0 && (largest == nil || a.held > largest.held) {
			largest = a
		}
	}
	return largest
}

// drop takes what an account holds out of the budget.
func (b *Budget) drop(a *Account) {
	b.held -= a.held
	a.held = 0
	delete(b.arriving, a)
}

// Arrived says that the holder waits for nothing more: it is at work on what it holds,
// and is no longer evicted.
func (a *Account) Arrived() {
	if a == nil {
		return
	}
	a.budget.mu.Lock()
	defer a.budget.mu.Unlock()
	delete(a.budget.arriving, a)
}

// Close gives everything back. What is closed or evicted can be closed again.
func (a *Account) Close() {
	if a == nil {
		return
	}
	a.budget.mu.Lock()
	defer a.budget.mu.Unlock()
	a.closed = true
	a.budget.drop(a)
}
