package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// ready reports whether a connection has an address to call now.
func (p *pool) ready() bool {
	return slices.ContainsFunc(p.conns, func(cc *grpc.ClientConn) bool { return cc.GetState() == connectivity.Ready })
}

// check reports whether a connection has an address that can be called, and waits
// while none has and one is still looking.
func (p *pool) check(ctx context.Context, r *reach) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan error, len(p.conns)) // room for those that nobody waits for
	for _, cc := range p.conns {
		go func() { results <- await(ctx, cc, r) }()
	}
	for range p.conns {
		if err = <-results; err == nil {
			return nil
		}
	}
	return err
}

// await waits until one connection is ready, or knows that it is not.
func await(ctx context.Context, cc *grpc.ClientConn, r *reach) error {
	for {
		state := cc.GetState()
		switch state {
		case connectivity.Ready:
			return nil
		case connectivity.Idle:
			cc.Connect()
		case connectivity.TransientFailure, connectivity.Shutdown:
			return r.unready(state)
		}
		if !cc.WaitForStateChange(ctx, state) {
			return fmt.Errorf("%w: %w", r.unready(state), ctx.Err())
		}
	}
}

// Close ends the connections and the calls on them.
func (p *pool) Close() error {
	var faults []error
	for _, cc := range p.conns {
		faults = append(faults, cc.Close())
	}
	return errors.Join(faults...)
}
