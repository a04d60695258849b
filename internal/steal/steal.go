// Package steal tells how much of the processors' time the host of a virtual machine
// gave to others. What is measured while it gave away much says nothing of a program.
package steal

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"sync"
	"time"
)

// Much is the share of a second from which on measurements of time are worth nothing.
// A machine with neighbours that are quiet is below a tenth of that.
const Much = 0.1

// period is how long the shares are taken over.
const period = time.Second

// Watch looks at the machine until it is ended.
type Watch struct {
	stop    context.CancelFunc
	watcher sync.WaitGroup
	worst   float64
}

// Begin starts to look.
func Begin(ctx context.Context) *Watch {
	ctx, stop := context.WithCancel(ctx)
	w := &Watch{stop: stop}
	w.watcher.Go(func() {
		for share := range shares(ctx) {
			w.worst = max(w.worst, share)
		}
	})
	return w
}

// End returns the share of the worst second, from 0 to 1: 0 where the kernel does not tell.
func (w *Watch) End() float64 {
	w.stop()
	w.watcher.Wait()
	return w.worst
}

// Quiet waits until the host has taken little for some seconds in a row, at most for so long.
func Quiet(ctx context.Context, most time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	quiet := 0
	for share := range shares(ctx) {
		if quiet++; share >= Much {
			quiet = 0
		}
		if quiet == 3 {
			return
		}
	}
}

// shares are what the host took in each period, and in what is left of one, until ctx ends.
func shares(ctx context.Context) func(yield func(float64) bool) {
	return func(yield func(float64) bool) {
		before := now()
		for ctx.Err() == nil {
			select {
			case <-time.After(period):
			case <-ctx.Done():
			}
			after := now()
			if !yield(after.since(before)) {
				return
			}
			before = after
		}
	}
}

// times are those of all processors since the machine started, in the kernel's ticks.
type times struct{ stolen, all uint64 }

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
	t.stolen = ticks[7]
	return t
}

// since is the share that was stolen from a time to this one. Counters of a kernel are
// said to step back at times.
func (t times) since(before times) float64 {
	if t.all <= before.all || t.stolen <= before.stolen {
		return 0
	}
	return float64(t.stolen-before.stolen) / float64(t.all-before.all)
}
