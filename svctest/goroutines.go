package svctest

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// endTimeout is how long goroutines may take to end after their service has.
const endTimeout = 2 * time.Second

// goroutines are those of one service, whatever else the process runs: a profiler
// label, which each goroutine inherits from the one that starts it.
type goroutines struct {
	id      string
	ignored []string // functions
}

// label is the name of the label, services how many have got one.
const label = "svctest"

var services atomic.Int64

func newGoroutines(ignored []string) goroutines {
	return goroutines{strconv.FormatInt(services.Add(1), 10), ignored}
}

// spawn starts the first one.
func (g goroutines) spawn(f func()) {
	go pprof.Do(context.Background(), pprof.Labels(label, g.id), func(context.Context) { f() })
}

// left returns the stacks of those that do not end, "" if all do.
func (g goroutines) left() string {
	for deadline := time.Now().Add(endTimeout); ; time.Sleep(time.Millisecond) {
		if stacks := g.stacks(); stacks == "" || time.Now().After(deadline) {
			return stacks
		}
	}
}

// stacks returns those of now, as in the goroutine profile: how many have the stack, a
// line for its labels, and one for each function.
func (g goroutines) stacks() string {
	var profile bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&profile, 1 /* as text */) // a buffer takes all
	mine := fmt.Sprintf("%q:%q", label, g.id)
	var stacks []string
	for stack := range strings.SplitSeq(profile.String(), "\n\n") {
		_, rest, labelled := strings.Cut(stack, "\n# labels: ")
		labels, _, _ := strings.Cut(rest, "\n")
		if labelled && strings.Contains(labels, mine) && !g.ignores(stack) {
			stacks = append(stacks, stack)
		}
	}
	return strings.Join(stacks, "\n")
}

func (g goroutines) ignores(stack string) bool {
	return slices.ContainsFunc(g.ignored, func(function string) bool {
		return strings.Contains(stack, "\t"+function+"+0x")
	})
}
