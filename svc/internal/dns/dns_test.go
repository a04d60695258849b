package dns

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/serviceconfig"

	"github.com/protosvc/protosvc/svc/internal/bubble"
)

var errNotFound = errors.New("no such host")

// server answers questions, and knows when they came.
type server struct {
	mu        sync.Mutex
	addresses []string
	err       error
	asked     []time.Time
}

func (s *server) lookup(_ context.Context, host string) ([]string, error) {
	if host != "shop" {
		return nil, fmt.Errorf("asked for %q", host)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, time.Now())
	return s.addresses, s.err
}

func (s *server) answer(err error, addresses ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addresses, s.err = addresses, err
}

// questions returns how many there were since the last call.
func (s *server) questions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.asked)
	s.asked = nil
	return n
}

// conn is a connection that notes what it is told.
type conn struct {
	mu      sync.Mutex
	told    []string // addresses, or the error
	updates int
	refuse  error
}

func (c *conn) UpdateState(s resolver.State) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = nil
	for i, a := range s.Addresses {
		c.told = append(c.told, a.Addr)
		if e := s.Endpoints[i].Addresses; len(e) != 1 || e[0] != a {
			c.told = append(c.told, fmt.Sprint("another endpoint: ", e))
		}
	}
	c.updates++
	return c.refuse
}

func (c *conn) ReportError(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = []string{err.Error()}
}

func (*conn) NewAddress([]resolver.Address)                        { panic("deprecated") }
func (*conn) ParseServiceConfig(string) *serviceconfig.ParseResult { panic("unused") }

func (c *conn) expect(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Equal(c.told, want) {
		t.Errorf("the connection knows %q, want %q", c.told, want)
	}
}

func build(t *testing.T, b *Builder, target string, cc resolver.ClientConn) resolver.Resolver {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	r, err := b.Build(resolver.Target{URL: *u}, cc, resolver.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestNewReplica: it is found although nobody asks for it.
func TestNewReplica(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		s, c := new(server), new(conn)
		s.answer(nil, "10.0.0.1", "fd00::1")
		r := build(t, &Builder{Lookup: s.lookup}, "dns:///shop:9090", c)
		defer r.Close()
		c.expect(t, "10.0.0.1:9090", "[fd00::1]:9090")

		s.answer(nil, "fd00::1", "10.0.0.1") // the same in another order
		time.Sleep(interval)
		c.expect(t, "10.0.0.1:9090", "[fd00::1]:9090")
		if c.updates != 1 {
			t.Errorf("%d updates although nothing changed, want 1", c.updates)
		}

		s.answer(nil, "10.0.0.2", "fd00::1")
		time.Sleep(interval)
		c.expect(t, "10.0.0.2:9090", "[fd00::1]:9090")
	})
}

// TestQuestions counts them over a minute.
func TestQuestions(t *testing.T) {
	tests := map[string]struct {
		err         error
		asking      time.Duration // between calls of ResolveNow; 0: none
		least, most int
	}{
		"nothing happens":                 {nil, 0, 15, 19},
		"replicas stop serving":           {nil, 10 * time.Millisecond, 60, 76},
		"not found":                       {errNotFound, 0, 60, 76},
		"not found, and asked for always": {errNotFound, 10 * time.Millisecond, 60, 76},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				s := new(server)
				s.answer(test.err, "10.0.0.1")
				r := build(t, &Builder{Lookup: s.lookup}, "dns:///shop", new(conn))
				defer r.Close()
				for end := time.Now().Add(time.Minute); time.Now().Before(end); {
					if test.asking == 0 {
						time.Sleep(time.Minute)
						break
					}
					r.ResolveNow(resolver.ResolveNowOptions{})
					time.Sleep(test.asking)
				}
				var gaps []time.Duration
				s.mu.Lock()
				for i := range len(s.asked) - 1 {
					gaps = append(gaps, s.asked[i+1].Sub(s.asked[i]))
				}
				s.mu.Unlock()
				slices.Sort(gaps)
				if gaps[0] == gaps[len(gaps)-1] {
					t.Errorf("all questions came %v after the one before: there is no jitter", gaps[0])
				}
				if n := s.questions(); n < test.least || n > test.most {
					t.Errorf("%d questions in a minute, want %d to %d", n, test.least, test.most)
				}
			})
		})
	}
}

