package client_test

import (
	"context"
	stderrors "errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/client"
	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/metrics"
	"github.com/protosvc/protosvc/svc/policy"
)

var (
	tripping = &errors.Code{Domain: "test", Reason: "TRIPS", GRPC: codes.FailedPrecondition, TripsBreaker: new(true)}
	sparing  = &errors.Code{Domain: "test", Reason: "SPARES", GRPC: codes.Unavailable, TripsBreaker: new(false)}
)

// touchy are options of a breaker for tests.
func touchy() client.Options {
	return client.Options{Breaker: &client.Breaker{MinCalls: 5, Open: 100 * time.Millisecond}, Metrics: metrics.New(metrics.BuildInfo{})}
}

// patient are options of a breaker that leaves time to find out that a single
// backend fails.
func patient() client.Options {
	o := touchy()
	o.Breaker.MinCalls = 20
	return o
}

// failing is a backend whose calls end with an error that can be changed.
type failing struct {
	err   atomic.Pointer[error]
	calls atomic.Int64
}

func (f *failing) fail(err error) { f.err.Store(&err) }

func (f *failing) end() error {
	f.calls.Add(1)
	return *f.err.Load()
}

func (f *failing) echo() *echo {
	return &echo{
		unary: func(_ context.Context, in *text) (*text, error) { return in, f.end() },
		stream: func(s grpc.ServerStream) error {
			if err := f.end(); err != nil {
				return err
			}
			return sendBack(s)
		},
	}
}

// kinds are a call of each kind of RPC. That of a stream leaves it open once a
// message has come.
func kinds(t *testing.T, conn *client.Conn) map[string]func() error {
	calls := map[string]func() error{"unary": func() error {
		_, err := unary(soon(t), conn, "")
		return err
	}}
	for i, name := range []string{serverMethod, clientMethod, bidiMethod} {
		calls[name] = func() error {
			s, err := conn.NewStream(soon(t), &echoDesc.Streams[i], name)
			if err != nil {
				return err
			}
			_ = s.SendMsg(&text{})
			if name == clientMethod {
				_ = s.CloseSend() // its only answer comes at the end
			}
			return s.RecvMsg(&text{})
		}
	}
	return calls
}

func TestBreaker(t *testing.T) {
	for kind := range kinds(t, nil) {
		t.Run(kind, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				f := new(failing)
				f.fail(errors.Internal)
				o := touchy()
				conn := dial(t, echoSpec(), o, startInMemory(t, f.echo()))
				call := kinds(t, conn)[kind]
				for range 5 {
					if err := call(); !stderrors.Is(err, errors.Internal) {
						t.Fatalf("error = %v, want the backend's", err)
					}
				}
				before := time.Now()
				err := call()
				if !stderrors.Is(err, errors.CircuitOpen) || status.Code(err) != codes.Unavailable || time.Since(before) != 0 {
					t.Fatalf("error = %v after %v, want CircuitOpen at once", err, time.Since(before))
				}
				if wait := retryDelay(err); wait != 100*time.Millisecond {
					t.Errorf("RetryInfo says %v, want 100ms", wait)
				}
				if n := f.calls.Load(); n != 5 {
					t.Errorf("the backend got %d calls, want 5", n)
				}
				expectMetric(t, o.Metrics, "grpc_client_breaker_state", 2)
				expectMetric(t, o.Metrics, "grpc_client_breaker_refused_total", 1)

				f.fail(nil)
				time.Sleep(100 * time.Millisecond)
				for range 10 {
					if err := call(); err != nil {
						t.Fatalf("error = %v, want the breaker closed by the first answer", err)
					}
				}
				expectMetric(t, o.Metrics, "grpc_client_breaker_state", 0)
			})
		})
	}
}

func retryDelay(err error) time.Duration {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration()
		}
	}
	return 0
}

