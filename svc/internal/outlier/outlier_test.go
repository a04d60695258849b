package outlier

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/attributes"
	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver"

	"github.com/protosvc/protosvc/svc/internal/breaker"
	"github.com/protosvc/protosvc/svc/internal/bubble"
)

// parent is what the balancer talks to: grpc-go's side of a connection.
type parent struct {
	balancer.ClientConn
	state    balancer.State
	resolved atomic.Int64 // how often new addresses were asked for
	subConns []*subConn
}

func (p *parent) UpdateState(s balancer.State)          { p.state = s }
func (p *parent) ResolveNow(resolver.ResolveNowOptions) { p.resolved.Add(1) }
func (p *parent) NewSubConn(_ []resolver.Address, o balancer.NewSubConnOptions) (balancer.SubConn, error) {
	s := &subConn{listener: o.StateListener}
	p.subConns = append(p.subConns, s)
	return s, nil
}

func (p *parent) asked() int64 { return p.resolved.Load() }

// subConn is a connection to one address.
type subConn struct {
	balancer.SubConn
	listener, health func(balancer.SubConnState)
}

func (s *subConn) RegisterHealthListener(l func(balancer.SubConnState)) { s.health = l }

// connect makes the connection and its backend healthy.
func (s *subConn) connect() {
	s.listener(balancer.SubConnState{ConnectivityState: connectivity.Ready})
	s.health(balancer.SubConnState{ConnectivityState: connectivity.Ready})
}

// news are what the child and the policy hear, partly from timers.
type news struct {
	mu       sync.Mutex
	health   map[int]connectivity.State // of each backend
	ejection []string                   // "a out", "a in"
}

func (n *news) set(backend int, s connectivity.State) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.health[backend] = s
}

func (n *news) healthOf(backend int) connectivity.State {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.health[backend]
}

func (n *news) ejected(address string, ejected bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ejection = append(n.ejection, address+map[bool]string{true: " out", false: " in"}[ejected])
}

func (n *news) ejections() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.ejection)
}

// child is the balancer behind. It connects to each address and tells
// what it hears of them; what is picked the test says.
type child struct {
	balancer.Balancer
	cc       balancer.ClientConn
	heard    *news
	backends []balancer.SubConn
	closed   bool
	picks    []int // the backends to pick, in turn; the last one again and again
	inFlight int   // picks whose Done has not been called
}

func (c *child) Build(cc balancer.ClientConn, _ balancer.BuildOptions) balancer.Balancer {
	c.cc = cc
	return c
}

func (c *child) Name() string { return "child" }
func (c *child) Close()       { c.closed = true }

func (c *child) UpdateClientConnState(s balancer.ClientConnState) error {
	for i, a := range s.ResolverState.Addresses {
		var sc balancer.SubConn
		//lint:ignore SA1019 only its use with several addresses is deprecated
		sc, err := c.cc.NewSubConn([]resolver.Address{a}, balancer.NewSubConnOptions{
			StateListener: func(s balancer.SubConnState) {
				c.heard.set(i, s.ConnectivityState)
				if s.ConnectivityState == connectivity.Ready {
					sc.RegisterHealthListener(func(s balancer.SubConnState) { c.heard.set(i, s.ConnectivityState) })
				}
			},
		})
		if err != nil {
			return err
		}
		c.backends = append(c.backends, sc)
	}
	c.cc.UpdateState(balancer.State{ConnectivityState: connectivity.Ready, Picker: c})
	return nil
}

func (c *child) Pick(balancer.PickInfo) (balancer.PickResult, error) {
	at := c.picks[0]
	if len(c.picks) > 1 {
		c.picks = c.picks[1:]
	}
	c.inFlight++
	return balancer.PickResult{SubConn: c.backends[at], Done: func(balancer.DoneInfo) { c.inFlight-- }}, nil
}

// fixture is a balancer with connected backends "a", "b", ... and what its policy
// hears.
type fixture struct {
	*parent
	*child
	outlier balancer.Balancer
}

var errBackend = errors.New("the backend fails")

