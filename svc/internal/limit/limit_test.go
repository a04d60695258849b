package limit_test

import (
	"container/heap"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/protosvc/protosvc/svc/internal/limit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestGate(t *testing.T) {
	g := limit.NewGate(2)
	for i, want := range []bool{true, true, false} {
		if got := g.Enter(); got != want {
			t.Errorf("caller %d is let in: %v, want %v", i, got, want)
		}
	}
	g.Leave()
	if !g.Enter() {
		t.Error("no room after one has left")
	}
	if g.Inside() != 2 {
		t.Errorf("%d inside, want 2", g.Inside())
	}
	none := limit.NewGate(0)
	if !none.Enter() {
		t.Error("a gate without a limit refuses")
	}
	none.Leave()
}

func TestGateUnderContention(t *testing.T) {
	g := limit.NewGate(3)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10_000 {
				if g.Enter() {
					if n := g.Inside(); n < 1 {
						t.Errorf("%d inside while one is", n)
					}
					g.Leave()
				}
			}
		})
	}
	wg.Wait()
	if g.Inside() != 0 {
		t.Errorf("%d inside in the end", g.Inside())
	}
}

func TestRate(t *testing.T) {
	r := limit.NewRate(10, 3) // one every 100 ms, three at once
	ada, bob := r.Name("ada"), r.Name("bob")
	for _, step := range []struct {
		caller limit.Caller
		at     time.Duration
		wait   time.Duration
	}{
		{ada, 0, 0}, {ada, 0, 0}, {ada, 0, 0},
		{ada, 0, 100 * time.Millisecond},
		{bob, 0, 0}, // has a bucket of its own
		{ada, 60 * time.Millisecond, 40 * time.Millisecond},
		{ada, 100 * time.Millisecond, 0}, // a refused call takes no token
		{ada, 100 * time.Millisecond, 100 * time.Millisecond},
		{ada, 10 * time.Second, 0}, {ada, 10 * time.Second, 0}, {ada, 10 * time.Second, 0}, // no more than the burst after a pause
		{ada, 10 * time.Second, 100 * time.Millisecond},
	} {
		if wait := r.Take(step.caller, step.at); wait != step.wait {
			t.Errorf("at %v: wait %v, want %v", step.at, wait, step.wait)
		}
	}
	var none *limit.Rate
	if none.Take(0, 0) != 0 {
		t.Error("a nil Rate refuses")
	}
}

// Callers whose buckets are full are forgotten, and so are the quietest of too
// many others: the memory has a bound.
func TestRateForgets(t *testing.T) {
	r := limit.NewRate(1, 1)
	now := time.Duration(0)
	address := netip.MustParseAddr("10.0.0.0")
	for i := range 50_000 {
		if wait := r.Take(r.Address(address), now); wait != 0 {
			t.Fatalf("caller %d must wait %v for its first call", i, wait)
		}
		address = address.Next()
	}
	if n := r.Callers(); n != 10_000 {
		t.Errorf("%d callers are remembered, want 10000", n)
	}
	if r.Take(r.Address(address.Prev()), now) == 0 {
		t.Error("the latest caller is forgotten")
	}
	now += 10 * time.Second
	r.Take(r.Name("late"), now)
	if n := r.Callers(); n != 1 {
		t.Errorf("%d callers are remembered when all buckets are full, want the one that called", n)
	}
}

