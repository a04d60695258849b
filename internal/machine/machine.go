// Package machine tells when this machine had no processor for what it runs: none was
// free, or the host of a virtual machine gave them to others. What is measured then says
// little of a program, and nothing if it was the host.
package machine

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"sync"
	"time"
)

const (
	// much is the share of a period from which on the host took so much that measurements
	// of time are worth nothing. With quiet neighbours it is below a tenth of that.
	much = 0.1

	// few is the share of a period below which no processor was free.
	few = 0.05

	period = time.Second / 2
)

// Record is how the machine was, in the order of time.
type Record []Sample

// Sample is how all processors spent a period.
type Sample struct {
	Begin, End   time.Time
	Stolen, Free float64 // of the period, from 0 to 1
}

// short reports whether there was no processor for a program.
func (s Sample) short() bool { return s.Free < few || s.Stolen >= much }

// Unfit reports whether the host took so much that what was measured is worth nothing.
func (r Record) Unfit() bool { return r.Stolen() >= much }

// Stolen is what the host took in the worst period: 0 where the kernel does not tell.
func (r Record) Stolen() (worst float64) {
	for _, s := range r {
		worst = max(worst, s.Stolen)
	}
	return worst
}

// Short returns for how long, between two times, there was no processor for a program.
func (r Record) Short(from, to time.Time) (sum time.Duration) {
	for _, s := range r {
		if s.short() {
			begin, end := max(0, s.Begin.Sub(from)), min(s.End.Sub(from), to.Sub(from))
			sum += max(0, end-begin)
		}
	}
	return sum
}

// Watch looks at the machine until it is ended.
type Watch struct {
	stop    context.CancelFunc
	watcher sync.WaitGroup
	record  Record
}

// Begin starts to look.
func Begin(ctx context.Context) *Watch {
	ctx, stop := context.WithCancel(ctx)
	w := &Watch{stop: stop}
	w.watcher.Go(func() {
		for s := range samples(ctx) {
			w.record = append(w.record, s)
		}
	})
	return w
}

// End returns what was seen.
func (w *Watch) End() Record {
	w.stop()
	w.watcher.Wait()
	return w.record
}

// How often something is tried before it counts as what the last try was: tries that say
// something, and all of them.
const (
	fairTries = 2
	allTries  = 3
)

// Tries are those of something that a machine without processors can spoil.
type Tries struct{ fair, all int }

// Again counts a try, and whether it said nothing, and reports whether there is another.
func (t *Tries) Again(unknown bool) bool {
	if t.all++; !unknown {
		t.fair++
	}
	return t.fair < fairTries && t.all < allTries
}

// Quiet waits until the host has taken little for some seconds in a row, at most for so long.
func Quiet(ctx context.Context, most time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	quiet := 0
	for s := range samples(ctx) {
		if quiet++; s.Stolen >= much {
			quiet = 0
		}
		if quiet == 6 {
			return
		}
	}
}

// samples are of each period, and of what is left of one, until ctx ends.
func samples(ctx context.Context) func(yield func(Sample) bool) {
	return func(yield func(Sample) bool) {
		before, begin := now(), time.Now()
		for ctx.Err() == nil {
			select {
			case <-time.After(period):
			case <-ctx.Done():
			}
			after, end := now(), time.Now()
			s := after.since(before)
			s.Begin, s.End = begin, end
			if !yield(s) {
				return
			}
			before, begin = after, end
		}
	}
}

// times are those of all processors since the machine started, in the kernel's ticks.
type times struct{ free, stolen, all uint64 }

func now() times {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return times{}
	}
	return parse(text)
}

// parse reads the line of all processors: user, nice, system, idle, iowait, irq, softirq,
// steal. What follows, of guests, is part of user and nice.
func parse(text []byte) (t times) {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	var ticks [8]uint64
	if _, err := fmt.Sscanf(string(line), "cpu %d %d %d %d %d %d %d %d", &ticks[0], &ticks[1], &ticks[2], &ticks[3],
		&ticks[4], &ticks[5], &ticks[6], &ticks[7]); err != nil {
		return t
	}
	for _, n := range ticks {
		t.all += n
	}
	t.free, t.stolen = ticks[3]+ticks[4], ticks[7]
	return t
}

// since are the shares from a time to this one. Where nothing is known all was free.
func (t times) since(before times) Sample {
	share := func(now, then uint64) float64 {
		if now <= then { // counters of a kernel are said to step back at times
			return 0
		}
		return float64(now-then) / float64(t.all-before.all)
	}
	if t.all <= before.all {
		return Sample{Free: 1}
	}
	return Sample{Stolen: share(t.stolen, before.stolen), Free: share(t.free, before.free)}
}
