// Package limit refuses what is too much: calls in progress ([Gate],
// [Adaptive]), calls of one caller ([Rate]), connections ([Listen]).
//
// Each decides at once and never queues: a call that waits for its turn takes
// memory and comes too late for a caller with a deadline. There is no goroutine
// and no timer in any of them.
package limit

import "sync/atomic"

// Gate limits how many are inside at once. A nil Gate lets everybody in. It is
// safe for concurrent use.
type Gate struct {
	limit  atomic.Int64
	inside atomic.Int64
}

// NewGate returns a gate for at most limit at once, nil for a limit of 0.
func NewGate(limit int) *Gate {
	if limit <= 0 {
		return nil
	}
	g := new(Gate)
	g.limit.Store(int64(limit))
	return g
}

// Enter reports whether there was room. Each that entered must Leave once.
func (g *Gate) Enter() bool {
	if g == nil {
		return true
	}
	if g.inside.Add(1) <= g.limit.Load() {
		return true
	}
	g.inside.Add(-1)
	return false
}

// Leave makes room.
func (g *Gate) Leave() {
	if g != nil {
		g.inside.Add(-1)
	}
}

// Limit returns how many may be inside at once; 0: as many as come.
func (g *Gate) Limit() int {
	if g == nil {
		return 0
	}
	return int(g.limit.Load())
}

// Inside returns how many are inside now.
func (g *Gate) Inside() int { return int(g.inside.Load()) }
