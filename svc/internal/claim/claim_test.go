package claim

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/protosvc/protosvc/svc/internal/bubble"
)

func TestKeepRenewsUntilItIsStopped(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var renewed atomic.Int64
		stop := Keep(func(context.Context) { renewed.Add(1) })
		time.Sleep(2*Duration + renewInterval/2)
		stop()
		if got := renewed.Load(); got != 7 {
			t.Errorf("renewed %d times in two leases, want 7", got)
		}
		time.Sleep(time.Hour)
		if got := renewed.Load(); got != 7 {
			t.Errorf("renewed %d times after the stop", got-7)
		}
	})
}

func TestKeepCostsNothingWhenTheWorkIsShort(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		Keep(func(context.Context) { t.Error("renewed") })()
		time.Sleep(time.Hour)
	})
}

// In real time: a goroutine that waits for a mutex stops the clock of synctest.
func TestStopWaitsForARenewal(t *testing.T) {
	under, done := make(chan struct{}), atomic.Bool{}
	stop := Keep(func(context.Context) {
		close(under)
		time.Sleep(50 * time.Millisecond)
		done.Store(true)
	})
	<-under
	stop()
	if !done.Load() {
		t.Error("stopped while a renewal was under way")
	}
}

func TestFlightsWakeThoseWhoWait(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var f Flights[string]
		end := f.Begin("a")
		begun := time.Now()
		var group sync.WaitGroup
		for range 5 {
			group.Go(func() {
				if err := f.Wait(t.Context(), "a", 0); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(Duration / 2)
		end()
		group.Wait()
		if took := time.Since(begun); took != Duration/2 {
			t.Errorf("woken after %v, want %v", took, Duration/2)
		}
		if f.Flying("a") {
			t.Error("still flying after the end")
		}
	})
}

func TestWaitForAnotherProcessHasABound(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var f Flights[string]
		for looks := range 100 {
			begun := time.Now()
			if err := f.Wait(t.Context(), "a", looks); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begun); took > lastLook || took < firstLook/2 {
				t.Errorf("look %d came after %v", looks, took)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := f.Wait(ctx, "a", 9); !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v", err)
		}
	})
}
