package client_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/client"
	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/metrics"
	"github.com/protosvc/protosvc/svc/policy"
)

// hedgedSpec is a spec whose unary method is hedged.
func hedgedSpec(attempts int, delay, timeout time.Duration) client.Spec {
	spec := echoSpec()
	spec.Methods = []policy.Method{{
		Name: unaryMethod, Timeout: timeout,
		Hedge: policy.Hedge{Attempts: attempts, Delay: delay, Codes: []codes.Code{codes.Unavailable}},
	}}
	return spec
}

// answers is a backend that answers its calls in this order, and then with OK.
type answers struct {
	backend
	calls, cancelled atomic.Int64
	mu               sync.Mutex
	attempts         []string // the header of each call that says so
}

type answer func(context.Context) error

func hang(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func fail(err error) answer { return func(context.Context) error { return err } }

func startAnswers(t *testing.T, name string, list ...answer) *answers {
	t.Helper()
	a := new(answers)
	a.backend = startInMemory(t, &echo{unary: func(ctx context.Context, _ *text) (*text, error) {
		i := int(a.calls.Add(1)) - 1
		md, _ := metadata.FromIncomingContext(ctx)
		a.mu.Lock()
		a.attempts = append(a.attempts, md.Get("grpc-previous-rpc-attempts")...)
		a.mu.Unlock()
		if i < len(list) {
			if err := list[i](ctx); err != nil {
				if p, ok := err.(*pushed); ok {
					_ = grpc.SetTrailer(ctx, metadata.Pairs("grpc-retry-pushback-ms", p.ms))
				}
				if ctx.Err() != nil {
					a.cancelled.Add(1)
				}
				return nil, err
			}
		}
		return wrapperspb.String(name), nil
	}})
	return a
}

func repeat(a answer, n int) []answer { return slices.Repeat([]answer{a}, n) }

func TestHedgeOfSlowCall(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var stuck atomic.Bool
		slow := startAnswers(t, "slow", repeat(func(ctx context.Context) error {
			if stuck.Load() {
				return hang(ctx)
			}
			return nil
		}, 10_000)...)
		fast := startAnswers(t, "fast")
		registry := metrics.New(metrics.BuildInfo{})
		conn := dial(t, hedgedSpec(2, 100*time.Millisecond, 10*time.Second), client.Options{Metrics: registry}, slow.backend, fast.backend)
		for fast.calls.Load() == 0 || slow.calls.Load() == 0 { // until both are in rotation
			if _, err := unary(soon(t), conn, ""); err != nil {
				t.Fatal(err)
			}
		}
		stuck.Store(true)
		before := slow.calls.Load()
		start := time.Now()
		for range 10 {
			if got, err := unary(soon(t), conn, ""); err != nil || got != "fast" {
				t.Fatalf("answer %q, %v", got, err)
			}
		}
		sent := slow.calls.Load() - before
		if took := time.Since(start); sent < 4 || took != time.Duration(sent)*100*time.Millisecond {
			t.Errorf("the slow backend got %d of 10 calls, want about half; they took %v, want the delay for each of these", sent, took)
		}
		synctest.Wait()
		if got := slow.cancelled.Load(); got != sent {
			t.Errorf("%d of %d slow requests were cancelled", got, sent)
		}
		n := float64(sent)
		expect(t, registry, map[string]float64{"hedges_sent_total Unary unary": n, "hedges_won_total Unary unary": n, "hedges_throttled_total Unary unary": 0})
		if got := series(t, registry)["handled_total Unary unary OK"]; got < 11 {
			t.Errorf("%v calls were counted as OK", got)
		}
		fast.mu.Lock()
		defer fast.mu.Unlock()
		if got := float64(len(fast.attempts)); got != n || slices.ContainsFunc(fast.attempts, func(s string) bool { return s != "1" }) {
			t.Errorf("the fast backend saw further requests %q, want %v times 1", fast.attempts, n)
		}
	})
}

// The first request may decode its answer while a further one is sent, which must not
// look at what is decoded to. The race detector sees if it does, when both happen at
// the same time: not in the bubble of synctest, whose clock puts one after the other.
func TestAnswerWhileAHedgeIsSent(t *testing.T) {
	const delay = time.Millisecond
	slow := startBackend(t, &echo{unary: func(_ context.Context, in *text) (*text, error) {
		time.Sleep(delay)
		return in, nil
	}})
	conn := dial(t, hedgedSpec(2, delay, 10*time.Second), client.Options{}, slow)
	for range 500 {
		if got, err := unary(soon(t), conn, "in"); err != nil || got != "in" {
			t.Fatalf("answer %q, %v", got, err)
		}
	}
}

