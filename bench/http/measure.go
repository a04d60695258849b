package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"syscall"
	"time"
)

// sample is what one exchange took in a round.
type sample struct {
	elapsed     float64 // nanoseconds
	processor   float64 // those of the process, with its collector of garbage
	allocations float64
	bytes       float64
}

// turns are how often each side's time comes in a round.
const turns = 10

// measure returns the samples of each side. All of them do the same number of exchanges,
// for which the first one takes a slice.
func measure(sides []exchange, rounds int, slice time.Duration) ([][]sample, error) {
	const trial = 200
	first, err := run(sides[0], trial)
	if err != nil {
		return nil, err
	}
	times := 1 + int(float64(slice.Nanoseconds())/first.elapsed/turns)
	out := make([][]sample, len(sides))
	for range rounds {
		one, err := round(sides, times)
		if err != nil {
			return nil, err
		}
		for i := range sides {
			out[i] = append(out[i], one[i])
		}
	}
	return out, nil
}

// round returns the sample of each side.
func round(sides []exchange, times int) ([]sample, error) {
	out := make([]sample, len(sides))
	for range turns {
		for _, i := range rand.Perm(len(sides)) {
			s, err := run(sides[i], times)
			if err != nil {
				return nil, err
			}
			out[i].add(s)
		}
	}
	return out, nil
}

// add adds a turn to those of a round.
func (s *sample) add(turn sample) {
	s.elapsed += turn.elapsed / turns
	s.processor += turn.processor / turns
	s.allocations += turn.allocations / turns
	s.bytes += turn.bytes / turns
}

// run measures a number of exchanges. Garbage of others is gone before it begins; its own
// is part of it.
func run(x exchange, times int) (sample, error) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	used, began := processor(), time.Now()
	for range times {
		if status, _, err := x(); err != nil || status != http.StatusOK {
			return sample{}, fmt.Errorf("status %d: %v", status, err)
		}
	}
	elapsed := time.Since(began)
	used = processor() - used
	runtime.ReadMemStats(&after)
	n := float64(times)
	return sample{
		elapsed:     float64(elapsed) / n,
		processor:   float64(used) / n,
		allocations: float64(after.Mallocs-before.Mallocs) / n,
		bytes:       float64(after.TotalAlloc-before.TotalAlloc) / n,
	}, nil
}

// processor is the time that the process has had of its processors.
func processor() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // of a process that there is
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
