// Package budget bounds what clients take of a process without having done anything for it
// yet: the bytes of requests that are on their way, and the streams that are open. A
// client that never ends what it has begun would otherwise keep all of it for as long
// as its call may last, and so could many of them take a process down.
//
// When a budget is spent, nothing new is refused for it: the account that holds the most
// is evicted. Requests of ordinary size hold little, and for a moment only, so they go on
// while large ones end. Envoy does the same when it resets the streams with the most
// memory.
package budget

import (
	"sync"
	"sync/atomic"
	"time"
)

// Budget is how much all accounts may hold together. A nil one has no limit.
type Budget struct {
	// Linger is how long it takes until what was evicted is really gone. Until then those
	// that ask for more, and hold a large share already, are evicted, too. 0: at once.
	// Not to be changed once an account is open.
	Linger time.Duration

	limit   atomic.Int64
	held    atomic.Int64
	leaving atomic.Int64 // was evicted, and is not gone

	mu       sync.Mutex
	arriving map[*Account]struct{} // those that can be evicted
}

// New returns a budget of so many bytes, or of whatever else is held.
func New(limit int64) *Budget {
	b := &Budget{arriving: map[*Account]struct{}{}}
	b.SetLimit(limit)
	return b
}

// SetLimit changes how much all accounts may hold. Beyond a lower one, accounts are
// evicted when the next one asks for more.
func (b *Budget) SetLimit(limit int64) { b.limit.Store(limit) }

// Held returns how much all accounts hold.
func (b *Budget) Held() int64 { return b.held.Load() }

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
	held   atomic.Int64 // changed under mu

	mu     sync.Mutex
	closed bool // it holds nothing any more
}

// Hold adds to what the account holds, or gives some back if it is less than nothing. It
// reports false once the account is evicted or closed. While the budget is not spent,
// accounts do not wait for each other.
func (a *Account) Hold(more int) bool {
	if a == nil {
		return true
	}
	if !a.add(int64(more)) {
		return false
	}
	if more <= 0 {
		return true
	}
	b := a.budget
	switch held, limit := b.held.Load(), b.limit.Load(); {
	case held > limit:
		return b.evict(a)
	case held+b.leaving.Load() > limit && a.held.Load() > limit/share:
		return b.expel(a)
	}
	return true
}

// share is how many accounts could hold as much as makes one of them large.
const share = 16

func (a *Account) add(more int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return false
	}
	a.held.Add(more)
	a.budget.held.Add(more)
	return true
}

// evict evicts whoever holds the most until the others fit. It reports whether an
// account stays.
func (b *Budget) evict(a *Account) (stays bool) {
	stays = true
	for _, victim := range b.victims() {
		victim.evict()
		stays = stays && victim != a
	}
	return stays
}

func (b *Budget) victims() (victims []*Account) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.held.Load() > b.limit.Load() {
		victim := b.largest()
		if victim == nil {
			break
		}
		b.remove(victim)
		victims = append(victims, victim)
	}
	return victims
}

// expel evicts an account, unless it cannot be evicted. It reports whether it stays.
func (b *Budget) expel(a *Account) (stays bool) {
	b.mu.Lock()
	_, evicted := b.arriving[a]
	if evicted {
		b.remove(a)
	}
	b.mu.Unlock()
	if evicted {
		a.evict()
	}
	return !evicted
}

// remove takes the account of a victim out of the budget.
func (b *Budget) remove(victim *Account) {
	delete(b.arriving, victim)
	held := victim.drop()
	if b.Linger > 0 {
		b.leaving.Add(held)
		time.AfterFunc(b.Linger, func() { b.leaving.Add(-held) })
	}
}

// largest returns the account that holds the most of those that can be evicted, nil if
// there is none.
func (b *Budget) largest() (largest *Account) {
	most := int64(0)
	for a := range b.arriving {
		if held := a.held.Load(); held > most {
			largest, most = a, held
		}
	}
	return largest
}

// drop takes what an account holds out of the budget, and returns it.
func (a *Account) drop() (held int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	held = a.held.Swap(0)
	a.budget.held.Add(-held)
	return held
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
	a.Arrived()
	if a != nil {
		a.drop()
	}
}
