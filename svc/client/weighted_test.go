package client

import (
	"math"
	"testing"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver"

	"github.com/protosvc/protosvc/svc/internal/load"
)

// subConns keeps the listener of the connection that is made.
type subConns struct {
	balancer.ClientConn
	listener func(balancer.SubConnState)
}

func (c *subConns) NewSubConn(_ []resolver.Address, o balancer.NewSubConnOptions) (balancer.SubConn, error) {
	c.listener = o.StateListener
	return nil, nil
}

// A report that arrives just when its connection is given up must not leave a
// weight behind for the next connection to the address.
func TestShutdownForgetsWeight(t *testing.T) {
	cc := new(subConns)
	b := &weighted{ClientConn: cc, replicas: resolver.NewAddressMapV2[*replica]()}
	address := resolver.Address{Addr: "a"}
	var heard []connectivity.State
	listener := func(s balancer.SubConnState) { heard = append(heard, s.ConnectivityState) }
	if _, err := b.NewSubConn([]resolver.Address{address}, balancer.NewSubConnOptions{StateListener: listener}); err != nil {
		t.Fatal(err)
	}
	b.reported(b.replica(address), load.Report{Utilization: 0.5, Calls: 10})
	cc.listener(balancer.SubConnState{ConnectivityState: connectivity.Shutdown})
	endpoint := weightedEndpoint{replicas: []*replica{b.replica(address)}}
	if w := endpoint.weight(); w != 0 {
		t.Errorf("after the connection is given up its address weighs %v, want 0: unknown", w)
	}
	if len(heard) != 1 || heard[0] != connectivity.Shutdown {
		t.Errorf("the child hears %v, want that the connection is shut down", heard)
	}
}

// counter counts the picks of an endpoint.
type counter struct{ picks int }

func (c *counter) Pick(balancer.PickInfo) (balancer.PickResult, error) {
	c.picks++
	return balancer.PickResult{}, nil
}

// newEndpoint is one whose replica weighs so much.
func newEndpoint(weight float64) (*counter, weightedEndpoint) {
	r, c := new(replica), new(counter)
	r.weight.Store(math.Float64bits(weight))
	return c, weightedEndpoint{picker: c, replicas: []*replica{r}}
}

// Calls are spread by weight, unknown ones as the mean, and in any short while as well
// as in a long one. Replicas that answer a call in ten seconds, say, weigh less than one
// each.
func TestPicks(t *testing.T) {
	tests := map[string]struct {
		weights []float64
		want    []int // of a hundred picks
	}{
		"small":        {[]float64{0.1, 0.3}, []int{25, 75}},
		"equal":        {[]float64{7, 7, 7, 7}, []int{25, 25, 25, 25}},
		"one unknown":  {[]float64{10, 30, 0}, []int{17, 50, 33}},
		"far apart":    {[]float64{1, 99}, []int{1, 99}},
		"next to none": {[]float64{1e-9, 1}, []int{0, 100}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			unused := new(counter)
			var endpoints []weightedEndpoint
			var counters []*counter
			for _, w := range test.weights {
				c, e := newEndpoint(w)
				counters, endpoints = append(counters, c), append(endpoints, e)
			}
			p := newWeightedPicker(endpoints, unused)
			for range 20 {
				for range 100 {
					if _, err := p.Pick(balancer.PickInfo{}); err != nil {
						t.Fatal(err)
					}
				}
				for i, c := range counters {
					if c.picks < test.want[i]-2 || c.picks > test.want[i]+2 {
						t.Errorf("of 100 picks endpoint %d has %d, want %d", i, c.picks, test.want[i])
					}
					c.picks = 0
				}
			}
			if unused.picks > 0 {
				t.Errorf("%d picks without weights", unused.picks)
			}
		})
	}
}

// As long as nothing is known round robin decides.
func TestPickWithoutWeights(t *testing.T) {
	c, e := newEndpoint(0)
	unknown := new(counter)
	p := newWeightedPicker([]weightedEndpoint{e, e}, unknown)
	if _, err := p.Pick(balancer.PickInfo{}); err != nil || unknown.picks != 1 || c.picks != 0 {
		t.Errorf("round robin has %d picks, an endpoint %d (%v)", unknown.picks, c.picks, err)
	}
}
