// Package breaker compares our circuit breaker with another one.
package breaker

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"github.com/protosvc/protosvc/svc/internal/breaker"
	"github.com/protosvc/protosvc/svc/internal/bubble"
)

// TestOracle makes the same calls through our breaker and through that of
// failsafe-go, at random times with random outcomes, and compares after each one
// whether calls pass and in what state they are.
func TestOracle(t *testing.T) {
	const runs, steps = 200, 400
	opened := 0
	for seed := range uint64(runs) {
		bubble.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			o := breaker.Options{
				FailurePercent:    []int{25, 50, 75, 100}[r.IntN(4)],
				MinCalls:          1 + r.IntN(20),
				ConsecutiveFaults: -1, // theirs has no such thing
				Window:            10 * time.Second,
				Open:              time.Duration(1+r.IntN(3000)) * time.Millisecond,
			}
			ours, theirs := breaker.Share(o).New(nil), oracle(o)
			faulty := r.Float64()
			for step := range steps {
				// Fewer than 100 calls a window: theirs rounds rates to a percent.
				time.Sleep(time.Duration(110+r.IntN(400)) * time.Millisecond)
				if r.IntN(40) == 0 {
					faulty = r.Float64()
				}
				call, err := ours.Allow()
				if passes := theirs.TryAcquirePermit(); passes != (err == nil) {
					t.Fatalf("seed %d, step %d, %+v: ours says %v, theirs passes: %t", seed, step, o, err, passes)
				}
				if err == nil && r.Float64() < faulty {
					call.Done(breaker.Fault)
					theirs.RecordFailure()
				} else if err == nil {
					call.Done(breaker.Success)
					theirs.RecordSuccess()
				}
				if got, want := ours.State().String(), states[theirs.State()]; got != want {
					t.Fatalf("seed %d, step %d, %+v: ours is %s, theirs is %s", seed, step, o, got, want)
				}
				if ours.State() == breaker.Open {
					opened++
				}
			}
		})
	}
	if opened < runs*steps/20 {
		t.Errorf("open after %d of %d steps only: the test compares too little", opened, runs*steps)
	}
}

var states = map[circuitbreaker.State]string{
	circuitbreaker.ClosedState:   breaker.Closed.String(),
	circuitbreaker.HalfOpenState: breaker.HalfOpen.String(),
	circuitbreaker.OpenState:     breaker.Open.String(),
}

func oracle(o breaker.Options) circuitbreaker.CircuitBreaker[any] {
	return circuitbreaker.NewBuilder[any]().
		WithFailureRateThreshold(float64(o.FailurePercent)/100, uint(o.MinCalls), o.Window).
		WithSuccessThreshold(1).
		WithDelay(o.Open).
		Build()
}
