package budget

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/protosvc/protosvc/svc/internal/bubble"
)

// step is something that one of the holders "a", "b" and "c" does.
type step struct {
	who   string
	bytes int
	then  func(*Account) // after the bytes; nil: nothing
}

func TestEviction(t *testing.T) {
	for _, test := range []struct {
		name    string
		steps   []step
		evicted []string
		held    int64
	}{
		{"at the limit", []step{{"a", 60, nil}, {"b", 40, nil}}, nil, 100},
		{"the largest", []step{{"a", 60, nil}, {"b", 40, nil}, {"c", 1, nil}}, []string{"a"}, 41},
		{"whoever spends the last may be the largest", []step{{"a", 40, nil}, {"b", 61, nil}}, []string{"b"}, 40},
		{"as many as it takes", []step{{"a", 30, nil}, {"b", 31, nil}, {"c", 100, nil}}, []string{"c"}, 61},
		{"two", []step{{"a", 40, nil}, {"b", 50, (*Account).Arrived}, {"c", 10, nil}, {"b", 50, nil}}, []string{"a", "c"}, 100},
		{"bytes are given back", []step{{"a", 60, nil}, {"a", -30, nil}, {"b", 70, nil}}, nil, 100},
		{"giving back evicts nobody", []step{{"a", 90, (*Account).Arrived}, {"b", 5, (*Account).Arrived}, {"a", 20, nil}, {"c", 1, nil}, {"a", -1, nil}}, []string{"c"}, 114},
		{"what arrived stays", []step{{"a", 80, (*Account).Arrived}, {"b", 20, nil}, {"c", 1, nil}}, []string{"b"}, 81},
		{"only what arrived", []step{{"a", 80, (*Account).Arrived}, {"b", 30, nil}}, []string{"b"}, 80},
		{"closed", []step{{"a", 80, (*Account).Close}, {"b", 100, nil}}, nil, 100},
		{"closed holds nothing", []step{{"a", 80, (*Account).Close}, {"a", 10, nil}}, nil, 0},
		{"closed twice", []step{{"a", 80, (*Account).Close}, {"a", 0, (*Account).Close}, {"b", 1, nil}}, nil, 1},
		{"evicted and closed", []step{{"a", 101, (*Account).Close}, {"b", 100, nil}}, []string{"a"}, 100},
		{"once", []step{{"a", 101, nil}, {"a", 101, nil}}, []string{"a"}, 0},
		{"who holds nothing is not evicted", []step{{"a", 100, (*Account).Arrived}, {"b", 0, nil}, {"c", 5, nil}}, []string{"c"}, 100},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := New(100)
			var evicted []string
			accounts := map[string]*Account{}
			for _, who := range []string{"a", "b", "c"} {
				accounts[who] = b.Open(func() { evicted = append(evicted, who) })
			}
			for _, s := range test.steps {
				a := accounts[s.who]
				stays := a.Hold(s.bytes)
				if gone := slices.Contains(evicted, s.who) || a.closed; stays == gone {
					t.Errorf("%s holds %d: got %v, but evicted are %q", s.who, s.bytes, stays, evicted)
				}
				if s.then != nil {
					s.then(a)
				}
			}
			if !slices.Equal(evicted, test.evicted) {
				t.Errorf("evicted %q, want %q", evicted, test.evicted)
			}
			if got := b.Held(); got != test.held {
				t.Errorf("%d bytes are held, want %d", got, test.held)
			}
		})
	}
}

// While what was evicted is not gone, whoever holds a sixteenth of the budget and wants more
// goes, too, and nobody else does.
func TestLinger(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		b := New(160)
		b.Linger = time.Second
		var evicted []string
		open := func(who string) *Account { return b.Open(func() { evicted = append(evicted, who) }) }
		first, second, large, small, old := open("first"), open("second"), open("large"), open("small"), open("old")
		old.Hold(20)
		old.Arrived()
		first.Hold(100)
		second.Hold(41) // evicts the first
		if !small.Hold(10) || large.Hold(11) || !old.Hold(1) {
			t.Error("large or small is not as wanted")
		}
		small.Hold(-1)
		time.Sleep(time.Second + 1)
		if !small.Hold(50) {
			t.Error("what was evicted counts when it is gone")
		}
		if want := []string{"first", "large"}; !slices.Equal(evicted, want) {
			t.Errorf("evicted %q, want %q", evicted, want)
		}
		if b.leaving.Load() != 0 {
			t.Errorf("%d is still leaving", b.leaving.Load())
		}
	})
}

func TestNoBudget(t *testing.T) {
	var b *Budget
	a := b.Open(func() { t.Error("evicted") })
	if !a.Hold(1 << 40) {
		t.Error("there is a limit")
	}
	a.Arrived()
	a.Close()
}

// Evictions and ends meet: nothing is counted twice, and nobody is evicted twice.
func TestRaces(t *testing.T) {
	b := New(1000)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 1000 {
				var evicted atomic.Int32
				a := b.Open(func() { evicted.Add(1) })
				for range 10 {
					a.Hold(20 + i%7)
				}
				a.Hold(-20)
				if i%3 == 0 {
					a.Arrived()
				}
				a.Close()
				if n := evicted.Load(); n > 1 {
					t.Errorf("evicted %d times", n)
				}
			}
		})
	}
	wg.Wait()
	if held := b.Held(); held != 0 || len(b.arriving) != 0 {
		t.Errorf("%d bytes are held, by %d", held, len(b.arriving))
	}
}