// Who shares a bucket: a host has all of a /64 of IPv6, and one address of IPv4,
// in whichever form it is written.
func TestAddress(t *testing.T) {
	for _, c := range []struct {
		one, other string
		same       bool
	}{
		{"2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true},
		{"2001:db8:0:1::1", "2001:db8:0:2::1", false},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
	} {
		r := limit.NewRate(1, 1)
		r.Take(r.Address(netip.MustParseAddr(c.one)), 0)
		if same := r.Take(r.Address(netip.MustParseAddr(c.other)), 0) != 0; same != c.same {
			t.Errorf("%s and %s share a bucket: %v, want %v", c.one, c.other, same, c.same)
		}
	}
}

// listening is a limited listener, and what it did.
type listening struct {
	*limit.Listener
	accepted         chan *limit.Conn
	refused, evicted chan struct{}
}

func listen(t *testing.T, connections int) *listening {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &listening{accepted: make(chan *limit.Conn, 10), refused: make(chan struct{}, 10), evicted: make(chan struct{}, 10)}
	l.Listener = limit.Listen(inner, limit.Options{
		Connections: connections,
		Refused:     func() { l.refused <- struct{}{} },
		Evicted:     func() { l.evicted <- struct{}{} },
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			l.accepted <- c.(*limit.Conn)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l
}

func (l *listening) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	return c
}

// busy is a connection that is accepted and not idle.
func (l *listening) busy(t *testing.T) *limit.Conn {
	t.Helper()
	l.dial(t)
	c := <-l.accepted
	c.Busy()
	return c
}

func assertClosed(t *testing.T, what string, c net.Conn) {
	t.Helper()
	if _, err := c.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("%s is not closed: %v", what, err)
	}
}

func TestListen(t *testing.T) {
	l := listen(t, 1)
	first := l.busy(t)
	second := l.dial(t)
	<-l.refused
	assertClosed(t, "the second connection", second)
	for range 2 { // closing twice makes room once
		_ = first.Close()
	}
	third := l.busy(t)
	l.dial(t)
	<-l.refused
	_ = third.Close()
	if n := len(l.evicted); n != 0 {
		t.Errorf("%d are evicted", n)
	}
}

// The connection that has been idle for longest makes room: never a busy one, and one
// that was busy lately after one that never was.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	l := listen(t, 3)
	working := l.busy(t)
	again := l.busy(t)
	silent := l.dial(t)
	<-l.accepted
	again.Idle()

	l.busy(t)
	<-l.evicted
	assertClosed(t, "the one that never was busy", silent)
	l.busy(t)
	<-l.evicted
	if err := again.SetReadDeadline(time.Now()); err == nil {
		t.Error("the one that became idle is still open")
	}
	refused := l.dial(t)
	<-l.refused
	assertClosed(t, "the one for which there is no room", refused)
	if err := working.SetReadDeadline(time.Now()); err != nil {
		t.Errorf("the busy one: %v", err)
	}
	_ = again.Close() // closes nothing a second time
	l.dial(t)
	<-l.refused
}

func TestNoLimitOfConnections(t *testing.T) {
	l := listen(t, 0)
	for range 5 {
		l.busy(t)
	}
	if n := len(l.refused) + len(l.evicted); n != 0 {
		t.Errorf("%d of 5 are refused or evicted", n)
	}
}

func isTimeout(err error) bool {
	e, ok := err.(net.Error)
	return ok && e.Timeout()
}

// queue is a server with workers and a queue in front of them, and callers
// that come at a fixed rate and give up at a deadline. Time is simulated.
type queue struct {
	workers  int
	service  time.Duration
	deadline time.Duration
	limit    *limit.Adaptive // nil: none
	method   limit.Method

	busy ends // when the workers are free again
	done ends // when the calls inside end
}

// ends are points in time, the earliest first.
type ends []end
type end struct {
	at, took time.Duration
	found    int
}

func (e ends) Len() int           { return len(e) }
func (e ends) Less(i, j int) bool { return e[i].at < e[j].at }
func (e ends) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *ends) Push(x any)        { *e = append(*e, x.(end)) }
func (e *ends) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// offer makes calls at a rate during a time, and returns how many were answered
// in time per second of the last half of it.
func (q *queue) offer(from, during time.Duration, perSecond float64) float64 {
	good, half := 0, from+during/2
	for now := from; now < from+during; now += time.Duration(float64(time.Second) / perSecond) {
		q.settle(now)
		if q.limit != nil && !q.limit.Enter() {
			continue
		}
		took := q.work(now)
		if now >= half && took <= q.deadline {
			good++
		}
	}
	return float64(good) / (during / 2).Seconds()
}

// work serves a call and returns how long it takes, the wait included.
func (q *queue) work(now time.Duration) time.Duration {
	if len(q.busy) < q.workers {
		heap.Push(&q.busy, end{})
	}
	free := heap.Pop(&q.busy).(end)
	at := max(now, free.at) + q.service
	heap.Push(&q.busy, end{at: at})
	found := 0
	if q.limit != nil {
		found = q.limit.Inside()
	}
	heap.Push(&q.done, end{at: at, took: at - now, found: found})
	return at - now
}

// settle ends the calls that are over.
func (q *queue) settle(now time.Duration) {
	for len(q.done) > 0 && q.done[0].at <= now {
		e := heap.Pop(&q.done).(end)
		if q.limit != nil {
			q.limit.Done(&q.method, e.found, e.at, e.took)
			q.limit.Leave()
		}
	}
}

// The limit begins in the middle, as far as that is below 100, and stays within
// its bounds however the calls go.
func TestAdaptiveBounds(t *testing.T) {
	least := max(4, runtime.GOMAXPROCS(0))
	for _, c := range []struct{ most, begin int }{{100_000, 100}, {least + 20, least + 10}, {2, 2}} {
		a, m, now := limit.NewAdaptive(c.most), new(limit.Method), time.Duration(0)
		if got := a.Limit(); got != c.begin {
			t.Errorf("of at most %d it begins at %d, want %d", c.most, got, c.begin)
		}
		calls := func(found int, took time.Duration) {
			for range 100_000 {
				now += 10 * time.Millisecond
				a.Done(m, found, now, took)
			}
		}
		calls(1, time.Millisecond)
		calls(1_000_000, time.Minute)
		if want := min(least, c.most); a.Limit() > want+2 || a.Limit() < want {
			t.Errorf("of at most %d, it is %d after calls that were slow, want %d", c.most, a.Limit(), want)
		}
		calls(1_000_000, time.Millisecond)
		if a.Limit() != c.most {
			t.Errorf("of at most %d, it is %d after calls that were quick", c.most, a.Limit())
		}
	}
}

