package client

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
)

// pool is one connection or several to every address of a target: as many
// grpc.ClientConns, each of which resolves, balances and checks health by itself.
type pool struct {
	conns []*grpc.ClientConn
	next  atomic.Uint32
}

func newPool(size int, dial func() (*grpc.ClientConn, error)) (*pool, error) {
	p := &pool{}
	for range max(size, 1) {
		cc, err := dial()
		if err != nil {
			_ = p.Close()
			return nil, err
		}
		cc.Connect()
		p.conns = append(p.conns, cc)
	}
	return p, nil
}

// pick returns each connection in turn, without those that have no address to
// call now, as long as there is another.
func (p *pool) pick() *grpc.ClientConn {
	if len(p.conns) == 1 {
		return p.conns[0]
	}
	n := uint32(len(p.conns))
	first := p.next.Add(1)
	for i := range n {
		if cc := p.conns[(first+i)%n]; cc.GetState() == connectivity.Ready {
			return cc
		}
	}
	return p.conns[first%n]
}

// check waits until a connection has an address that can be called.
func (p *pool) check(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan error, len(p.conns)) // room for those that nobody waits for
	for _, cc := range p.conns {
		go func() { results <- await(ctx, cc) }()
	}
	for range p.conns {
		if err = <-results; err == nil {
			return nil
		}
	}
	return err
}

// await waits until one connection is ready.
func await(ctx context.Context, cc *grpc.ClientConn) error {
	for {
		state := cc.GetState()
		switch state {
		case connectivity.Ready:
			return nil
		case connectivity.Idle:
			cc.Connect()
		case connectivity.Shutdown:
			return errNotReachable(cc, state)
		}
		if !cc.WaitForStateChange(ctx, state) {
			return fmt.Errorf("%w: %w", errNotReachable(cc, state), ctx.Err())
		}
	}
}

func errNotReachable(cc *grpc.ClientConn, state connectivity.State) error {
	return fmt.Errorf("at %s is not reachable (%s)", cc.Target(), state)
}

// Close ends the connections and the calls on them.
func (p *pool) Close() error {
	var faults []error
	for _, cc := range p.conns {
		faults = append(faults, cc.Close())
	}
	return errors.Join(faults...)
}
