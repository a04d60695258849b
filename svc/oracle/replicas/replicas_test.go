// Package replicas_test holds clients against replicas that come and go, which
// they know of from a name server alone, as in a cluster. Every replica has an
// address of loopback, and the port is the same for all.
package replicas_test

import (
	"context"
	"flag"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/stats"

	"github.com/protosvc/protosvc/svc/client"
	"github.com/protosvc/protosvc/svc/policy"
)

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "16") // they wait more than they work
	goleak.VerifyTestMain(m)
}

const service = "shop.v1.Shop"

// drainDelay is that of a contract which says nothing.
const drainDelay = 5 * time.Second

// replica is a server of the health service, which is all that is called.
type replica struct {
	*health.Server
	ip     string
	calls  atomic.Int64
	lost   atomic.Int64 // connections that ended
	server *grpc.Server
	served chan error
}

func (r *replica) Check(ctx context.Context, req *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	r.calls.Add(1)
	return r.Server.Check(ctx, req)
}

// shop is the service: a name and a port.
type shop struct {
	*nameserver
	port int // 0: until there is a replica
	next int // the last byte of the next replica's address
}

func newShop(t *testing.T) *shop { return &shop{nameserver: startNameserver(t), next: 2} }

func (s *shop) target() string { return fmt.Sprintf("dns://%s/%s:%d", s.address, host, s.port) }

// start starts replicas that nobody knows of yet.
func (s *shop) start(t *testing.T, n int) (out []*replica) {
	t.Helper()
	for range n {
		r := &replica{Server: health.NewServer(), ip: fmt.Sprintf("127.0.0.%d", s.next), served: make(chan error, 1)}
		s.next++
		listener, err := net.Listen("tcp", fmt.Sprintf("%s:%d", r.ip, s.port))
		if err != nil {
			t.Fatal(err)
		}
		s.port = listener.Addr().(*net.TCPAddr).Port
		r.server = grpc.NewServer(grpc.StatsHandler(connections{r}))
		healthpb.RegisterHealthServer(r.server, r)
		r.SetServingStatus(service, healthpb.HealthCheckResponse_SERVING)
		go func() { r.served <- r.server.Serve(listener) }()
		t.Cleanup(func() {
			r.server.Stop()
			if err := <-r.served; err != nil {
				t.Error(err)
			}
		})
		out = append(out, r)
	}
	return out
}

// connections counts those of a replica that ended.
type connections struct{ *replica }

func (connections) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (connections) HandleRPC(context.Context, stats.RPCStats)                         {}
func (connections) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (c connections) HandleConn(_ context.Context, s stats.ConnStats) {
	if _, ended := s.(*stats.ConnEnd); ended {
		c.lost.Add(1)
	}
}

// stop ends a replica as services of ours end: first its health says so, and after
// the drain delay the connections end.
func (r *replica) stop() {
	r.SetServingStatus(service, healthpb.HealthCheckResponse_NOT_SERVING)
	time.Sleep(drainDelay)
	r.server.GracefulStop()
}

// load calls all the time, and counts what fails.
type load struct {
	total, failed atomic.Int64
	err           atomic.Pointer[error]
	cancel        context.CancelFunc
	callers       sync.WaitGroup
}

func startLoad(t *testing.T, conn *client.Conn) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{cancel: cancel}
	checks := healthpb.NewHealthClient(conn)
	tick := time.NewTicker(5 * time.Millisecond)
	l.callers.Go(func() {
		defer tick.Stop()
		for ctx.Err() == nil {
			<-tick.C
			l.callers.Go(func() {
				limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
				defer cancel()
				l.total.Add(1)
				if _, err := checks.Check(limited, &healthpb.HealthCheckRequest{}); err != nil {
					l.failed.Add(1)
					l.err.Store(&err)
				}
			})
		}
	})
	t.Cleanup(l.end)
	return l
}

func (l *load) end() {
	l.cancel()
	l.callers.Wait()
}

func (l *load) expectNoFailure(t *testing.T) {
	t.Helper()
	if n := l.failed.Load(); n > 0 {
		t.Errorf("%d of %d calls failed, the last with: %v", n, l.total.Load(), *l.err.Load())
	}
}

