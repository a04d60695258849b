package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/protosvc/protosvc/internal/books"
	"github.com/protosvc/protosvc/internal/machine"
)

// result is what became of a scenario.
type result struct {
	scenario     scenario
	engine       string
	began, ended time.Time // the fault

	calls, during, succeeded int           // all; while the fault lasted; of those, with an answer
	p99                      time.Duration // of those that succeeded
	recovery                 time.Duration // from the end of the fault to the last failure that began after it
	codes                    map[string]int
	downstream               float64 // calls that reached payments
	money                    books.Result
	before, after            usage     // of order
	shares                   []float64 // of payments, where they are compared
	laps
	unplayed error // what kept it from being played
	machine  machine.Record
}

// unknown reports whether the result says nothing: promises were not kept, and the machine
// stood still. Wrong books are wrong at any speed.
func (r *result) unknown() bool {
	return len(r.faults()) > 0 && r.money.Wrong == 0 && r.machine.Unfit()
}

// measure counts. A call belongs to the fault if it began while it lasted.
func (r *result) measure(calls []call) {
	r.calls = len(calls)
	var took []time.Duration
	for _, c := range calls {
		if c.ok() {
			took = append(took, c.Took)
		} else {
			r.codes[c.Code]++
		}
		switch {
		case c.Start.Before(r.began):
		case c.Start.Before(r.ended):
			r.during++
			if c.ok() {
				r.succeeded++
			}
		case !c.ok():
			r.recovery = max(r.recovery, c.Start.Add(c.Took).Sub(r.ended))
		}
	}
	slices.Sort(took)
	if len(took) > 0 {
		r.p99 = took[len(took)*99/100]
	}
}

func (r *result) success() float64 { return float64(r.succeeded) / float64(max(r.during, 1)) }

// amplification is how many calls reach payments for one CreateOrder.
func (r *result) amplification() float64 { return r.downstream / float64(r.calls) }

// The promises, of any scenario.
const (
	maxAmplification = 1.2
	maxRecovery      = 2 * time.Second
	// What order may hold more than before, both processes together. The runtime
	// and the pools breathe.
	maxGoroutines = 40
	maxHeap       = 8 << 20
	// What each of several new replicas has of the load, of the mean.
	minShare = 0.5
)

func mean(all []float64) (m float64) {
	for _, n := range all {
		m += n / float64(len(all))
	}
	return m
}

// faults are the promises that are not kept.
func (r *result) faults() []error {
	var faults []error
	check := func(kept bool, format string, args ...any) {
		if !kept {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	check(r.money.Wrong == 0, "%d orders or payments are wrong: %s", r.money.Wrong, strings.Join(r.money.Problems, "; "))
	if r.unplayed != nil {
		return append(faults, fmt.Errorf("it could not be played: %w", r.unplayed))
	}
	check(r.success() >= r.scenario.success, "%.1f %% of the calls succeeded, want %.1f %% (%v)", 100*r.success(), 100*r.scenario.success, r.codes)
	check(r.scenario.success < 1 || len(r.codes) == 0, "calls failed before or after, want none (%v)", r.codes)
	for _, code := range r.scenario.never {
		check(r.codes[code.String()] == 0, "calls ended with %v, want none (%v)", code, r.codes)
	}
	check(len(r.shares) == 0 || slices.Min(r.shares) >= minShare*mean(r.shares), "payments got %v calls, want at least %v of the mean for each", r.shares, minShare)
	check(r.scenario.steps == nil || r.during > 10, "only %d kills", r.during)
	check(r.recovery <= maxRecovery, "it took %v to recover, want at most %v", r.recovery, maxRecovery)
	check(r.amplification() <= maxAmplification, "%.2f calls reach payments for one order, want at most %v", r.amplification(), maxAmplification)
	if r.scenario.growth {
		check(r.after.goroutines <= r.before.goroutines+maxGoroutines, "order has %v goroutines, %v before", r.after.goroutines, r.before.goroutines)
		check(r.after.heap <= r.before.heap+maxHeap, "order's heap has %.1f MB, %.1f before", r.after.heap/1e6, r.before.heap/1e6)
	}
	return faults
}

func (r *result) line() string {
	if r.unplayed != nil {
		return fmt.Sprintf("%-11s %-42s could not be played: %v  %v", r.engine, r.scenario.name, r.unplayed, &r.laps)
	}
	return fmt.Sprintf("%-11s %-42s %5.1f %% of %4d  p99 %6s  recovery %6s  amplification %.2f  %d orders, %d payments, %d wrong  goroutines %v to %v  heap %.1f to %.1f MB  %v %v  %v",
		r.engine, r.scenario.name, 100*r.success(), r.during, r.p99.Round(time.Millisecond), r.recovery.Round(10*time.Millisecond),
		r.amplification(), r.money.Orders, r.money.Payments, r.money.Wrong,
		r.before.goroutines, r.after.goroutines, r.before.heap/1e6, r.after.heap/1e6, r.codes, r.shares, &r.laps)
}

const preamble = `<!-- Written by make resilience. DO NOT EDIT. -->

# Resilience

What became of %d orders a second while parts of the flagship were broken: two order processes, three
payment processes behind proxies, one user process, a load process, all on one machine. "During" are the calls that began
while the fault lasted; recovery is the time from its end to the end of the last failed call that began after it. Amplification is the
calls that reached payments for each order. In the end the books are compared: every order has one payment outcome.

Each scenario has a flagship of its own. One runs at a time, but for the one without load, which runs beside
the others. Where the server of all databases restarts, no call may end as a fault of the service, INTERNAL or UNKNOWN; nor
where nobody reads the log. One that could not be played, or does not keep a promise about time, is played once more, and that
is what is shown; one that leaves wrong books is not. What happened while the host of this virtual machine took a tenth of its
processors or more for a second is played more often, and if it never was still, nothing is known of it.

Where a process dies or stands still in the middle of a transaction, or the database itself fails, the kind of the database
matters, and the scenario runs on SQLite and on PostgreSQL. The others break connections or end processes in order, so that a
database sees no more than a rollback: they run on PostgreSQL alone. Where all replicas are replaced, the three became six
a second before, and each of the six that follow must have at least half of the mean of the calls.

| Database | What happened | During: calls | succeeded | p99 of successes | Recovery | Amplification | Orders | Wrong |
|---|---|---|---|---|---|---|---|---|
`

func writeReport(name string, results []*result) error {
	var out strings.Builder
	fmt.Fprintf(&out, preamble, rate)
	for _, r := range results {
		what := r.scenario.name
		if r.unknown() {
			what += " (not known)"
		}
		if r.scenario.steps != nil {
			fmt.Fprintf(&out, "| %s | %s | %d | %.1f %% | – | – | – | %d | %d |\n", r.engine, what, r.during, 100*r.success(), r.money.Orders, r.money.Wrong)
			continue
		}
		fmt.Fprintf(&out, "| %s | %s | %d | %.1f %% | %d ms | %.1f s | %.2f | %d | %d |\n", r.engine, what, r.during, 100*r.success(),
			r.p99.Milliseconds(), r.recovery.Seconds(), r.amplification(), r.money.Orders, r.money.Wrong)
	}
	return os.WriteFile(name, []byte(out.String()), 0o644)
}
