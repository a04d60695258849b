package breaker

import (
	"sync"
	"sync/atomic"
)

// Pending is a call whose outcome may show in several places: that of a stream at
// its first message or at its end. The first place counts. The zero value has no
// call yet. It is safe for concurrent use.
type Pending struct {
	open atomic.Bool // so that every message but the first costs a load
	mu   sync.Mutex
	call Call
}

// Begin notes the call, in place of one before it.
func (p *Pending) Begin(c Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.call = c
	p.open.Store(true)
}

// Done says how the call ended, unless that has been said.
func (p *Pending) Done(outcome Outcome) {
	if !p.open.Load() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open.Swap(false) {
		p.call.Done(outcome)
	}
}
