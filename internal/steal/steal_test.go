package steal

import (
	"context"
	"testing"
	"time"
)

func TestSince(t *testing.T) {
	const before = "cpu  100 20 30 4000 50 0 6 10 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n"
	for _, test := range []struct {
		name, after string
		want        float64
	}{
		{"a quarter", "cpu  170 22 33 4000 50 0 6 35 9 9\ncpu0", 0.25},
		{"nothing", "cpu  190 20 30 4010 50 0 6 10 0 0\n", 0},
		{"a step back", "cpu  190 20 30 4010 50 0 6 9 0 0\n", 0},
		{"no time", before, 0},
		{"a kernel that does not tell", "cpu  190 20 30 4010\n", 0},
	} {
		if got := parse([]byte(test.after)).since(parse([]byte(before))); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// It ends at once, with a share, and so does a wait that may not take any time.
func TestWatch(t *testing.T) {
	begin := time.Now()
	if worst := Begin(t.Context()).End(); worst < 0 || worst > 1 {
		t.Errorf("a share of %v", worst)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	Quiet(ctx, time.Hour)
	if took := time.Since(begin); took > time.Minute {
		t.Errorf("it took %v", took)
	}
}

// This kernel's own numbers make sense.
func TestNow(t *testing.T) {
	if n := now(); n.all < n.stolen {
		t.Errorf("%d of %d ticks are stolen", n.stolen, n.all)
	}
}
