package client_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/client"
	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/bubble"
)

// stopping are two backends, a and b, whose health changes.
type stopping struct {
	*testing.T
	a, b  backend
	conn  *client.Conn
	asked atomic.Int64 // for other addresses
}

func newStopping(t *testing.T, o client.Options) *stopping {
	s := &stopping{T: t, a: startInMemory(t, named("a")), b: startInMemory(t, named("b"))}
	r := manual.NewBuilderWithScheme("echo")
	r.ResolveNowCallback = func(resolver.ResolveNowOptions) { s.asked.Add(1) }
	o.Resolver = r
	s.conn = dial(t, echoSpec(), o, s.a, s.b)
	awaitAnswers(t, soon(t), s.conn, "ab")
	return s
}

func (s *stopping) set(b backend, to healthpb.HealthCheckResponse_ServingStatus) {
	b.health.SetServingStatus(service, to)
	synctest.Wait()
}

// expect makes calls and looks at who answers, or with what code they fail.
func (s *stopping) expect(want ...string) {
	s.Helper()
	got := map[string]bool{}
	for range 20 {
		name, err := unary(soon(s.T), s.conn, "")
		if err != nil {
			name = status.Code(err).String()
		}
		got[name] = true
	}
	if answers := slices.Sorted(maps.Keys(got)); !slices.Equal(answers, want) {
		s.Errorf("answers %q, want %q", answers, want)
	}
}

const (
	up   = healthpb.HealthCheckResponse_SERVING
	down = healthpb.HealthCheckResponse_NOT_SERVING
)

// TestLastBackendIsSpared: the last backend that serves has calls for 5 seconds
// after it said that it stops, and other addresses are asked for meanwhile.
func TestLastBackendIsSpared(t *testing.T) {
	for _, balance := range []string{client.RoundRobin, client.LeastRequest, client.Weighted} {
		for name, test := range map[string]func(*stopping){
			"nobody comes": func(s *stopping) {
				s.set(s.a, down)
				s.expect("b")
				s.set(s.b, down)
				s.asked.Store(0)
				time.Sleep(4900 * time.Millisecond)
				s.expect("b")
				if n := s.asked.Load(); n != 4 {
					s.Errorf("other addresses were asked for %d times in 4.9 s, want 4", n)
				}
				time.Sleep(100 * time.Millisecond)
				synctest.Wait()
				s.expect("Unavailable")
				s.set(s.b, up)
				s.expect("b")
			},
			"the other one is back": func(s *stopping) {
				s.set(s.a, down)
				s.set(s.b, down)
				time.Sleep(2 * time.Second)
				s.set(s.a, up)
				s.expect("a")
				time.Sleep(time.Minute)
				s.expect("a")
				s.set(s.a, down) // and is the last one, in turn
				s.expect("a")
			},
			"it changes its mind": func(s *stopping) {
				s.set(s.a, down)
				s.set(s.b, down)
				time.Sleep(2 * time.Second)
				s.set(s.b, up)
				time.Sleep(10 * time.Second)
				s.expect("b")
				s.set(s.b, down)
				time.Sleep(4900 * time.Millisecond)
				s.expect("b")
			},
			"it is gone": func(s *stopping) {
				s.set(s.a, down)
				s.set(s.b, down)
				s.b.server.Stop()
				synctest.Wait()
				s.expect("Unavailable")
				time.Sleep(10 * time.Second)
				s.set(s.a, up)
				s.expect("a")
			},
			"the connection is closed": func(s *stopping) {
				s.set(s.a, down)
				s.set(s.b, down)
				_ = s.conn.Close()
			},
		} {
			t.Run(name+"/"+balance, func(t *testing.T) {
				bubble.Test(t, func(t *testing.T) { test(newStopping(t, client.Options{Balance: balance})) })
			})
		}
	}
}

// TestSparedAndEjected: a backend that fails while it is spared is judged like any
// other, and what its health says counts when it is back.
func TestSparedAndEjected(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		bad := startInMemory(t, &echo{unary: func(_ context.Context, in *text) (*text, error) {
			if strings.HasPrefix(in.GetValue(), "fail") {
				return nil, errors.Internal
			}
			return in, nil
		}})
		other := startInMemory(t, named("b"))
		other.health.SetServingStatus(service, down)
		conn := dial(t, echoSpec(), client.Options{Breaker: &client.Breaker{MinCalls: 50, Open: 7 * time.Second}}, bad, other)
		if got, err := unary(soon(t), conn, "a"); err != nil || got != "a" {
			t.Fatal(got, err)
		}
		bad.health.SetServingStatus(service, down)
		synctest.Wait()
		for i := range 4 { // of five calls so far, which is enough for it
			if _, err := unary(soon(t), conn, fmt.Sprint("fail", i)); !errors.Internal.Is(err) {
				t.Fatalf("call %d: error = %v, want that of the spared backend", i, err)
			}
		}
		ejected := "unavailable: test.v1.Echo/Unary at echo:///: " + bad.address + " is ejected: too many of its calls failed"
		if _, err := unary(soon(t), conn, "a"); err == nil || err.Error() != ejected {
			t.Errorf("error = %v, want %s", err, ejected)
		}
		bad.health.SetServingStatus(service, up) // while it is ejected
		time.Sleep(6900 * time.Millisecond)
		if _, err := unary(soon(t), conn, "a"); err == nil || err.Error() != ejected {
			t.Errorf("error = %v, want it ejected for 7s", err)
		}
		time.Sleep(200 * time.Millisecond)
		if got, err := unary(soon(t), conn, "a"); err != nil || got != "a" {
			t.Errorf("answer %q, %v, want the backend back", got, err)
		}
		time.Sleep(10 * time.Second)
		if got, err := unary(soon(t), conn, "a"); err != nil || got != "a" {
			t.Errorf("answer %q, %v, want the backend to stay", got, err)
		}
	})
}
