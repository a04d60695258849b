package client_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/protosvc/protosvc/svc/client"
	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/internal/load"
)

// counted answers after a while and counts its calls.
type counted struct {
	backend
	calls atomic.Int64
}

func startCounted(t *testing.T, takes time.Duration, register ...func(grpc.ServiceRegistrar)) *counted {
	t.Helper()
	c := new(counted)
	c.backend = startInMemory(t, &echo{unary: func(ctx context.Context, in *text) (*text, error) {
		c.calls.Add(1)
		select {
		case <-time.After(takes):
		case <-ctx.Done():
		}
		return in, nil
	}}, register...)
	return c
}

// reporting registers load reports of a server that answers 100 calls a second
// with this share of its CPU.
func reporting(utilization float64) func(grpc.ServiceRegistrar) {
	return func(s grpc.ServiceRegistrar) {
		var (
			mu   sync.Mutex
			last load.Sample
		)
		load.Register(s, func() load.Sample {
			mu.Lock()
			defer mu.Unlock()
			last.At = last.At.Add(time.Second)
			last.CPU += time.Duration(utilization * float64(runtime.GOMAXPROCS(0)) * float64(time.Second))
			last.Calls += 100
			return last
		})
	}
}

// spread makes calls, so many at a time, and returns the share of each backend.
func spread(t *testing.T, conn *client.Conn, calls, parallel int, backends []*counted) []float64 {
	t.Helper()
	for _, b := range backends {
		b.calls.Store(0)
	}
	work := make(chan struct{})
	var group sync.WaitGroup
	for range parallel {
		group.Go(func() {
			for range work {
				if _, err := unary(soon(t), conn, ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range calls {
		work <- struct{}{}
	}
	close(work)
	group.Wait()
	shares := make([]float64, len(backends))
	for i, b := range backends {
		shares[i] = float64(b.calls.Load()) / float64(calls)
	}
	return shares
}

// expectShares allows each share to be off by so much.
func expectShares(t *testing.T, got, want []float64, off float64) {
	t.Helper()
	t.Logf("shares %.3f, want %.3f", got, want)
	for i := range want {
		if got[i] < want[i]-off || got[i] > want[i]+off {
			t.Errorf("backend %d got %.3f of the calls, want %.3f ± %.3f", i, got[i], want[i], off)
		}
	}
}

// three are servers, connected and in rotation.
func three(t *testing.T, balance string, takes [3]time.Duration, utilization [3]float64) (*client.Conn, []*counted) {
	t.Helper()
	var all []*counted
	var plain []backend
	for i := range takes {
		b := startCounted(t, takes[i], reporting(utilization[i]))
		all, plain = append(all, b), append(plain, b.backend)
	}
	conn := dial(t, echoSpec(), client.Options{Balance: balance}, plain...)
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		if _, err := unary(soon(t), conn, ""); err != nil {
			t.Fatal(err)
		}
		if balance == client.PickFirst || all[0].calls.Load() > 0 && all[1].calls.Load() > 0 && all[2].calls.Load() > 0 {
			return conn, all
		}
		time.Sleep(time.Millisecond) // or the clock of a bubble would stand still
	}
	t.Fatal("not all backends came into rotation")
	return nil, nil
}

var quick, equal = [3]time.Duration{}, [3]float64{0.5, 0.5, 0.5}

func TestFairness(t *testing.T) {
	third := []float64{1. / 3, 1. / 3, 1. / 3}
	t.Run("round robin is exact", func(t *testing.T) {
		bubble.Test(t, func(t *testing.T) {
			conn, all := three(t, client.RoundRobin, quick, equal)
			expectShares(t, spread(t, conn, 300, 1, all), third, 0.01)
		})
	})
	t.Run("round robin does not avoid a slow one", func(t *testing.T) {
		bubble.Test(t, func(t *testing.T) {
			conn, all := three(t, client.RoundRobin, [3]time.Duration{0, 0, 20 * time.Millisecond}, equal)
			expectShares(t, spread(t, conn, 300, 8, all), third, 0.02)
		})
	})
	t.Run("least request among equals", func(t *testing.T) {
		bubble.Test(t, func(t *testing.T) {
			conn, all := three(t, client.LeastRequest, [3]time.Duration{time.Millisecond, time.Millisecond, time.Millisecond}, equal)
			expectShares(t, spread(t, conn, 1500, 8, all), third, 0.08)
		})
	})
	t.Run("least request avoids a slow one", func(t *testing.T) {
		bubble.Test(t, func(t *testing.T) {
			conn, all := three(t, client.LeastRequest, [3]time.Duration{time.Millisecond, time.Millisecond, 50 * time.Millisecond}, equal)
			if got := spread(t, conn, 1000, 8, all); got[2] > 0.15 {
				t.Errorf("the slow backend got %.3f of the calls, want less than 0.15: %.3f", got[2], got)
			}
		})
	})
	t.Run("pick first stays with one", func(t *testing.T) {
		bubble.Test(t, func(t *testing.T) {
			conn, all := three(t, client.PickFirst, quick, equal)
			expectShares(t, spread(t, conn, 100, 4, all), []float64{1, 0, 0}, 0)
		})
	})
	t.Run("weighted among equals", func(t *testing.T) {
		bubble.Test(t, func(t *testing.T) {
			conn, all := three(t, client.Weighted, quick, equal)
			time.Sleep(300 * time.Millisecond) // a report or two
			expectShares(t, spread(t, conn, 3000, 4, all), third, 0.05)
		})
	})
	t.Run("weighted 2:1:1", func(t *testing.T) {
		bubble.Test(t, func(t *testing.T) {
			conn, all := three(t, client.Weighted, quick, [3]float64{0.25, 0.5, 0.5})
			time.Sleep(300 * time.Millisecond)
			expectShares(t, spread(t, conn, 3000, 4, all), []float64{0.5, 0.25, 0.25}, 0.05)
		})
	})
}

// A backend that does not report gets the mean of the others, and one that
// stopped to is no longer preferred.
func TestWeightsThatAreMissing(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a, b, c := startCounted(t, 0, reporting(0.1)), startCounted(t, 0, reporting(0.3)), startCounted(t, 0)
		conn := dial(t, echoSpec(), client.Options{Balance: client.Weighted}, a.backend, b.backend, c.backend)
		awaitAll(t, conn, a, b, c)
		time.Sleep(300 * time.Millisecond)
		// 1000, 333 and their mean of 667.
		expectShares(t, spread(t, conn, 3000, 4, []*counted{a, b, c}), []float64{0.5, 1. / 6, 1. / 3}, 0.05)
	})
}

func awaitAll(t *testing.T, conn *client.Conn, all ...*counted) {
	t.Helper()
	ctx := soon(t)
	for _, b := range all {
		for b.calls.Load() == 0 {
			if _, err := unary(ctx, conn, ""); err != nil {
				t.Fatal(err)
			}
		}
	}
}