func expectMetric(t *testing.T, r *metrics.Registry, name string, want float64) {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			if got := m.GetGauge().GetValue() + m.GetCounter().GetValue(); got != want {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
			return
		}
	}
	t.Errorf("there is no %s", name)
}

// When calls stop can change while they are made.
func TestSetBreaker(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		f := new(failing)
		f.fail(errors.Internal)
		conn := dial(t, echoSpec(), touchy(), startInMemory(t, f.echo()))
		conn.SetBreaker(client.Breaker{MinCalls: 2, Open: 300 * time.Millisecond})
		var err error
		for range 3 {
			_, err = unary(soon(t), conn, "")
		}
		if !stderrors.Is(err, errors.CircuitOpen) || retryDelay(err) != 300*time.Millisecond {
			t.Errorf("after two that failed: %v, for %v", err, retryDelay(err))
		}
		if n := f.calls.Load(); n != 2 {
			t.Errorf("the backend got %d calls, want 2", n)
		}
	})
}

// TestBreakerCounts says which errors are faults of the server.
func TestBreakerCounts(t *testing.T) {
	faults := map[error]bool{
		errors.Internal:                             true,
		errors.Unavailable:                          true,
		errors.DeadlineExceeded:                     true,
		status.Error(codes.DataLoss, ""):            true,
		status.Error(codes.Unknown, ""):             true,
		tripping:                                    true,
		notFound:                                    false,
		sparing:                                     false,
		errors.CircuitOpen:                          false,
		errors.Overloaded:                           false,
		errors.InvalidRequest:                       false,
		status.Error(codes.PermissionDenied, ""):    false,
		status.Error(codes.FailedPrecondition, "x"): false,
	}
	for err, fault := range faults {
		t.Run(fmt.Sprint(err), func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				f := new(failing)
				f.fail(err)
				spec := echoSpec()
				spec.Errors = errors.Table{notFound, tripping, sparing}
				conn := dial(t, spec, touchy(), startInMemory(t, f.echo()))
				var last error
				for range 6 {
					_, last = unary(soon(t), conn, "")
				}
				if open := stderrors.Is(last, errors.CircuitOpen) && f.calls.Load() == 5; open != fault {
					t.Errorf("the breaker is open: %t, want %t", open, fault)
				}
			})
		})
	}
}

// TestBreakerIsNotForCallers calls as callers do who have no right to complain.
func TestBreakerIsNotForCallers(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		spec := echoSpec()
		spec.Methods[0].Timeout = time.Second
		conn := dial(t, spec, touchy(), startInMemory(t, &echo{unary: func(ctx context.Context, in *text) (*text, error) {
			if in.GetValue() == "" {
				<-ctx.Done()
			}
			return in, ctx.Err()
		}}))
		for range 10 {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
			if _, err := unary(ctx, conn, ""); !stderrors.Is(err, errors.DeadlineExceeded) {
				t.Fatalf("error = %v", err)
			}
			cancel()
			ctx, cancel = context.WithCancel(context.Background())
			time.AfterFunc(5*time.Millisecond, cancel)
			if _, err := unary(ctx, conn, ""); !stderrors.Is(err, errors.Canceled) {
				t.Fatalf("error = %v", err)
			}
		}
		if _, err := unary(soon(t), conn, "x"); err != nil {
			t.Errorf("error = %v: callers in a hurry opened the breaker", err)
		}
	})
}

