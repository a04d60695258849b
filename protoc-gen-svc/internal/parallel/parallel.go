// Package parallel does things side by side that do not depend on each other.
package parallel

import (
	"iter"
	"sync"
	"sync/atomic"
)

// workers is how many things are done at once. It is a constant since nothing here asks
// for the machine; a few too many cost little.
const workers = 8

// InOrder yields the results of 0 to n-1 in this order, while later ones are still being
// worked out. Each worker has a func of its own, which worker makes, and calls it for one
// thing after the other. Once nobody wants more results, nothing more is begun, and what is
// under way comes to its end.
func InOrder[T any](n int, worker func() func(int) T) iter.Seq[T] {
	return func(yield func(T) bool) {
		results := make([]chan T, n)
		for i := range results {
			results[i] = make(chan T, 1)
		}
		var next atomic.Int64
		var working sync.WaitGroup
		defer working.Wait()
		defer next.Store(int64(n))
		for range min(workers, n) {
			do := worker()
			working.Go(func() {
				for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
					results[i] <- do(int(i))
				}
			})
		}
		for _, result := range results {
			if !yield(<-result) {
				return
			}
		}
	}
}