func TestQuickCallIsNotHedged(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := startAnswers(t, "a")
		conn := dial(t, hedgedSpec(3, time.Second, 5*time.Second), client.Options{}, a.backend)
		for range 20 {
			if got, err := unary(soon(t), conn, ""); err != nil || got != "a" {
				t.Fatalf("answer %q, %v", got, err)
			}
		}
		if a.calls.Load() != 20 {
			t.Errorf("20 calls made %d requests", a.calls.Load())
		}
	})
}

func TestHedgeOfFailure(t *testing.T) {
	later := func(ms string) error {
		return &pushed{status.New(codes.Unavailable, "later"), ms}
	}
	tests := map[string]struct {
		list     []answer
		requests int64
		want     codes.Code
		takes    time.Duration
	}{
		"goes on at once":             {[]answer{fail(errors.Unavailable)}, 2, codes.OK, 0},
		"gives up after the last":     {repeat(fail(errors.Unavailable), 9), 3, codes.Unavailable, 0},
		"another error is the answer": {[]answer{fail(notFound)}, 1, codes.NotFound, 0},
		"waits as the server says":    {[]answer{fail(later("80"))}, 2, codes.OK, 80 * time.Millisecond},
		"stops as the server says":    {[]answer{fail(later("-1"))}, 1, codes.Unavailable, 0},
		"not after the deadline":      {[]answer{fail(later("60000"))}, 1, codes.Unavailable, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				a := startAnswers(t, "a", test.list...)
				conn := dial(t, hedgedSpec(3, 10*time.Second, 20*time.Second), client.Options{}, a.backend)
				start := time.Now()
				_, err := unary(soon(t), conn, "")
				took := time.Since(start)
				if status.Code(err) != test.want || a.calls.Load() != test.requests {
					t.Errorf("error %v after %d requests, want %v after %d", err, a.calls.Load(), test.want, test.requests)
				}
				if took != test.takes {
					t.Errorf("took %v, want %v", took, test.takes)
				}
			})
		})
	}
}

// pushed is a status that comes with a trailer.
type pushed struct {
	outcome *status.Status
	ms      string
}

func (p *pushed) Error() string              { return p.outcome.Message() }
func (p *pushed) GRPCStatus() *status.Status { return p.outcome }

func TestHedgeEndsWithTheDeadline(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := startAnswers(t, "a", repeat(hang, 9)...)
		conn := dial(t, hedgedSpec(3, 10*time.Millisecond, 100*time.Millisecond), client.Options{}, a.backend)
		start := time.Now()
		_, err := unary(context.Background(), conn, "")
		if took := time.Since(start); status.Code(err) != codes.DeadlineExceeded || took != 100*time.Millisecond {
			t.Errorf("error %v after %v, want DeadlineExceeded after 100ms", err, took)
		}
		if a.calls.Load() != 3 {
			t.Errorf("%d requests, want 3", a.calls.Load())
		}
	})
}

func TestHedgeEndsWithTheCaller(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := startAnswers(t, "a", repeat(hang, 9)...)
		conn := dial(t, hedgedSpec(2, time.Millisecond, 0), client.Options{}, a.backend)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(2*time.Millisecond, cancel)
		if _, err := unary(ctx, conn, ""); status.Code(err) != codes.Canceled {
			t.Errorf("error = %v, want Canceled", err)
		}
		if a.calls.Load() != 2 {
			t.Errorf("%d requests, want 2", a.calls.Load())
		}
		synctest.Wait()
		if a.cancelled.Load() != 2 {
			t.Errorf("%d requests were cancelled, want both", a.cancelled.Load())
		}
	})
}

