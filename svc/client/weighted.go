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
			b.reported(r, load.Report{})
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
		r = &replica{of: b}
		b.replicas.Set(a, r)
	}
	return r
}

// UpdateState puts the weights in front of the endpoints that are ready. Without
// a choice to make, round robin does as well.
func (b *weighted) UpdateState(s balancer.State) {
	if ready := b.ready(endpointsharding.ChildStatesFromPicker(s.Picker)); len(ready) > 1 {
		s.Picker = newWeightedPicker(ready, s.Picker)
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

// reported takes what is known of a replica now, which changes what it weighs beside the
// others.
func (b *weighted) reported(r *replica, report load.Report) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r.report = report
	all := b.replicas.Values()
	reports := make([]load.Report, len(all))
	for i, r := range all {
		reports[i] = r.report
	}
	for i, w := range load.Weights(reports) {
		all[i].weight.Store(math.Float64bits(w))
	}
}

// replica is one address. It is the builder of the producer that keeps its
// weight up to date while a connection to it is ready.
type replica struct {
	of     *weighted
	report load.Report   // the last one with calls; guarded by of.mu
	weight atomic.Uint64 // bits of a float64; 0: unknown
}

// Build is called by grpc-go with a connection to this address alone.
func (r *replica) Build(cc any) (balancer.Producer, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	go r.watch(ctx, cc.(grpc.ClientConnInterface))
	return nil, func() {
		cancel()
		r.of.reported(r, load.Report{})
	}
}

func (r *replica) watch(ctx context.Context, cc grpc.ClientConnInterface) {
	for {
		err := load.Watch(ctx, cc, r.of.interval, func(report load.Report) {
			if report.Calls > 0 { // else nothing new is known
				r.of.reported(r, report)
			}
		})
		if ctx.Err() != nil {
			return
		}
		r.of.reported(r, load.Report{})
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
	turn       atomic.Uint64
}

// newWeightedPicker begins anywhere, so that the clients that start together do not all
// begin with the same endpoint.
func newWeightedPicker(endpoints []weightedEndpoint, roundRobin balancer.Picker) *weightedPicker {
	p := &weightedPicker{endpoints: endpoints, roundRobin: roundRobin}
	p.turn.Store(rand.Uint64N(turns))
	return p
}

// Weights are compared as parts of the greatest one.
const (
	whole = 1<<16 - 1
	turns = 1 << 32 // that a picker may begin with: its product with a weight is no overflow
)

// Pick takes the endpoints in turn and passes over those that weigh less than the
// greatest, as often as they weigh less, and evenly: static stride scheduling, as gRFC
// A58 has it. So a few calls are spread as well as many.
func (p *weightedPicker) Pick(info balancer.PickInfo) (balancer.PickResult, error) {
	mean, greatest := p.weights()
	if greatest == 0 {
		return p.roundRobin.Pick(info)
	}
	n := uint64(len(p.endpoints))
	for {
		turn := p.turn.Add(1)
		i, round := turn%n, turn/n
		w := p.endpoints[i].weight()
		if w == 0 {
			w = mean
		}
		part := uint64(min(w/greatest, 1) * whole) // it may have grown in between
		if (part*round+i*whole/2)%whole >= whole-part {
			return p.endpoints[i].picker.Pick(info)
		}
	}
}

// weights are the mean and the greatest of those that are known.
func (p *weightedPicker) weights() (mean, greatest float64) {
	var sum, known float64
	for _, e := range p.endpoints {
		if w := e.weight(); w > 0 {
			sum += w
			known++
			greatest = max(greatest, w)
		}
	}
	return sum / max(known, 1), greatest
}