// TestSoon: a question that is wanted comes within a second, whatever the time
// since the last one, and not always after the same time.
func TestSoon(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		s := new(server)
		s.answer(nil, "10.0.0.1")
		r := build(t, &Builder{Lookup: s.lookup}, "dns:///shop", new(conn))
		defer r.Close()
		waits := map[time.Duration]bool{}
		for _, since := range []time.Duration{0, pause / 2, 2 * pause, 2 * pause, 2 * pause} {
			r.ResolveNow(resolver.ResolveNowOptions{})
			time.Sleep(pause) // a question was just asked
			time.Sleep(since)
			s.questions()
			r.ResolveNow(resolver.ResolveNowOptions{})
			began := time.Now()
			time.Sleep(pause)
			synctest.Wait()
			s.mu.Lock()
			if len(s.asked) == 0 {
				t.Errorf("%v after a question, another one was not asked within %v", since, pause)
			} else {
				waits[s.asked[0].Sub(began)] = true
			}
			s.mu.Unlock()
		}
		if len(waits) < 4 {
			t.Errorf("questions came after %v: there is no jitter", waits)
		}
	})
}

// TestLastAnswerStays while the name server fails in any way.
func TestLastAnswerStays(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		s, c := new(server), new(conn)
		var changes []string
		s.answer(nil, "10.0.0.1")
		b := &Builder{Lookup: s.lookup, OnStale: func(err error) { changes = append(changes, fmt.Sprint(err)) }}
		r := build(t, b, "dns:///shop:1", c)
		defer r.Close()
		time.Sleep(interval)
		for _, err := range []error{errNotFound, errors.New("server misbehaving"), nil /* no address */} {
			s.answer(err)
			time.Sleep(2 * interval)
			c.expect(t, "10.0.0.1:1")
		}
		late := new(conn) // for example after it was idle
		second := build(t, b, "dns:///shop:1", late)
		defer second.Close()
		late.expect(t, "10.0.0.1:1")

		s.answer(nil, "10.0.0.2")
		time.Sleep(interval)
		c.expect(t, "10.0.0.2:1")
		late.expect(t, "10.0.0.2:1")
		if want := []string{"no such host", "<nil>"}; !slices.Equal(changes, want) {
			t.Errorf("changes %q, want %q", changes, want)
		}
	})
}

// TestFoundLate: a name that does not exist yet is asked for again soon.
func TestFoundLate(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		s, c := new(server), new(conn)
		s.answer(errNotFound)
		r := build(t, &Builder{Lookup: s.lookup, OnStale: func(err error) { t.Errorf("stale: %v", err) }}, "dns:///shop:1", c)
		defer r.Close()
		time.Sleep(time.Hour)
		c.expect(t, "no such host")
		s.answer(nil)
		time.Sleep(pause)
		c.expect(t, "no address")
		s.answer(nil, "10.0.0.1")
		time.Sleep(pause)
		c.expect(t, "10.0.0.1:1")
	})
}

// TestRefusedAddresses are offered again.
func TestRefusedAddresses(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		s, c := new(server), &conn{refuse: errors.New("bad resolver state")}
		s.answer(nil, "10.0.0.1")
		r := build(t, &Builder{Lookup: s.lookup}, "dns:///shop:1", c)
		defer r.Close()
		time.Sleep(10 * interval)
		synctest.Wait()
		if c.updates < 10 {
			t.Errorf("%d updates, want one after each question", c.updates)
		}
	})
}

