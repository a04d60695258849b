package parallel

import (
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestInOrder: results come in order, however long each takes, and no sooner than all
// before them; workers share the work, and nothing of theirs.
func TestInOrder(t *testing.T) {
	for _, n := range []int{0, 1, workers - 1, 100} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			made, done := 0, make([]int, n)
			var got, want []int
			for result := range InOrder(n, func() func(int) int {
				made++
				busy := false
				return func(i int) int {
					if busy {
						t.Error("a worker does two things at once")
					}
					busy = true
					time.Sleep(time.Duration(1+i%3) * time.Second)
					busy = false
					done[i]++
					return i
				}
			}) {
				got = append(got, result)
			}
			for i := range n {
				want = append(want, i)
				if done[i] != 1 {
					t.Errorf("%d is done %d times", i, done[i])
				}
			}
			if !slices.Equal(got, want) || made != min(workers, n) {
				t.Errorf("%d workers have %d of %d", made, got, n)
			}
			if took, alone := time.Since(began), time.Duration(2*n)*time.Second; n == 100 && took > alone/(workers/2) {
				t.Errorf("%d workers need %v for what takes one %v", workers, took, alone)
			}
		})
	}
}

// TestInOrderStops: when nobody wants the rest, nothing more is begun, and nothing runs on.
func TestInOrderStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun, ended atomic.Int64
		for range InOrder(100, func() func(int) int {
			return func(i int) int {
				begun.Add(1)
				time.Sleep(time.Second)
				ended.Add(1)
				return i
			}
		}) {
			break
		}
		if b, e := begun.Load(), ended.Load(); b > 2*workers || b != e {
			t.Errorf("%d are begun, %d have ended", b, e)
		}
	})
}