// TestOutliers has one backend of three misbehave, in ways that its health check
// does not show, and comes to an end of it.
func TestOutliers(t *testing.T) {
	hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	ways := map[string]func(context.Context) error{
		"errors": func(context.Context) error { return errors.Unavailable },
		"hangs":  hang,
	}
	for way, bad := range ways {
		for _, balance := range []string{client.RoundRobin, client.LeastRequest} {
			t.Run(way+"/"+balance, func(t *testing.T) {
				bubble.Test(t, func(t *testing.T) {
					var broken atomic.Bool
					third := func(ctx context.Context, _ *text) (*text, error) {
						if broken.Load() {
							return nil, bad(ctx)
						}
						return wrapperspb.String("c"), nil
					}
					spec := echoSpec()
					spec.Methods = []policy.Method{{Name: unaryMethod, Timeout: 100 * time.Millisecond}}
					o := patient()
					o.Balance = balance
					conn := dial(t, spec, o, startInMemory(t, named("a")), startInMemory(t, named("b")), startInMemory(t, &echo{unary: third}))
					awaitAnswers(t, soon(t), conn, "abc")

					broken.Store(true)
					hammer(conn, 300*time.Millisecond) // long enough to be noticed
					answers, failed := hammer(conn, time.Second)
					total := answers["a"] + answers["b"] + failed
					// A trial for each pause of 100 ms, and as much again for the race between
					// the callers and the ejection.
					if failed > 40 || failed*10 > total {
						t.Errorf("%d of %d calls failed while one backend is left out", failed, total)
					}
					if a, b := answers["a"], answers["b"]; a*2 < b || b*2 < a {
						t.Errorf("the others share unevenly: %v", answers)
					}

					broken.Store(false)
					time.Sleep(200 * time.Millisecond)
					awaitAnswers(t, soon(t), conn, "abc")
					expectMetric(t, o.Metrics, "grpc_client_ejected_backends", 0)
					expectMetric(t, o.Metrics, "grpc_client_breaker_refused_total", 0)
				})
			})
		}
	}
}

// hammer has eight callers call for a while, and counts who answered.
func hammer(conn *client.Conn, d time.Duration) (answers map[string]int, failed int) {
	answers = map[string]int{}
	var mu sync.Mutex
	var callers sync.WaitGroup
	end := time.Now().Add(d)
	for range 8 {
		callers.Go(func() {
			for time.Now().Before(end) {
				name, err := unary(context.Background(), conn, "")
				mu.Lock()
				if err != nil {
					failed++
				} else {
					answers[name]++
				}
				mu.Unlock()
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	callers.Wait()
	return answers, failed
}

// TestOutlierStreams opens streams while one of three backends breaks them off.
func TestOutlierStreams(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		f := new(failing)
		f.fail(nil)
		good := &echo{stream: sendBack}
		o := patient()
		conn := dial(t, echoSpec(), o, startInMemory(t, good), startInMemory(t, good), startInMemory(t, f.echo()))
		call := kinds(t, conn)[bidiMethod]
		for f.calls.Load() == 0 {
			if err := call(); err != nil {
				t.Fatal(err)
			}
		}
		f.fail(errors.Internal)
		failed := 0
		for range 300 {
			if call() != nil {
				failed++
			}
			time.Sleep(time.Millisecond)
		}
		if failed < 5 || failed > 20 {
			t.Errorf("%d of 300 streams failed, want those before the ejection and a few trials", failed)
		}
		f.fail(nil)
		time.Sleep(200 * time.Millisecond)
		before := f.calls.Load()
		for range 30 {
			if err := call(); err != nil {
				t.Fatal(err)
			}
		}
		if got := f.calls.Load() - before; got < 5 {
			t.Errorf("the backend got %d of 30 streams after it recovered, want its share", got)
		}
	})
}

// TestMostBackendsFail: if it is not a matter of single backends, none but half are
// left out, and the breaker of the callee opens.
func TestMostBackendsFail(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		f := new(failing)
		f.fail(errors.Unavailable)
		o := touchy()
		conn := dial(t, echoSpec(), o, startInMemory(t, f.echo()), startInMemory(t, f.echo()), startInMemory(t, f.echo()))
		var last error
		for range 50 {
			_, last = unary(soon(t), conn, "")
		}
		if !stderrors.Is(last, errors.CircuitOpen) || f.calls.Load() > 15 {
			t.Errorf("error = %v after %d calls, want CircuitOpen", last, f.calls.Load())
		}
	})
}
