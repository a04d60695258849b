package svcgen

import (
	"runtime/debug"
	"strings"
	"testing"
)

// Garbage is not collected before something is written, and then as it was.
func TestUntilWritten(t *testing.T) {
	const as = 77
	defer debug.SetGCPercent(debug.SetGCPercent(as))
	var out strings.Builder
	w := untilWritten(&out)
	percent := func() int {
		now := debug.SetGCPercent(as)
		debug.SetGCPercent(now)
		return now
	}
	if got := percent(); got != -1 {
		t.Errorf("before a write it is %d, want -1", got)
	}
	for range 2 {
		if _, err := w.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if got := percent(); got != as {
			t.Errorf("after a write it is %d, want %d", got, as)
		}
	}
	if out.String() != "xx" {
		t.Errorf("written is %q", &out)
	}
}