// TestShared: connections of a pool share their questions, and the last one ends
// them.
func TestShared(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		s := new(server)
		s.answer(nil, "10.0.0.1")
		b := &Builder{Lookup: s.lookup}
		var resolvers []resolver.Resolver
		for range 4 {
			c := new(conn)
			resolvers = append(resolvers, build(t, b, "dns:///shop:1", c))
			c.expect(t, "10.0.0.1:1")
		}
		other := build(t, b, "dns:///shop:2", new(conn))
		other.Close()
		synctest.Wait()
		s.questions()
		time.Sleep(time.Minute)
		if n := s.questions(); n > 19 {
			t.Errorf("%d questions of four connections in a minute, want those of one", n)
		}
		for _, r := range resolvers[1:] {
			r.Close()
		}
		time.Sleep(time.Minute)
		if n := s.questions(); n < 15 {
			t.Errorf("%d questions in a minute, want them to go on for one connection", n)
		}
		resolvers[0].Close()
		time.Sleep(time.Hour)
		if n := s.questions(); n != 0 || len(b.watches) != 0 {
			t.Errorf("%d questions after the last connection, want none", n)
		}

		c := new(conn) // asks anew
		s.answer(nil, "10.0.0.2")
		again := build(t, b, "dns:///shop:1", c)
		defer again.Close()
		c.expect(t, "10.0.0.2:1")
	})
}

// TestCloseEndsLookup that would take long.
func TestCloseEndsLookup(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		began := time.Now()
		r := build(t, &Builder{Lookup: func(ctx context.Context, _ string) ([]string, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}, "dns:///shop", new(conn))
		time.Sleep(time.Second)
		r.Close()
		if took := time.Since(began); took != time.Second {
			t.Errorf("Close took %v", took-time.Second)
		}
	})
}

func TestTargets(t *testing.T) {
	for endpoint, want := range map[string]string{
		"10.0.0.1:9090": "10.0.0.1 9090",
		"10.0.0.1":      "10.0.0.1 443",
		"[::1]:9090":    "::1 9090",
		"[::1]":         "::1 443",
		"::1":           "::1 443",
		"shop:9090":     "shop 9090",
		"shop":          "shop 443",
		":9090":         "localhost 9090",
		"":              "the target has no host",
		"shop:":         "the target ends in a colon: shop:",
		"a:b:c":         "address a:b:c: too many colons in address",
	} {
		host, port, err := split(endpoint)
		if got := host + " " + port; err == nil && got != want || err != nil && err.Error() != want {
			t.Errorf("%q is %q, %v, want %q", endpoint, got, err, want)
		}
	}
	for server, want := range map[string]string{"192.0.2.1": "192.0.2.1:53", "192.0.2.1:5353": "192.0.2.1:5353", "[::1]": "[::1]:53"} {
		if got, err := nameServer(url.URL{Host: server}); err != nil || got != want {
			t.Errorf("name server %s is %s, %v, want %s", server, got, err, want)
		}
	}
	if _, err := (&Builder{}).Build(resolver.Target{URL: url.URL{Host: ":53", Path: "/shop"}}, new(conn), resolver.BuildOptions{}); err == nil || err.Error() != `name server ":53" has no host` {
		t.Errorf("a name server without a host: %v", err)
	}
}

// TestAddress: what is an address already is never asked for.
func TestAddress(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := new(conn)
		r := build(t, &Builder{Lookup: func(context.Context, string) ([]string, error) { panic("asked") }}, "dns:///[::1]:1", c)
		c.expect(t, "[::1]:1")
		r.ResolveNow(resolver.ResolveNowOptions{})
		r.Close()
	})
}

func TestCheck(t *testing.T) {
	const noHost, noPort = "its host is neither a name nor an IP address", "its port is not a number from 0 to 65535"
	for target, want := range map[string]string{
		"dns:///shop:9090":             "",
		"dns:///shop":                  "",
		"dns://127.0.0.1:53/shop:9090": "",
		"dns:///127.0.0.1:0":           "",
		"dns:///[::1]:65535":           "",
		"dns:///shop:http":             "",
		"dns:///shop:":                 "it is not HOST:PORT",
		"dns:///a:b:c":                 "it is not HOST:PORT",
		"dns:///my%20shop:9090":        noHost,
		"dns:///shop:65536":            noPort,
		"dns:///shop:-1":               noPort,
		"dns:///shop:10a":              noPort,
		"dns:///shop:0x1F":             noPort,
		"dns:///shop:HTTP":             noPort,
	} {
		u, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := Check(*u); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", target, got, want)
		}
	}
}
