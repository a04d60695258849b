package svcgen

import (
	"io"
	"math"
	"runtime/debug"
	"strings"
	"testing"
)

// Garbage is not collected before something is written, and then it is so that the
// process stays as large as it was at the first write.
func TestUntilWritten(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64))
	var out strings.Builder
	w := untilWritten(&out)
	if percent := debug.SetGCPercent(-1); percent != -1 {
		t.Errorf("before a write the percentage is %d, want -1", percent)
	}
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		t.Errorf("before a write the limit is %d, want none", limit)
	}
	var first int64
	for range 2 {
		if _, err := w.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		limit := debug.SetMemoryLimit(-1)
		if first == 0 {
			first = limit
		}
		if limit != first || limit <= 0 || limit > 1<<40 {
			t.Errorf("after a write the limit is %d, want what the process had at the first, %d", limit, first)
		}
	}
	if out.String() != "xx" {
		t.Errorf("written is %q", &out)
	}
}

// Who gave the process less memory than it has meant it.
func TestUntilWrittenKeepsALowerLimit(t *testing.T) {
	const own = 1 << 20
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(own))
	if _, err := untilWritten(io.Discard).Write(nil); err != nil {
		t.Fatal(err)
	}
	if limit := debug.SetMemoryLimit(-1); limit != own {
		t.Errorf("the limit is %d, want %d as before", limit, own)
	}
}
