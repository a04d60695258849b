// Package throttle bounds what clients send on top of the calls they are asked
// for, so that second attempts cannot multiply the load of a callee in trouble.
package throttle

import "sync/atomic"

// An attempt on top of a call costs a token, a call that succeeds gives a tenth
// of one back. So in the long run there is at most one for every ten calls that
// succeed, and capacity of them for a callee that answers nothing at all.
const (
	capacity = 20
	tenths   = 10
)

// Bucket holds the tokens of one callee. The zero value is full. It is safe for
// concurrent use.
type Bucket struct {
	spent atomic.Int64 // in tenths of a token
}

// Take takes a token, and reports whether there was one.
func (b *Bucket) Take() bool {
	for {
		spent := b.spent.Load()
		if spent+tenths > capacity*tenths {
			return false
		}
		if b.spent.CompareAndSwap(spent, spent+tenths) {
			return true
		}
	}
}

// Give says that a call succeeded.
func (b *Bucket) Give() {
	for {
		spent := b.spent.Load()
		if spent == 0 || b.spent.CompareAndSwap(spent, spent-1) {
			return
		}
	}
}
