package machine

import (
	"context"
	"testing"
	"time"
)

func TestSince(t *testing.T) {
	const before = "cpu  100 20 30 4000 50 0 6 10 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n"
	for _, test := range []struct {
		name, after  string
		stolen, free float64
	}{
		{"a quarter is stolen", "cpu  170 22 33 4000 50 0 6 35 9 9\ncpu0", 0.25, 0},
		{"a quarter is free", "cpu  170 22 33 4015 60 0 6 10 9 9\ncpu0", 0, 0.25},
		{"a step back", "cpu  180 20 30 4020 50 0 6 9 0 0\n", 0, 20. / 99},
		{"no time", before, 0, 1},
		{"a kernel that does not tell", "cpu  190 20 30 4010\n", 0, 1},
	} {
		if got := parse([]byte(test.after)).since(parse([]byte(before))); got.Stolen != test.stolen || got.Free != test.free {
			t.Errorf("%s: %+v, want %v and %v", test.name, got, test.stolen, test.free)
		}
	}
}

func TestRecord(t *testing.T) {
	at := func(second int) time.Time { return time.Unix(int64(second), 0) }
	r := Record{
		{at(0), at(1), 0, 0.5},
		{at(1), at(2), 0.02, 0.01}, // none is free
		{at(2), at(3), 0.01, 0.5},
		{at(3), at(4), 0.4, 0.5}, // the host took them
		{at(4), at(5), 0, 0.9},
	}
	if r.Stolen() != 0.4 || !r.Unfit() || r[:3].Unfit() {
		t.Errorf("%v was stolen, want 0.4 and that to be much; %v is not", r.Stolen(), r[:3].Stolen())
	}
	for _, test := range []struct {
		from, to, want int
	}{{0, 1, 0}, {0, 2, 1}, {2, 3, 0}, {2, 4, 1}, {4, 9, 0}, {0, 9, 2}, {-5, 0, 0}} {
		if got := r.Short(at(test.from), at(test.to)); got != time.Duration(test.want)*time.Second {
			t.Errorf("Short(%d, %d) = %v, want %d s", test.from, test.to, got, test.want)
		}
	}
	if got := r.Short(at(1).Add(time.Second/4), at(1).Add(time.Second/2)); got != time.Second/4 {
		t.Errorf("for a quarter of a second inside it is %v", got)
	}
}

// Two tries that say something, or three.
func TestTries(t *testing.T) {
	for _, unknown := range [][]bool{{false, false}, {true, false, false}, {false, true, true}, {true, true, true}} {
		var tries Tries
		for i, u := range unknown {
			if got, want := tries.Again(u), i < len(unknown)-1; got != want {
				t.Errorf("%v: after try %d there is another: %t", unknown, i+1, got)
			}
		}
	}
}

// It ends at once, with shares, and so does a wait that may not take any time.
func TestWatch(t *testing.T) {
	begin := time.Now()
	r := Begin(t.Context()).End()
	if len(r) > 1 || r.Stolen() > 1 {
		t.Errorf("%v", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	Quiet(ctx, time.Hour)
	if took := time.Since(begin); took > time.Minute {
		t.Errorf("it took %v", took)
	}
}

// A machine that has nothing but this to do has shares that make sense.
func TestSamples(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*period)
	defer cancel()
	for s := range samples(ctx) {
		if s.Stolen < 0 || s.Free < 0 || s.Stolen+s.Free > 1 || !s.End.After(s.Begin) {
			t.Errorf("%+v", s)
		}
	}
}
