package limit

import (
	"hash/maphash"
	"math"
	"net/netip"
	"sync"
	"time"
)

// maxCallers is how many callers a Rate tells apart: 1 MB.
const maxCallers = 10_000

// Rate is a token bucket for each caller. It remembers callers only while their
// buckets are not full, and at most 10,000: beyond that it forgets who has been
// quiet for longest. A nil Rate lets everybody in. It is safe for concurrent use.
type Rate struct {
	seed maphash.Seed

	mu       sync.Mutex
	interval time.Duration // between calls in the long run
	slack    time.Duration // how far ahead of it a caller may be
	callers  map[Caller]*bucket
	ends     bucket // next is the latest caller, prev the earliest
}

// bucket is a caller's: full when due is past. It needs no refilling, since it
// holds a time instead of tokens (the generic cell rate algorithm).
type bucket struct {
	due        time.Duration // when the calls so far would have been due, evenly spread
	caller     Caller
	prev, next *bucket
}

// NewRate returns a rate of perSecond calls in the long run, and burst at once.
func NewRate(perSecond float64, burst int) *Rate {
	r := &Rate{seed: maphash.MakeSeed()}
	r.Set(perSecond, burst)
	return r
}

// Set changes the rate. Every caller begins anew, since what one has taken at another rate is
// no measure; with the same rate nothing changes.
func (r *Rate) Set(perSecond float64, burst int) {
	interval := time.Duration(math.Min(math.Max(1, float64(time.Second)/perSecond), math.MaxInt64/4))
	slack := time.Duration(math.Min(float64(interval)*float64(burst-1), math.MaxInt64/4))
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.callers != nil && interval == r.interval && slack == r.slack {
		return
	}
	r.interval, r.slack, r.callers = interval, slack, map[Caller]*bucket{}
	r.ends.prev, r.ends.next = &r.ends, &r.ends
}

// Caller is a caller as a Rate knows it: a hash, so that what callers call
// themselves takes no memory.
type Caller uint64

// Address is the caller at an IP address. Those in one /64 of IPv6 are one: a
// single host has as many addresses as it likes there.
func (r *Rate) Address(a netip.Addr) Caller {
	key := a.As16()
	if a.Is6() && !a.Is4In6() {
		clear(key[8:])
	}
	return Caller(maphash.Bytes(r.seed, key[:]))
}

// Name is the caller of a name.
func (r *Rate) Name(name string) Caller { return Caller(maphash.String(r.seed, name)) }

// Take takes a token of the caller's bucket; now is the time since any fixed
// moment, the same for all calls. It returns 0, or the time until there is a
// token, and then takes none.
func (r *Rate) Take(c Caller, now time.Duration) (wait time.Duration) {
	if r == nil {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.callers[c]
	if b == nil {
		b = r.add(c, now)
	}
	b.unlink()
	b.follow(&r.ends)
	if wait := b.due - r.slack - now; wait > 0 {
		return wait
	}
	b.due = max(b.due, now) + r.interval
	return 0
}

// add remembers a caller, and forgets those who need no remembering.
func (r *Rate) add(c Caller, now time.Duration) *bucket {
	for last := r.ends.prev; last != &r.ends && (last.due <= now || len(r.callers) >= maxCallers); last = r.ends.prev {
		last.unlink()
		delete(r.callers, last.caller)
	}
	b := &bucket{caller: c}
	b.follow(&r.ends)
	r.callers[c] = b
	return b
}

// Callers returns how many callers are remembered.
func (r *Rate) Callers() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.callers)
}

func (b *bucket) unlink() { b.prev.next, b.next.prev = b.next, b.prev }

func (b *bucket) follow(other *bucket) {
	b.prev, b.next = other, other.next
	other.next.prev, other.next = b, b
}
