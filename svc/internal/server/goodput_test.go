package server_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	svcerrors "github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/internal/server"
)

// bottleneck is what a handler works with: a few connections to something that
// takes a fixed time, as those of a database do. It answers capacity calls per
// second, and the others wait.
type bottleneck chan struct{}

const (
	slots    = 4
	work     = 20 * time.Millisecond
	capacity = slots * int(time.Second/work)
	patience = 250 * time.Millisecond // deadline of a call
)

// use works for a caller who gives up at its deadline, but does not tell what it
// works with: queries that have begun go on.
func (b bottleneck) use(ctx context.Context, in *text) (*text, error) {
	b <- struct{}{}
	time.Sleep(work)
	<-b
	return in, ctx.Err()
}

// outcome is how the calls of one second ended.
type outcome struct{ good, refused, late atomic.Int64 }

// Goodput, the calls answered before their callers gave up, stays flat when the
// offered load doubles and doubles again. Without a limit it collapses.
func TestGoodput(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		curve := func(o server.Options, loads ...float64) (goodput map[float64]float64) {
			goodput = map[float64]float64{}
			b := make(bottleneck, slots)
			f := start(t, setup{options: o, echo: echo{unary: b.use}})
			f.offer(t, time.Second, capacity/2) // what is normal
			for _, load := range loads {
				f.offer(t, time.Second, int(load*float64(capacity))) // until it has settled
				got, seconds := f.offer(t, 2*time.Second, int(load*float64(capacity))), 2.0
				goodput[load] = float64(got.good.Load()) / seconds
				t.Logf("offered %4.0f/s (%3.1f x capacity): %4.0f/s in time, %4.0f/s refused, %4.0f/s late",
					load*float64(capacity), load, goodput[load], float64(got.refused.Load())/seconds, float64(got.late.Load())/seconds)
				f.settle(t)
			}
			return goodput
		}
		t.Log("adaptive limit:")
		limited := curve(server.Options{Concurrency: 1000, Adaptive: true}, .5, 1, 2, 4)
		for _, load := range []float64{1, 2, 4} {
			if limited[load] < .75*float64(capacity) {
				t.Errorf("at %v times the capacity of %d/s, %.0f/s are answered in time", load, capacity, limited[load])
			}
		}
		t.Log("no limit:")
		if unlimited := curve(server.Options{}, .5, 2); unlimited[2] > .5*float64(capacity) {
			t.Errorf("without a limit, too, %.0f/s are answered in time: this test shows nothing", unlimited[2])
		}
	})
}

// offer makes calls at a fixed rate, whatever becomes of those before.
func (f *fixture) offer(t *testing.T, during time.Duration, perSecond int) *outcome {
	var wg sync.WaitGroup
	var got outcome
	every := time.Second / time.Duration(perSecond)
	begin := time.Now()
	for i := range int(during / every) {
		time.Sleep(time.Until(begin.Add(time.Duration(i) * every)))
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			err := f.conn.Invoke(ctx, unaryName, wrapperspb.String("hello"), new(text))
			switch {
			case err == nil:
				got.good.Add(1)
			case errors.Is(svcerrors.FromStatus(err, nil), svcerrors.Overloaded):
				got.refused.Add(1)
			case status.Code(err) == codes.DeadlineExceeded:
				got.late.Add(1)
			default:
				t.Errorf("a call ended with %v", err)
			}
		})
	}
	wg.Wait()
	return &got
}