func dial(t *testing.T, s *shop, o client.Options) *client.Conn {
	t.Helper()
	conn, err := client.Dial(client.Spec{
		Service: service,
		Target:  s.target(),
		Methods: []policy.Method{{Name: healthpb.Health_Check_FullMethodName}},
	}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// within waits for something, and returns when it was.
func within(t *testing.T, limit time.Duration, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

func called(replicas []*replica) func() bool {
	return func() bool {
		for _, r := range replicas {
			if r.calls.Load() == 0 {
				return false
			}
		}
		return true
	}
}

// share looks at how the next calls are spread.
func share(t *testing.T, l *load, replicas []*replica) {
	t.Helper()
	var before []int64
	for _, r := range replicas {
		before = append(before, r.calls.Load())
	}
	const calls = 400
	start := l.total.Load()
	within(t, time.Minute, "calls", func() bool { return l.total.Load() >= start+calls })
	var got []int64
	var sum int64
	for i, r := range replicas {
		got = append(got, r.calls.Load()-before[i])
		sum += got[i]
	}
	for i, n := range got {
		if mean := sum / int64(len(got)); n < mean/2 || n > mean*2 {
			t.Errorf("%s got %d of the calls, of all %v", replicas[i].ip, n, got)
		}
	}
}

// TestReplicas doubles the replicas and replaces them all right after, under load
// and without one failed call.
func TestReplicas(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]client.Options{
		"round_robin":                {Balance: client.RoundRobin, Breaker: &client.Breaker{}},
		"least_request":              {Balance: client.LeastRequest, Breaker: &client.Breaker{}},
		"weighted":                   {Balance: client.Weighted, Breaker: &client.Breaker{}},
		"pick_first":                 {Balance: client.PickFirst, Breaker: &client.Breaker{}},
		"three connections":          {Connections: 3, Breaker: &client.Breaker{}},
		"no breaker":                 {},
		"three of weight, unguarded": {Balance: client.Weighted, Connections: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			two := s.start(t, 2)
			s.know(two...)
			conn := dial(t, s, o)
			l := startLoad(t, conn)
			within(t, 10*time.Second, "the first calls", func() bool { return l.total.Load() > 100 })
			spread := o.Balance != client.PickFirst

			four := append(two, s.start(t, 2)...)
			s.know(four...)
			if spread {
				within(t, 10*time.Second, "a call of each new replica", called(four[2:]))
				share(t, l, four)
				for _, r := range four {
					if n := r.lost.Load(); n > 0 {
						t.Errorf("%d connections to %s ended", n, r.ip)
					}
				}
			}

			began := time.Now()
			others := s.start(t, 4)
			s.know(others...)
			var stops sync.WaitGroup
			for _, r := range four {
				stops.Go(r.stop)
			}
			if spread {
				within(t, 10*time.Second, "a call of each replica after all were replaced", called(others))
				share(t, l, others)
			} else {
				within(t, 10*time.Second, "a call after all replicas were replaced", func() bool {
					return slices.ContainsFunc(others, func(r *replica) bool { return r.calls.Load() > 0 })
				})
			}
			stops.Wait()
			l.end()
			l.expectNoFailure(t)
			t.Logf("%d calls in %v", l.total.Load(), time.Since(began))
		})
	}
}

// TestNameServerFails: the last answer stays in force whatever the name server
// does, for every kind of fault, and what changed meanwhile is found after.
func TestNameServerFails(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault{"SERVFAIL": servfail, "NXDOMAIN": nxdomain, "no address": empty, "silence": silent} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			two := s.start(t, 2)
			s.know(two...)
			l := startLoad(t, dial(t, s, client.Options{}))
			within(t, 10*time.Second, "the first calls", called(two))
			s.fail(f)
			s.asked()
			within(t, 30*time.Second, "questions while the name server fails", func() bool { return s.questionsSince() >= 2 })
			share(t, l, two)
			three := append(two, s.start(t, 1)...)
			s.know(three...)
			s.fail(none)
			within(t, 30*time.Second, "a call of the new replica", called(three))
			l.end()
			l.expectNoFailure(t)
		})
	}
}

// TestFoundLate: a name that does not exist when the client starts is found soon
// after it does.
func TestFoundLate(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	one := s.start(t, 1)
	s.fail(nxdomain)
	conn := dial(t, s, client.Options{})
	checks := healthpb.NewHealthClient(conn)
	_, err := checks.Check(t.Context(), &healthpb.HealthCheckRequest{})
	if want := "unavailable: grpc.health.v1.Health/Check at " + s.target() + ": no such host"; err == nil || err.Error() != want {
		t.Errorf("error\n%v, want\n%s", err, want)
	}
	within(t, 20*time.Second, "ten questions for a name that does not exist", func() bool { return s.questionsSince() >= 10 })
	s.know(one...)
	s.fail(none)
	began := time.Now()
	within(t, 5*time.Second, "a call after the name was found", func() bool {
		_, err := checks.Check(t.Context(), &healthpb.HealthCheckRequest{})
		return err == nil
	})
	t.Logf("found after %v", time.Since(began))
}

// TestQuestions counts what the name server is asked.
func TestQuestions(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	two := s.start(t, 2)
	s.know(two...)
	conn := dial(t, s, client.Options{Connections: 4})
	l := startLoad(t, conn)
	within(t, 10*time.Second, "the first calls", called(two))
	began := time.Now()
	s.asked()
	time.Sleep(10 * time.Second)
	if n, most := s.asked(), int(time.Since(began)/(3*time.Second))+1; n < 1 || n > most {
		t.Errorf("%d questions in %v while nothing happens, want 1 to %d", n, time.Since(began), most)
	}

	// One replica flaps: it is asked for, but once a second at the most.
	began = time.Now()
	for time.Since(began) < 5*time.Second {
		two[0].SetServingStatus(service, healthpb.HealthCheckResponse_NOT_SERVING)
		time.Sleep(20 * time.Millisecond)
		two[0].SetServingStatus(service, healthpb.HealthCheckResponse_SERVING)
		time.Sleep(20 * time.Millisecond)
	}
	if n, most := s.asked(), int(time.Since(began)/(750*time.Millisecond))+1; n < 3 || n > most {
		t.Errorf("%d questions in %v while a replica flaps, want 3 to %d", n, time.Since(began), most)
	}
	l.end()
	l.expectNoFailure(t)
}
