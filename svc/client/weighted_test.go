package client

import (
	"testing"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver"
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
	b.replica(address).setWeight(5)
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

// Replicas that answer a call in ten seconds, say, weigh less than one each.
func TestSmallWeights(t *testing.T) {
	endpoint := func(weight float64) (*counter, weightedEndpoint) {
		r, c := new(replica), new(counter)
		r.setWeight(weight)
		return c, weightedEndpoint{picker: c, replicas: []*replica{r}}
	}
	light, a := endpoint(0.1)
	heavy, b := endpoint(0.3)
	unused := new(counter)
	p := &weightedPicker{[]weightedEndpoint{a, b}, unused}
	const picks = 4000
	for range picks {
		if _, err := p.Pick(balancer.PickInfo{}); err != nil {
			t.Fatal(err)
		}
	}
	if heavy.picks < picks*2/3 || light.picks < picks/6 || unused.picks > 0 {
		t.Errorf("weights 0.1 and 0.3: %d and %d picks, %d without weights; want 1000 and 3000", light.picks, heavy.picks, unused.picks)
	}
}
