package client_test

import (
	"bytes"
	"context"
	stderrors "errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/client"
	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/policy"
)

// textLog keeps the log without times.
func textLog() (*slog.Logger, *bytes.Buffer) {
	var b bytes.Buffer
	return slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})), &b
}

// refused is an address of loopback at which nobody listens: that of tcpmux. A port that
// was free a moment ago may be somebody else's by now.
const refused = "127.0.0.1:1"

// TestUnreachable: error, log and readiness say where a call was to go and why it
// did not get there, in the same words for every policy.
func TestUnreachable(t *testing.T) {
	address := refused
	retry := policy.Retry{Attempts: 3, InitialBackoff: time.Millisecond, MaxBackoff: time.Millisecond, Codes: []codes.Code{codes.Unavailable}}
	targets := map[string]struct {
		target string
		build  func(*manual.Resolver)
		cause  string
	}{
		"refused": {"passthrough:///" + address, nil, "dial tcp " + address + ": connect: connection refused"},
		"no name": {"echo:///inventory-headless:9090", func(r *manual.Resolver) {
			r.BuildCallback = func(_ resolver.Target, cc resolver.ClientConn, _ resolver.BuildOptions) {
				cc.ReportError(fmt.Errorf("resolving: %w", &net.DNSError{Err: "no such host", Name: "inventory-headless", Server: "127.0.0.1:53", IsNotFound: true}))
			}
		}, "no such host"},
	}
	for name, test := range targets {
		for _, balance := range []string{client.RoundRobin, client.LeastRequest, client.Weighted, client.PickFirst} {
			for _, o := range []client.Options{{}, {Connections: 3}, {Breaker: new(client.Breaker)}} {
				t.Run(fmt.Sprintf("%s/%s/%d connections, breaker %t", name, balance, max(o.Connections, 1), o.Breaker != nil), func(t *testing.T) {
					log, lines := textLog()
					o.Target, o.Balance, o.Log = test.target, balance, log
					if test.build != nil {
						r := manual.NewBuilderWithScheme("echo")
						test.build(r)
						o.Resolver = r
					}
					spec := echoSpec()
					spec.Methods[0].Retry = retry
					conn, err := client.Dial(spec, o)
					if err != nil {
						t.Fatal(err)
					}
					defer conn.Close()

					for range 3 {
						_, err = unary(soon(t), conn, "")
						if want := "unavailable: test.v1.Echo/Unary at " + test.target + ": " + test.cause; err == nil || err.Error() != want {
							t.Fatalf("error\n%v, want\n%s", err, want)
						}
					}
					if !stderrors.Is(err, errors.Unavailable) || errors.ToStatus(err).Message() != "unavailable" {
						t.Errorf("on the wire: %v", errors.ToStatus(err))
					}
					_, err = conn.NewStream(soon(t), &echoDesc.Streams[2], bidiMethod)
					if want := "unavailable: test.v1.Echo/Bidi at " + test.target + ": " + test.cause; err == nil || err.Error() != want {
						t.Errorf("error of a stream\n%v, want\n%s", err, want)
					}
					if err := conn.Check(soon(t)); err == nil || err.Error() != "test.v1.Echo at "+test.target+": "+test.cause {
						t.Errorf("Check = %v", err)
					}
					want := fmt.Sprintf("level=WARN msg=\"callee cannot be reached\" callee=test.v1.Echo method=test.v1.Echo/Unary target=%s error=%q\n", test.target, test.cause)
					if lines.String() != want {
						t.Errorf("log\n%s, want one line\n%s", lines, want)
					}
				})
			}
		}
	}
}

