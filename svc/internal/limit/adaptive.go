package limit

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// window is how long calls are observed before the limit moves, and
	// windowCalls how many it takes at the least.
	window      = 100 * time.Millisecond
	windowCalls = 10

	// tolerance is how much slower than alone calls may be before the limit
	// falls: at twice the time, each has waited as long as it worked.
	tolerance = 2.0

	// smoothing is the share by which a window moves the limit.
	smoothing = 0.2

	// memory is how many calls tell how long a method takes alone.
	memory = 20
)

// Adaptive limits the calls in progress to about as many as are served without
// a queue. After each window of time it multiplies its limit with the gradient,
// how long calls take alone by how long they take now, and adds room for the
// square root of the limit, by which it finds out whether more is possible: the
// rule of Netflix's concurrency-limits and Envoy's adaptive concurrency.
//
// How long a call takes alone is measured for each [Method] by those that found
// (nearly) nobody inside, so a change of what is called is not taken for a queue.
// A queue keeps such calls away, and the measure with them, so that a long
// overload is not taken for the normal state. Should calls become slower for
// another reason, the limit falls until calls are alone again, measures them anew
// and recovers.
type Adaptive struct {
	Gate
	moves atomic.Bool // the limit does, else it is the upper bound

	mu    sync.Mutex
	most  int64         // upper bound of the limit
	least int64         // lower bound; a call that finds fewer inside is alone
	exact float64       // the limit before rounding
	end   time.Duration // of the window
	calls int
	slow  float64 // sum over the window: time taken by time alone
	peak  int64   // calls inside at the most during the window
}

// NewAdaptive returns a limit that moves between the number of CPUs, at least 4,
// and most. It begins in the middle of what it can be, as far as that is below 100.
func NewAdaptive(most int) *Adaptive {
	a := new(Adaptive)
	a.Set(most, true)
	return a
}

// Set changes the upper bound of the limit, and whether it moves. One that does not is at
// the bound.
func (a *Adaptive) Set(most int, moves bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.most = int64(most)
	a.least = min(int64(max(4, runtime.GOMAXPROCS(0))), a.most)
	switch {
	case !moves:
		a.exact = float64(a.most)
	case a.moves.Load():
		a.exact = math.Max(float64(a.least), math.Min(float64(a.most), a.exact))
	default:
		a.exact = math.Min(100, float64(a.least+a.most)/2)
	}
	a.moves.Store(moves)
	a.limit.Store(int64(a.exact))
}

// Moves reports whether the limit moves: then it wants to know of each call.
func (a *Adaptive) Moves() bool { return a.moves.Load() }

// Method is how long the calls of one method take alone. It belongs to one
// Adaptive. The zero value knows nothing yet.
type Method struct {
	// Guarded by the lock of the Adaptive.
	alone float64 // seconds
	calls float64 // that it is the average of
}

// Done observes a call that found so many inside, itself included, and ended
// after the time took; now is the time since any fixed moment, the same for all
// calls. Leave out calls that failed, which may be quick without doing anything.
func (a *Adaptive) Done(m *Method, found int, now, took time.Duration) {
	seconds := math.Max(took.Seconds(), 1e-6)
	a.mu.Lock()
	defer a.mu.Unlock()
	if int64(found) <= a.least || m.calls == 0 {
		m.calls = math.Min(m.calls+1, memory)
		m.alone += (seconds - m.alone) / m.calls
	}
	a.calls++
	a.slow += seconds / m.alone
	a.peak = max(a.peak, int64(found))
	if now >= a.end {
		a.move(now)
	}
}

// move ends a window. It needs the lock.
func (a *Adaptive) move(now time.Duration) {
	if a.calls >= windowCalls {
		gradient := math.Min(1, tolerance*float64(a.calls)/a.slow)
		next := a.exact*gradient + math.Sqrt(a.exact)
		// A limit that nobody reached says nothing about the room above it.
		if next < a.exact || 2*a.peak >= a.limit.Load() {
			a.exact += smoothing * (next - a.exact)
			a.exact = math.Max(float64(a.least), math.Min(float64(a.most), a.exact))
			a.limit.Store(int64(a.exact))
		}
		a.calls, a.slow, a.peak = 0, 0, 0
	}
	a.end = now + window
}
