package client

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/balancer/endpointsharding"
	"google.golang.org/grpc/balancer/pickfirst"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/internal/load"
	"github.com/protosvc/protosvc/svc/internal/sleep"
)

// weightedName is what the balancer is registered as.
const weightedName = "svc_weighted"

// Reports are asked for at reportInterval. A stream of them that broke although
// the connection stands is opened again after reportPause.
const (
	reportInterval = 5 * time.Second
	reportPause    = 5 * time.Second
)

func init() { balancer.Register(weightedBuilder{reportInterval}) }

// weightedBuilder makes balancers that give each address calls in proportion to
// what its load reports say that it can do. Those that do not report, or not
// yet, get as much as the mean of the others.
type weightedBuilder struct{ interval time.Duration }

func (weightedBuilder) Name() string { return weightedName }

func (w weightedBuilder) Build(cc balancer.ClientConn, o balancer.BuildOptions) balancer.Balancer {
	b := &weighted{ClientConn: cc, interval: w.interval, replicas: resolver.NewAddressMapV2[*replica]()}
	return &weightedBalancer{endpointsharding.NewBalancer(b, o, balancer.Get(pickfirst.Name).Build, endpointsharding.Options{})}
}

// weightedBalancer is what grpc-go talks to: one pick_first for each endpoint.
type weightedBalancer struct{ balancer.Balancer }

func (b *weightedBalancer) UpdateClientConnState(s balancer.ClientConnState) error {
	return b.Balancer.UpdateClientConnState(balancer.ClientConnState{
		ResolverState: pickfirst.EnableHealthListener(s.ResolverState),
	})
}

// weighted is what those talk to, several at a time.
type weighted struct {
	balancer.ClientConn
	interval time.Duration

	mu       sync.Mutex
	replicas *resolver.AddressMapV2[*replica]
}

// NewSubConn notes the connection's replica and watches it while it is ready.
func (b *weighted) NewSubConn(addresses []resolver.Address, o balancer.NewSubConnOptions) (balancer.SubConn, error) {
	r := b.replica(addresses[0])
	var sc balancer.SubConn
	listener := o.StateListener
	o.StateListener = func(s balancer.SubConnState) {
		switch s.ConnectivityState {
		case connectivity.Ready:
			sc.GetOrBuildProducer(r) // grpc-go closes it when the state changes
		case connectivity.Shutdown:
			r.setWeight(0)
		}
		listener(s)
	}
	var err error
	//lint:ignore SA1019 only its use with several addresses is deprecated
	sc, err = b.ClientConn.NewSubConn(addresses, o)
	return sc, err
}

func (b *weighted) replica(a resolver.Address) *replica {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, ok := b.replicas.Get(a)
	if !ok {
		r = &replica{interval: b.interval}
		b.replicas.Set(a, r)
	}
	return r
}

// UpdateState puts the weights in front of the endpoints that are ready. Without
// a choice to make, round robin does as well.
func (b *weighted) UpdateState(s balancer.State) {
	if ready := b.ready(endpointsharding.ChildStatesFromPicker(s.Picker)); len(ready) > 1 {
		s.Picker = &weightedPicker{ready, s.Picker}
	}
	b.ClientConn.UpdateState(s)
}

// ready are the endpoints that calls can be sent to. Replicas that no endpoint
// has any more are forgotten.
func (b *weighted) ready(children []endpointsharding.ChildState) (ready []weightedEndpoint) {
	b.mu.Lock()
	defer b.mu.Unlock()
	known := resolver.NewAddressMapV2[*replica]()
	for _, child := range children {
		endpoint := weightedEndpoint{picker: child.State.Picker}
		for _, a := range child.Endpoint.Addresses {
			if r, ok := b.replicas.Get(a); ok {
				known.Set(a, r)
				endpoint.replicas = append(endpoint.replicas, r)
			}
		}
		if child.State.ConnectivityState == connectivity.Ready {
			ready = append(ready, endpoint)
		}
	}
	b.replicas = known
	return ready
}

// replica is one address. It is the builder of the producer that keeps its
// weight up to date while a connection to it is ready.
type replica struct {
	interval time.Duration
	weight   atomic.Uint64 // bits of a float64; 0: unknown
}

func (r *replica) setWeight(w float64) { r.weight.Store(math.Float64bits(w)) }

// Build is called by grpc-go with a connection to this address alone.
func (r *replica) Build(cc any) (balancer.Producer, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	go r.watch(ctx, cc.(grpc.ClientConnInterface))
	return nil, func() {
		cancel()
		r.setWeight(0)
	}
}

func (r *replica) watch(ctx context.Context, cc grpc.ClientConnInterface) {
	for {
		err := load.Watch(ctx, cc, r.interval, func(report load.Report) {
			if w := report.Weight(); w > 0 { // else nothing new is known
				r.setWeight(w)
			}
		})
		if ctx.Err() != nil {
			return
		}
		r.setWeight(0)
		if status.Code(err) == codes.Unimplemented || !sleep.For(ctx, reportPause) {
			return
		}
	}
}

// weightedEndpoint is an endpoint with the replicas behind its addresses, of
// which one is connected.
type weightedEndpoint struct {
	picker   balancer.Picker
	replicas []*replica
}

func (e weightedEndpoint) weight() (w float64) {
	for _, r := range e.replicas {
		w = max(w, math.Float64frombits(r.weight.Load()))
	}
	return w
}

type weightedPicker struct {
	endpoints  []weightedEndpoint
	roundRobin balancer.Picker
}

// Pick draws an endpoint, each with a chance in proportion to its weight.
func (p *weightedPicker) Pick(info balancer.PickInfo) (balancer.PickResult, error) {
	var sum, known float64
	for _, e := range p.endpoints {
		if w := e.weight(); w > 0 {
			sum += w
			known++
		}
	}
	if known == 0 {
		return p.roundRobin.Pick(info)
	}
	mean := sum / known
	at := rand.Float64() * mean * float64(len(p.endpoints))
	for _, e := range p.endpoints {
		w := e.weight()
		if w == 0 {
			w = mean
		}
		if at -= w; at < 0 {
			return e.picker.Pick(info)
		}
	}
	return p.roundRobin.Pick(info) // a weight changed in between
}