// TestReachedAgain: the log hears of it, once.
func TestReachedAgain(t *testing.T) {
	r := manual.NewBuilderWithScheme("echo")
	r.InitialState(resolver.State{Addresses: []resolver.Address{{Addr: refused}}})
	log, lines := textLog()
	conn, err := client.Dial(echoSpec(), client.Options{Resolver: r, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for range 2 {
		if _, err := unary(soon(t), conn, ""); err == nil {
			t.Fatal("a call has an answer")
		}
	}
	r.UpdateState(resolver.State{Addresses: []resolver.Address{{Addr: startBackend(t, named("a")).address}}})
	awaitAnswers(t, soon(t), conn, "a")
	if _, err := unary(soon(t), conn, ""); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(lines.String(), "\n"); got != 2 || !strings.HasSuffix(lines.String(), "level=INFO msg=\"callee can be reached again\" callee=test.v1.Echo target=echo:///\n") {
		t.Errorf("log\n%s, want that it is lost and that it is back", lines)
	}
	if err := conn.Check(soon(t)); err != nil {
		t.Errorf("Check = %v", err)
	}
}

// TestTooLarge: a client receives what its options say, for all kinds of RPCs, and
// more is nothing that a caller of this service has to answer for.
func TestTooLarge(t *testing.T) {
	const limit = 10_000
	b := startBackend(t, &echo{
		unary: func(_ context.Context, in *text) (*text, error) {
			return wrapperspb.String(strings.Repeat("x", len(in.GetValue())*100)), nil
		},
		stream: sendBack,
	})
	for name, test := range map[string]struct {
		bytes int // of the response, without its frame
		limit int
		ok    bool
	}{
		"within":           {limit - 100, limit, true},
		"above":            {limit + 100, limit, false},
		"above 4 MiB":      {5 << 20, 6 << 20, true},
		"within 4 MiB":     {4<<20 - 100, 0, true},
		"4 MiB by default": {4<<20 + 100, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, echoSpec(), client.Options{MaxReceiveBytes: test.limit, Breaker: &client.Breaker{MinCalls: 2}}, b)
			for range 3 { // none of which opens the breaker
				_, err := unary(soon(t), conn, strings.Repeat("x", test.bytes/100))
				if test.ok && err != nil {
					t.Fatal(err)
				}
				if !test.ok && (!stderrors.Is(err, errors.MessageTooLarge) || status.Code(err) != codes.Internal || errors.HTTPStatus(err, nil) != 500) {
					t.Errorf("error = %v, want MessageTooLarge", err)
				}
			}
		})
	}
	t.Run("stream", func(t *testing.T) {
		conn := dial(t, echoSpec(), client.Options{MaxReceiveBytes: limit}, b)
		s, err := conn.NewStream(soon(t), &echoDesc.Streams[2], bidiMethod)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.SendMsg(wrapperspb.String(strings.Repeat("x", limit))); err != nil {
			t.Fatal(err)
		}
		if err := s.RecvMsg(&text{}); !stderrors.Is(err, errors.MessageTooLarge) {
			t.Errorf("error = %v, want MessageTooLarge", err)
		}
	})
	t.Run("request", func(t *testing.T) { // which the server refuses: it has 4 MiB
		conn := dial(t, echoSpec(), client.Options{}, b)
		if _, err := unary(soon(t), conn, strings.Repeat("x", 5<<20)); !stderrors.Is(err, errors.MessageTooLarge) {
			t.Errorf("error = %v, want MessageTooLarge", err)
		}
	})
}