// newFixture has breakers that open after five failures, for a second.
func newFixture(t *testing.T, backends int) *fixture {
	t.Helper()
	f := &fixture{parent: new(parent), child: &child{heard: &news{health: map[int]connectivity.State{}}}}
	f.outlier = builder{}.Build(f.parent, balancer.BuildOptions{})
	p := &Policy{
		Breaker: breaker.Share(breaker.Options{MinCalls: 5, Open: time.Second}),
		Outcome: func(_ string, _ time.Duration, err error) breaker.Outcome {
			if err != nil {
				return breaker.Fault
			}
			return breaker.Success
		},
		OnEject: f.heard.ejected,
	}
	state := balancer.ClientConnState{BalancerConfig: &config{child: f.child}}
	for i := range backends {
		state.ResolverState.Addresses = append(state.ResolverState.Addresses, resolver.Address{Addr: string(rune('a' + i))})
	}
	state.ResolverState.Attributes = attributes.New(policyKey{}, p)
	if err := f.outlier.UpdateClientConnState(state); err != nil {
		t.Fatal(err)
	}
	for _, s := range f.subConns {
		s.connect()
	}
	return f
}

// call makes an attempt that ends like this. The child picks these backends.
func (f *fixture) call(t *testing.T, end balancer.DoneInfo, picks ...int) balancer.SubConn {
	t.Helper()
	f.picks = picks
	result, err := f.state.Picker.Pick(balancer.PickInfo{Ctx: t.Context()})
	if err != nil {
		t.Fatal(err)
	}
	if result.Done != nil {
		result.Done(end)
	}
	return result.SubConn
}

var (
	fault   = balancer.DoneInfo{Err: errBackend, BytesSent: true}
	success = balancer.DoneInfo{BytesSent: true, BytesReceived: true}
	nothing = balancer.DoneInfo{BytesSent: true} // gRPC gave up the attempt
)

// eject has a backend ejected.
func (f *fixture) eject(t *testing.T, at int) {
	t.Helper()
	for range 5 {
		f.call(t, fault, at)
	}
	if f.heard.healthOf(at) != connectivity.TransientFailure {
		t.Fatalf("after five failures the child hears that backend %d is %v", at, f.heard.healthOf(at))
	}
}

func (f *fixture) expectTold(t *testing.T, want ...string) {
	t.Helper()
	if told := f.heard.ejections(); !slices.Equal(told, want) {
		t.Errorf("the policy was told %q, want %q", told, want)
	}
}

func TestEjection(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		f := newFixture(t, 3)
		for range 4 {
			f.call(t, fault, 0)
		}
		f.expectTold(t)
		f.call(t, fault, 0)
		f.expectTold(t, "a out")
		if f.heard.healthOf(0) != connectivity.TransientFailure || f.asked() != 1 {
			t.Errorf("the child hears %v and addresses were asked for %d times, want TRANSIENT_FAILURE and once", f.heard.healthOf(0), f.asked())
		}
		time.Sleep(time.Second - 1)
		f.expectTold(t, "a out")
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		f.expectTold(t, "a out", "a in")
		if f.heard.healthOf(0) != connectivity.Ready {
			t.Errorf("after the pause the child hears %v", f.heard.healthOf(0))
		}
	})
}

// What the first attempts after an ejection mean is seen by whether one failure
// more ejects the backend again, as it does on probation.
func TestProbation(t *testing.T) {
	for _, test := range []struct {
		name   string
		end    balancer.DoneInfo
		closes bool
	}{
		{"a success ends it", success, true},
		{"an attempt that gRPC gave up says nothing", nothing, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				f := newFixture(t, 3)
				f.eject(t, 0)
				time.Sleep(time.Second)
				synctest.Wait()
				want := []string{"a out", "a in"}
				for range 2 {
					f.call(t, test.end, 0)
				}
				f.expectTold(t, want...)
				f.call(t, fault, 0)
				if !test.closes {
					want = append(want, "a out")
				}
				f.expectTold(t, want...)
			})
		})
	}
}

// On probation a backend has one call at a time; others go elsewhere.
func TestOneCallOnProbation(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		f := newFixture(t, 3)
		f.eject(t, 0)
		time.Sleep(time.Second)
		synctest.Wait()
		f.picks = []int{0}
		trial, err := f.state.Picker.Pick(balancer.PickInfo{Ctx: t.Context()})
		if err != nil {
			t.Fatal(err)
		}
		if got := f.call(t, success, 0, 0, 1); got != f.subConns[1] {
			t.Error("a second call goes to the backend on probation")
		}
		trial.Done(success)
		if got := f.call(t, success, 0); got != f.subConns[0] {
			t.Error("after a success the backend has no calls")
		}
	})
}

