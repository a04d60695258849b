package server_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	svcerrors "github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/metrics"
	"github.com/protosvc/protosvc/svc/policy"
)

// A call that its method lets in and the server refuses gives its method's place
// back: any number of such calls leave room for the next.
func TestRefusalByServerGivesMethodBack(t *testing.T) {
	reached, release := make(chan struct{}, 10), make(chan struct{})
	f := start(t, setup{
		echo:    waiting(reached, release),
		policy:  func(m *policy.Method) { m.Concurrency = 2 },
		options: server.Options{Concurrency: 1},
	})
	first := make(chan error, 1)
	go func() { _, err := call(within(t), f.conn, unaryName, "hello"); first <- err }()
	<-reached
	for range 5 { // more than the method has places
		_, err := call(within(t), f.conn, unaryName, "hello")
		assertRefused(t, err, svcerrors.Overloaded, time.Second, time.Second)
	}
	for _, line := range f.log.lines(t, "calls refused") {
		if line["limit"] != "server" {
			t.Errorf("refused by the limit of the %v with one of two calls in progress: a place was not given back", line["limit"])
		}
	}
	close(release)
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	f.settle(t)
	if _, err := call(within(t), f.conn, unaryName, "hello"); err != nil {
		t.Errorf("with nobody inside: %v", err)
	}
}

// Of many refusals in a row one is logged in 10 seconds, and all are counted.
func TestRefusalsAreLoggedNowAndThen(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		f := start(t, setup{policy: func(m *policy.Method) { m.RateLimit = policy.RateLimit{PerSecond: .001, Burst: 1} }})
		if _, err := call(within(t), f.conn, unaryName, "hello"); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			after time.Duration
			lines int // so far
		}{{0, 1}, {9900 * time.Millisecond, 1}, {100 * time.Millisecond, 2}, {9900 * time.Millisecond, 2}} {
			time.Sleep(step.after)
			for range 3 {
				if _, err := call(within(t), f.conn, unaryName, "hello"); status.Code(err) != codes.ResourceExhausted {
					t.Fatalf("got %v, want a refusal", err)
				}
			}
			if got := len(f.log.lines(t, "calls refused")); got != step.lines {
				t.Errorf("%v later %d lines say that calls are refused, want %d", step.after, got, step.lines)
			}
		}
		if got := f.value(t, "grpc_server_refused_total", unaryName, ""); got != 12 {
			t.Errorf("%v refusals are counted, want 12", got)
		}
	})
}

// A server whose calls end by nothing but their deadline has too many of them:
// an adaptive limit falls. Calls that fail otherwise may be quick without doing
// anything and say nothing.
func TestAdaptiveLimitObserves(t *testing.T) {
	cpus := max(4, runtime.GOMAXPROCS(0)) // below, no limit falls
	for _, test := range []struct {
		name  string
		takes time.Duration // of which the deadline allows a second
		end   error
		falls bool
	}{
		{"deadlines", time.Hour, nil, true},
		{"other errors", 900 * time.Millisecond, status.Error(codes.Unavailable, "slow, and in vain"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				f := &fixture{registry: metrics.New(metrics.BuildInfo{})}
				f.binder = server.New(server.Options{Metrics: f.registry, Concurrency: 19 * cpus, Adaptive: true})
				takes, ends := time.Millisecond, error(nil) // how calls go that find nobody else
				m := server.BindUnary(f.binder, policy.Method{Name: unaryName, Timeout: time.Second}, nil,
					func(ctx context.Context, in *text) (*text, error) {
						select {
						case <-time.After(takes):
							return in, ends
						case <-ctx.Done():
							return nil, ctx.Err()
						}
					})
				before := f.value(t, "grpc_server_concurrency_limit", "", "")
				for range 20 {
					if _, err := m.Call(t.Context(), wrapperspb.String("hello")); err != nil {
						t.Fatal(err)
					}
				}
				takes, ends = test.takes, test.end
				for range 3 {
					var wave sync.WaitGroup
					for range 8 * cpus { // fewer than the limit at first
						wave.Go(func() {
							if _, err := m.Call(t.Context(), wrapperspb.String("hello")); err == nil {
								t.Error("a call succeeded")
							}
						})
					}
					wave.Wait()
				}
				if after := f.value(t, "grpc_server_concurrency_limit", "", ""); (after < before) != test.falls {
					t.Errorf("the limit went from %v to %v, want it to fall: %t", before, after, test.falls)
				}
			})
		})
	}
}