// A callee in trouble gets a bounded number of requests on top of the calls,
// whether it fails or is slow.
func TestHedgesAreThrottled(t *testing.T) {
	const calls, extra = 200, 20
	tests := map[string]struct {
		answer  answer
		atMost  int64
		fewest  int64
		timeout time.Duration
	}{
		"all fail": {fail(errors.Unavailable), calls + extra, calls + extra, time.Second},
		"all hang": {hang, calls + extra, calls, 20 * time.Millisecond},
		"all slow": {func(ctx context.Context) error { time.Sleep(10 * time.Millisecond); return nil }, calls + extra + calls/10, calls + extra, time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				a := startAnswers(t, "a", repeat(test.answer, 2*calls+100)...)
				registry := metrics.New(metrics.BuildInfo{})
				conn := dial(t, hedgedSpec(3, time.Millisecond, test.timeout), client.Options{Metrics: registry}, a.backend)
				if err := conn.Check(soon(t)); err != nil {
					t.Fatal(err)
				}
				var group sync.WaitGroup
				for range 4 {
					group.Go(func() {
						for range calls / 4 {
							_, _ = unary(soon(t), conn, "")
						}
					})
				}
				group.Wait()
				if got := a.calls.Load(); got > test.atMost || got < test.fewest {
					t.Errorf("%d calls made %d requests, want %d to %d", calls, got, test.fewest, test.atMost)
				}
				if got := series(t, registry)["hedges_throttled_total Unary unary"]; got == 0 {
					t.Error("no hedge was counted as throttled")
				}
			})
		})
	}
}

func TestHedgeGoesElsewhere(t *testing.T) {
	for _, balance := range []string{client.RoundRobin, client.LeastRequest, client.Weighted} {
		t.Run(balance, func(t *testing.T) {
			var left atomic.Int64 // failures to come
			var plain []backend
			var calls [3]atomic.Int64
			for i := range calls {
				plain = append(plain, startBackend(t, &echo{unary: func(_ context.Context, in *text) (*text, error) {
					calls[i].Add(1)
					if left.Add(-1) >= 0 {
						return nil, errors.Unavailable
					}
					return in, nil
				}}))
			}
			conn := dial(t, hedgedSpec(3, time.Hour, 0), client.Options{Balance: balance}, plain...)
			for calls[0].Load() == 0 || calls[1].Load() == 0 || calls[2].Load() == 0 {
				if _, err := unary(soon(t), conn, ""); err != nil {
					t.Fatal(err)
				}
			}
			for range 9 { // two failures each, so all three requests are needed
				left.Store(2)
				before := [3]int64{calls[0].Load(), calls[1].Load(), calls[2].Load()}
				if _, err := unary(soon(t), conn, ""); err != nil {
					t.Fatal(err)
				}
				for i := range calls {
					if got := calls[i].Load() - before[i]; got != 1 {
						t.Errorf("backend %d got %d of three requests, want one", i, got)
					}
				}
			}
		})
	}
}

func TestHedgesAreEvents(t *testing.T) {
	recorder := tracetest.NewInMemoryExporter()
	p := provider(t, recorder)
	a := startAnswers(t, "a", fail(errors.Unavailable))
	conn := dial(t, hedgedSpec(2, time.Hour, 0), client.Options{TracerProvider: p.TracerProvider()}, a.backend)
	if _, err := unary(soon(t), conn, ""); err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(soon(t)); err != nil {
		t.Fatal(err)
	}
	spans := recorder.GetSpans()
	if len(spans) != 1 {
		t.Fatalf("%d spans, want one", len(spans))
	}
	var got []string
	for _, e := range spans[0].Events {
		got = append(got, fmt.Sprint(e.Name, " ", e.Attributes[0].Key, "=", e.Attributes[0].Value.AsInt64()))
	}
	if want := []string{"hedge sent attempt=2", "hedge won attempt=2"}; !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
}

// What grpc-go would write for each request at once is written for one.
func TestCallWithItsOwnOptionsIsNotHedged(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := startAnswers(t, "a", fail(errors.Unavailable), hang)
		conn := dial(t, hedgedSpec(2, time.Millisecond, time.Second), client.Options{}, a.backend)
		var header metadata.MD
		err := conn.Invoke(soon(t), unaryMethod, &text{}, &text{}, grpc.Header(&header))
		if status.Code(err) != codes.Unavailable || a.calls.Load() != 1 {
			t.Errorf("error %v after %d requests, want Unavailable after one", err, a.calls.Load())
		}
		err = conn.Invoke(context.Background(), unaryMethod, &text{}, &text{}, grpc.Header(&header))
		if status.Code(err) != codes.DeadlineExceeded || a.calls.Load() != 2 {
			t.Errorf("error %v after %d requests, want DeadlineExceeded after two", err, a.calls.Load())
		}
	})
}
