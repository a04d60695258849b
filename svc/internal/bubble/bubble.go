// Package bubble is testing/synctest for tests that run under the race detector.
package bubble

import (
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
)

// What all bubbles of a process share.
var (
	mu    sync.Mutex
	open  int
	procs int // of the process, while bubbles are open
)

// Test is [synctest.Test]. Under the race detector one goroutine of the process runs
// at a time while a bubble is open: all timers of a bubble share one context of the
// race detector, which crashes when two threads use it at once
// (https://go.dev/issue/78156). Races are found all the same, since the detector
// goes by what orders two accesses, not by when they happen.
func Test(t *testing.T, f func(*testing.T)) {
	t.Helper()
	if race {
		enter()
		defer leave()
	}
	synctest.Test(t, f)
}

func enter() {
	mu.Lock()
	defer mu.Unlock()
	if open++; open == 1 {
		procs = runtime.GOMAXPROCS(1)
	}
}

func leave() {
	mu.Lock()
	defer mu.Unlock()
	if open--; open == 0 {
		runtime.GOMAXPROCS(procs)
	}
}
