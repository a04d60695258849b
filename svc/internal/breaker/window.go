package breaker

import "time"

// parts is how many parts a window has: it forgets a tenth of its time at once.
const parts = 10

// window counts calls and faults over a sliding time. The zero value is empty.
type window struct {
	width time.Duration // of a part
	ring  [parts]counts
	sum   counts // over the ring
	last  int64  // the newest part, since 1970, in widths
}

type counts struct{ calls, faults int }

// add counts a call and returns the sums over the window of that length, the call included.
// A window of another length than before is empty.
func (w *window) add(length time.Duration, now time.Time, fault bool) counts {
	if width := max(length/parts, 1); width != w.width {
		*w = window{width: width}
	}
	w.advance(now.UnixNano() / int64(w.width))
	one := counts{calls: 1}
	if fault {
		one.faults = 1
	}
	w.ring[w.last%parts].add(one)
	w.sum.add(one)
	return w.sum
}

// advance forgets what is too old. A clock that was set back changes nothing.
func (w *window) advance(to int64) {
	for part := max(w.last+1, to-parts+1); part <= to; part++ {
		old := &w.ring[part%parts]
		w.sum.calls -= old.calls
		w.sum.faults -= old.faults
		*old = counts{}
	}
	w.last = max(w.last, to)
}

func (w *window) reset() { *w = window{width: w.width} }

func (c *counts) add(other counts) {
	c.calls += other.calls
	c.faults += other.faults
}