// Whatever becomes of a pick, the child hears of its end once: it counts them.
func TestChildHearsOfEveryEnd(t *testing.T) {
	for _, test := range []struct {
		name  string
		picks []int
		to    int // the backend that gets the call in the end
	}{
		{"picked at once", []int{1}, 1},
		{"picked again", []int{0, 1}, 1},
		{"picked again twice", []int{0, 0, 2}, 2},
		{"nowhere else to go", []int{0}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				f := newFixture(t, 3)
				f.eject(t, 0)
				f.picks = test.picks
				result, err := f.state.Picker.Pick(balancer.PickInfo{Ctx: t.Context()})
				if err != nil {
					t.Fatal(err)
				}
				if result.SubConn != f.subConns[test.to] {
					t.Errorf("the call goes elsewhere than to backend %d", test.to)
				}
				if f.inFlight != 1 {
					t.Errorf("during the call the child counts %d in flight, want 1", f.inFlight)
				}
				if result.Done != nil {
					result.Done(success)
				}
				if f.inFlight != 0 {
					t.Errorf("after the call the child counts %d in flight, want 0", f.inFlight)
				}
			})
		})
	}
}

// At most half of the backends are ejected.
func TestHalfAtMost(t *testing.T) {
	for backends, want := range map[int]int{1: 0, 2: 1, 3: 1, 4: 2, 5: 2} {
		bubble.Test(t, func(t *testing.T) {
			f := newFixture(t, backends)
			for at := range backends {
				for range 10 {
					f.call(t, fault, at)
				}
			}
			if told := f.heard.ejections(); len(told) != want {
				t.Errorf("of %d failing backends %q, want %d of them", backends, told, want)
			}
		})
	}
}

// A connection that is made anew may lead to a new process, which has done
// nothing to be left out.
func TestNewConnectionIsReadmitted(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		f := newFixture(t, 3)
		f.eject(t, 0)
		f.subConns[0].listener(balancer.SubConnState{ConnectivityState: connectivity.Idle})
		f.expectTold(t, "a out", "a in")
		f.subConns[0].connect()
		if f.heard.healthOf(0) != connectivity.Ready {
			t.Errorf("the child hears %v", f.heard.healthOf(0))
		}
		time.Sleep(2 * time.Second) // beyond the end of the ejection
		synctest.Wait()
		f.expectTold(t, "a out", "a in")
	})
}

// A balancer that is closed has no backend left out, or the gauge of ejected ones
// would count it for ever; and what ends afterwards ejects none.
func TestClose(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		f := newFixture(t, 4)
		f.eject(t, 0)
		for range 4 {
			f.call(t, fault, 1)
		}
		f.picks = []int{1}
		last, err := f.state.Picker.Pick(balancer.PickInfo{Ctx: t.Context()})
		if err != nil {
			t.Fatal(err)
		}
		f.outlier.Close()
		f.expectTold(t, "a out", "a in")
		if !f.closed {
			t.Error("the child is not closed")
		}
		last.Done(fault)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		f.expectTold(t, "a out", "a in")
	})
}

// An attempt says whether its failure was dealt with: its backend is left out.
func TestLeftOut(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		f := newFixture(t, 3)
		f.picks = []int{0}
		for n := 1; n <= 5; n++ {
			attempt := &Attempt{Context: t.Context()}
			result, err := f.state.Picker.Pick(balancer.PickInfo{Ctx: attempt})
			if err != nil {
				t.Fatal(err)
			}
			result.Done(fault)
			if attempt.Ejected() != (n == 5) {
				t.Errorf("after failure %d of 5: left out %t", n, attempt.Ejected())
			}
		}
	})
}

// A stream counts at its first message, however it ends.
func TestStreamCountsOnce(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		f := newFixture(t, 3)
		f.picks = []int{0}
		for range 10 {
			attempt := &Attempt{Context: t.Context(), Stream: true}
			result, err := f.state.Picker.Pick(balancer.PickInfo{Ctx: attempt})
			if err != nil {
				t.Fatal(err)
			}
			attempt.Received()
			result.Done(fault)
		}
		f.expectTold(t)
	})
}