// TestAsksAgain: where the addresses are is asked at once when a backend stops
// serving, for whatever reason.
func TestAsksAgain(t *testing.T) {
	notServing := func(t *testing.T, _ *client.Conn, b backend) {
		b.health.SetServingStatus(service, healthpb.HealthCheckResponse_NOT_SERVING)
	}
	goAway := func(t *testing.T, _ *client.Conn, b backend) { go b.server.GracefulStop() }
	eject := func(t *testing.T, conn *client.Conn, _ backend) {
		for range 100 {
			_, _ = unary(soon(t), conn, "fail")
		}
	}
	for name, test := range map[string]struct {
		stop     func(*testing.T, *client.Conn, backend)
		breaker  *client.Breaker
		balances []string
	}{
		"health":   {notServing, nil, []string{client.RoundRobin, client.LeastRequest, client.Weighted}},
		"GOAWAY":   {goAway, nil, []string{client.RoundRobin, client.LeastRequest, client.Weighted, client.PickFirst}},
		"ejection": {eject, &client.Breaker{MinCalls: 50}, []string{client.RoundRobin, client.LeastRequest, client.Weighted}},
	} {
		for _, balance := range test.balances {
			for _, connections := range []int{1, 3} {
				t.Run(fmt.Sprintf("%s/%s/%d connections", name, balance, connections), func(t *testing.T) {
					bad := startBackend(t, &echo{unary: func(_ context.Context, in *text) (*text, error) {
						if in.GetValue() == "fail" {
							return nil, errors.Internal
						}
						return wrapperspb.String("a"), nil
					}})
					good := startBackend(t, named("b"))
					asked := make(chan struct{}, 100)
					r := manual.NewBuilderWithScheme("echo")
					r.InitialState(resolver.State{Endpoints: []resolver.Endpoint{
						{Addresses: []resolver.Address{{Addr: bad.address}}}, {Addresses: []resolver.Address{{Addr: good.address}}},
					}})
					r.ResolveNowCallback = func(resolver.ResolveNowOptions) { asked <- struct{}{} }
					conn, err := client.Dial(echoSpec(), client.Options{Resolver: r, Balance: balance, Connections: connections, Breaker: test.breaker})
					if err != nil {
						t.Fatal(err)
					}
					defer conn.Close()
					if balance == client.PickFirst {
						awaitAnswers(t, soon(t), conn, "a")
					} else {
						awaitAnswers(t, soon(t), conn, "ab")
					}
					select {
					case <-asked:
						t.Fatal("asked although nothing happened")
					default:
					}
					test.stop(t, conn, bad)
					select {
					case <-asked:
					case <-time.After(5 * time.Second):
						t.Error("nobody asked for other addresses")
					}
				})
			}
		}
	}
}

// dialers are what becomes of connections, by address.
type dialers struct {
	mu sync.Mutex
	of map[string]dialer
}

type dialer func(context.Context) (net.Conn, error)

func (d *dialers) set(address string, to dialer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.of[address] = to
}

func (d *dialers) dial(ctx context.Context, address string) (net.Conn, error) {
	d.mu.Lock()
	dial := d.of[address]
	d.mu.Unlock()
	return dial(ctx)
}

// TestOldCause: why something failed before is not said of what fails now.
func TestOldCause(t *testing.T) {
	hangs := func(ctx context.Context) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
	refuses := func(context.Context) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "memory", Err: stderrors.New("connection refused")}
	}
	tests := map[string]func(*manual.Resolver, backend, *dialers){
		"other addresses": func(r *manual.Resolver, b backend, d *dialers) {
			d.set("a", refuses)
			d.set("b", hangs)
			r.UpdateState(resolver.State{Addresses: []resolver.Address{{Addr: "a"}}})
			time.Sleep(time.Second)
			r.UpdateState(resolver.State{Addresses: []resolver.Address{{Addr: "b"}}})
		},
		"connected since": func(r *manual.Resolver, b backend, d *dialers) {
			d.set("a", refuses)
			r.UpdateState(resolver.State{Addresses: []resolver.Address{{Addr: "a"}}})
			time.Sleep(time.Second)
			d.set("a", b.memory.DialContext)
			time.Sleep(2 * time.Second)
			d.set("a", hangs)
			b.server.Stop()
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				r := manual.NewBuilderWithScheme("echo")
				d := &dialers{of: map[string]dialer{}}
				conn, err := client.Dial(echoSpec(), client.Options{Resolver: r, Dial: []grpc.DialOption{
					grpc.WithContextDialer(d.dial),
				}})
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				synctest.Wait()
				test(r, startInMemory(t, named("a")), d)
				synctest.Wait()
				short, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if _, err := unary(short, conn, ""); !stderrors.Is(err, errors.DeadlineExceeded) || strings.Contains(err.Error(), "refused") {
					t.Errorf("error = %v, want the deadline alone", err)
				}
			})
		})
	}
}

// TestOpenBreaker: a call that was not made failed nowhere.
func TestOpenBreaker(t *testing.T) {
	conn := dial(t, echoSpec(), client.Options{Breaker: &client.Breaker{MinCalls: 1}}, startBackend(t, &echo{
		unary: func(context.Context, *text) (*text, error) { return nil, errors.Internal },
	}))
	_, _ = unary(soon(t), conn, "")
	if _, err := unary(soon(t), conn, ""); !stderrors.Is(err, errors.CircuitOpen) || !strings.HasPrefix(err.Error(), errors.CircuitOpen.Message+": ") {
		t.Errorf("error = %v, want CircuitOpen alone", err)
	}
}
