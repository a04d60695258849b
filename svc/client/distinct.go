package client

import (
	"encoding/json"
	"slices"
	"sync"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/balancer/leastrequest"
	"google.golang.org/grpc/balancer/roundrobin"
	"google.golang.org/grpc/serviceconfig"
)

// distinctPrefix makes the name of a balancer whose hedged calls go to another
// address for each request. A connection without hedges does without it.
const distinctPrefix = "svc_distinct_"

func init() {
	for _, base := range []balancer.Builder{
		balancer.Get(roundrobin.Name), balancer.Get(leastrequest.Name), weightedBuilder{reportInterval},
	} {
		balancer.Register(distinctBuilder{base})
	}
}

// distinctBuilder makes the balancers of another builder, with pickers that know
// what was picked before.
type distinctBuilder struct{ balancer.Builder }

func (d distinctBuilder) Name() string { return distinctPrefix + d.Builder.Name() }

func (d distinctBuilder) ParseConfig(text json.RawMessage) (serviceconfig.LoadBalancingConfig, error) {
	if parser, ok := d.Builder.(balancer.ConfigParser); ok {
		return parser.ParseConfig(text)
	}
	return nil, nil
}

func (d distinctBuilder) Build(cc balancer.ClientConn, o balancer.BuildOptions) balancer.Balancer {
	return d.Builder.Build(&distinctConn{cc}, o)
}

type distinctConn struct{ balancer.ClientConn }

func (c *distinctConn) UpdateState(s balancer.State) {
	s.Picker = distinctPicker{s.Picker}
	c.ClientConn.UpdateState(s)
}

// distinctPicks is how often a picker is asked for another address. It need not
// have one: the others may be down. Least request draws at random, and finds the
// last one of three within so many picks but for two calls in a million.
const distinctPicks = 32

type distinctPicker struct{ balancer.Picker }

func (p distinctPicker) Pick(info balancer.PickInfo) (balancer.PickResult, error) {
	seen, _ := info.Ctx.Value(triedKey{}).(*triedBackends)
	if seen == nil {
		return p.Picker.Pick(info)
	}
	for i := 1; ; i++ {
		picked, err := p.Picker.Pick(info)
		if err != nil || seen.add(picked.SubConn) || i == distinctPicks {
			return picked, err
		}
		if picked.Done != nil {
			picked.Done(balancer.DoneInfo{})
		}
	}
}

// triedBackends are the connections that one call has been sent on. Its address is a
// value of the call's context.
type triedBackends struct {
	mu    sync.Mutex
	conns [maxAttempts]balancer.SubConn
	count int
}

type triedKey struct{}

// add reports whether the connection is a new one.
func (v *triedBackends) add(sc balancer.SubConn) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if slices.Contains(v.conns[:v.count], sc) {
		return false
	}
	if v.count < len(v.conns) { // else grpc-go sent one of them again by itself
		v.conns[v.count] = sc
		v.count++
	}
	return true
}