// The limit moves once in a window of 100 ms, by a fifth of the root of itself, and
// not where so few calls came, or found so few inside, that they say nothing.
func TestAdaptiveMoves(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		found, calls int
		apart        time.Duration
		want         int
	}{
		"nobody reached it":    {1, 10, 12 * ms, 100},
		"less than half of it": {49, 10, 12 * ms, 100},
		"half of it":           {50, 10, 12 * ms, 102},
		"all of it":            {100, 10, 12 * ms, 102},
		"few calls":            {100, 9, 20 * ms, 100},
		"within a window":      {100, 1000, ms / 10, 100},
		"within the next":      {100, 1900, ms / 10, 102},
	} {
		a, m := limit.NewAdaptive(1000), new(limit.Method)
		for i := range c.calls {
			a.Done(m, c.found, time.Duration(i)*c.apart, ms)
		}
		if got := a.Limit(); got != c.want {
			t.Errorf("%s: the limit of 100 becomes %d, want %d", name, got, c.want)
		}
	}
}

// A method that nobody called alone yet is normal as it is, even on a busy server.
func TestAdaptiveMeetsAMethodUnderLoad(t *testing.T) {
	a, m := limit.NewAdaptive(100), new(limit.Method)
	before := a.Limit()
	for i := range 1000 {
		a.Done(m, before, time.Duration(i)*10*time.Millisecond, 20*time.Millisecond)
	}
	if a.Limit() < before {
		t.Errorf("the limit went from %d to %d while all calls took the same time", before, a.Limit())
	}
}

// A queue that grows makes every answer come too late. The limit keeps it short
// at any load, and lets all calls in while there is none.
func TestAdaptive(t *testing.T) {
	const capacity = 20 / .01 // calls per second
	for _, load := range []float64{.5, 1, 2, 4, 8} {
		t.Run(fmt.Sprintf("load %v", load), func(t *testing.T) {
			limited := &queue{workers: 20, service: 10 * time.Millisecond, deadline: 100 * time.Millisecond, limit: limit.NewAdaptive(1000)}
			// It learns what is normal at half load, like any service before its rush.
			limited.offer(0, 10*time.Second, capacity/2)
			good := limited.offer(10*time.Second, 20*time.Second, load*capacity)
			unlimited := &queue{workers: 20, service: 10 * time.Millisecond, deadline: 100 * time.Millisecond}
			bad := unlimited.offer(0, 20*time.Second, load*capacity)
			want := min(load, .95) * capacity * .98
			t.Logf("load %v: %.0f answers in time per second, %.0f without the limit; limit %d", load, good, bad, limited.limit.Limit())
			if good < want {
				t.Errorf("got %.0f answers in time per second, want %.0f", good, want)
			}
			if load > 1 && bad > capacity/10 {
				t.Errorf("the queue alone answers %.0f in time per second: this test shows nothing", bad)
			}
		})
	}
}

// A service that becomes slower for good, and not because calls wait, is not
// refused calls for good.
func TestAdaptiveLearnsANewNormal(t *testing.T) {
	q := &queue{workers: 1000, service: 5 * time.Millisecond, deadline: time.Second, limit: limit.NewAdaptive(500)}
	if good := q.offer(0, 10*time.Second, 1000); good < 999 {
		t.Fatalf("got %.0f of 1000 before", good)
	}
	q.service = 50 * time.Millisecond
	if good := q.offer(10*time.Second, 60*time.Second, 1000); good < 990 {
		t.Errorf("got %.0f of 1000 calls per second after a minute; limit %d", good, q.limit.Limit())
	}
}

// Two methods of which one is much slower: more calls of that one are no queue.
func TestAdaptiveTellsMethodsApart(t *testing.T) {
	a := limit.NewAdaptive(100)
	quick, slow := new(limit.Method), new(limit.Method)
	call := func(i int, m *limit.Method, took time.Duration) {
		if !a.Enter() {
			t.Fatal("refused")
		}
		a.Done(m, a.Inside(), time.Duration(i)*time.Millisecond, took)
		a.Leave()
	}
	call(0, slow, 100*time.Millisecond)
	for i := range 1000 {
		call(i, quick, time.Millisecond)
	}
	before := a.Limit()
	for i := range 1000 {
		call(1000+i, slow, 100*time.Millisecond)
	}
	if a.Limit() != before {
		t.Errorf("the limit went from %d to %d", before, a.Limit())
	}
}
