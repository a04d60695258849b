// Package outlier is a balancer of grpc-go that leaves out backends which fail.
//
// It stands in front of another balancer, which spreads the calls. Each backend
// has a circuit breaker of its own that counts every attempt. One that opens has
// its backend ejected: the balancer behind takes it for unhealthy and spreads the
// calls over the others. After a pause the backend is back on probation, with one
// call at a time, until a call succeeds. At most half of the backends are ejected,
// for if more of them fail it is not a matter of single ones.
//
// grpc-go has outlier detection too, but only together with xDS, which would add
// half its size to a service.
//
// Whatever is the reason for a backend to have no more calls, the balancer also
// has the resolver look for new addresses at once: where one replica stops, others
// start. grpc-go itself does so for connections that end. And if it is the last one
// that serves, it is spared for a few seconds, since a server that stops says so
// before it refuses calls.
package outlier

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/serviceconfig"

	"github.com/protosvc/protosvc/svc/internal/breaker"
)

// Name is the name of the balancer in a service config. Its config names the
// balancer behind it:
//
//	{"loadBalancingConfig": [{"svc_outlier": {"childPolicy": [{"round_robin": {}}]}}]}
const Name = "svc_outlier"

func init() { balancer.Register(builder{}) }

// Policy says what is an outlier. A connection gets it by [Policy.Resolver].
type Policy struct {
	// Breaker are the options of the breakers. Nil: no backend is ever ejected.
	Breaker *breaker.Shared

	// Outcome says what the end of an attempt means: of which method, after what
	// time, with what error, nil or one with a status. Required with Breaker.
	Outcome func(method string, took time.Duration, err error) breaker.Outcome

	// OnEject is called when a backend is ejected, and when it comes back. May
	// be nil.
	OnEject func(address string, ejected bool)

	// OnError is called each time that no address is found or a backend cannot be
	// called, with the reason, and with nil when that went well. May be nil.
	OnError func(error)
}

// builder makes the balancer.
type builder struct{}

func (builder) Name() string { return Name }

func (builder) Build(cc balancer.ClientConn, o balancer.BuildOptions) balancer.Balancer {
	return &outlier{cc: cc, options: o, ready: map[*backend]bool{}}
}

// config is the parsed config.
type config struct {
	serviceconfig.LoadBalancingConfig
	child       balancer.Builder
	childConfig serviceconfig.LoadBalancingConfig
}

func (builder) ParseConfig(text json.RawMessage) (serviceconfig.LoadBalancingConfig, error) {
	var parsed struct {
		Child []map[string]json.RawMessage `json:"childPolicy"`
	}
	if err := json.Unmarshal(text, &parsed); err != nil {
		return nil, err
	}
	for _, policy := range parsed.Child {
		for name, text := range policy {
			if child := balancer.Get(name); child != nil {
				return withConfig(child, text)
			}
		}
	}
	return nil, fmt.Errorf("balancer %s has no child policy that is known", Name)
}

func withConfig(child balancer.Builder, text json.RawMessage) (*config, error) {
	c := &config{child: child}
	parser, ok := child.(balancer.ConfigParser)
	if !ok {
		return c, nil
	}
	var err error
	c.childConfig, err = parser.ParseConfig(text)
	return c, err
}

// outlier is the balancer of one connection.
type outlier struct {
	cc      balancer.ClientConn
	options balancer.BuildOptions

	// mu is held while the child is told something, for it must not be told two
	// things at once. The child may call back meanwhile: what it calls must not
	// lock.
	mu     sync.Mutex
	child  balancer.Balancer
	policy *Policy
	closed bool
	ready  map[*backend]bool // that are connected, the ejected ones included
}

func (o *outlier) UpdateClientConnState(s balancer.ClientConnState) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	c, ok := s.BalancerConfig.(*config)
	if !ok {
		return fmt.Errorf("balancer %s has no config", Name)
	}
	if o.child == nil {
		o.policy = policyOf(s.ResolverState)
		o.child = c.child.Build(&clientConn{o.cc, o}, o.options)
	}
	s.BalancerConfig = c.childConfig
	return o.child.UpdateClientConnState(s)
}

func (o *outlier) ResolverError(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.child == nil {
		o.cc.UpdateState(balancer.State{ConnectivityState: connectivity.TransientFailure, Picker: failed{err}})
		return
	}
	o.child.ResolverError(err)
}

// UpdateSubConnState is not called: every backend has a listener.
func (o *outlier) UpdateSubConnState(balancer.SubConn, balancer.SubConnState) {}

func (o *outlier) ExitIdle() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.child != nil {
		o.child.ExitIdle()
	}
}

func (o *outlier) Close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	for b := range o.ready {
		b.uneject()
		b.unspare()
	}
	if o.child != nil {
		o.child.Close()
	}
}

// eject leaves a backend out, unless half of them are.
func (o *outlier) eject(b *backend) {
	o.mu.Lock()
	defer o.mu.Unlock()
	ejected := 0
	for other := range o.ready {
		if other.ejected.Load() {
			ejected++
		}
	}
	if o.closed || !o.ready[b] || b.ejected.Load() || b.health == nil || 2*(ejected+1) > len(o.ready) {
		return
	}
	b.unspare()
	b.ejected.Store(true)
	o.cc.ResolveNow(resolver.ResolveNowOptions{})
	b.unejectTimer = time.AfterFunc(o.policy.Breaker.Options().Open, func() { o.probation(b) })
	err := fmt.Errorf("%s is ejected: too many of its calls failed", b.address)
	o.policy.reached(err)
	b.tell(balancer.SubConnState{ConnectivityState: connectivity.TransientFailure, ConnectionError: err})
	o.policy.tell(b.address, true)
}

// probation takes a backend back in.
func (o *outlier) probation(b *backend) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if b.uneject() && b.health != nil {
		b.tell(b.healthy)
	}
}

func (p *Policy) tell(address string, ejected bool) {
	if p.OnEject != nil {
		p.OnEject(address, ejected)
	}
}

func (p *Policy) reached(err error) {
	if p.OnError != nil {
		p.OnError(err)
	}
}

// failed fails every pick.
type failed struct{ err error }

func (p failed) Pick(balancer.PickInfo) (balancer.PickResult, error) {
	return balancer.PickResult{}, p.err
}

// Resolver returns a resolver that does what the given one does, and tells the
// policy to the balancer of its connection. A connection without it has no policy
// and ejects nothing.
func (p *Policy) Resolver(inner resolver.Builder) resolver.Builder {
	b := resolverBuilder{inner, p}
	if overrider, ok := inner.(resolver.AuthorityOverrider); ok {
		return struct {
			resolverBuilder
			resolver.AuthorityOverrider
		}{b, overrider}
	}
	return b
}
