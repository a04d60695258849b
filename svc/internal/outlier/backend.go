package outlier

import (
	"sync/atomic"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver"

	"github.com/protosvc/protosvc/svc/internal/breaker"
)

// clientConn is what the child sees of the connection.
type clientConn struct {
	balancer.ClientConn
	outlier *outlier
}

func (c *clientConn) NewSubConn(addresses []resolver.Address, o balancer.NewSubConnOptions) (balancer.SubConn, error) {
	b := newBackend(c.outlier, addresses)
	listener := o.StateListener
	o.StateListener = func(s balancer.SubConnState) { b.connection(s, listener) }
	//lint:ignore SA1019 what is deprecated is more than one address
	sc, err := c.ClientConn.NewSubConn(addresses, o)
	if err != nil {
		return nil, err
	}
	b.SubConn = sc
	return b, nil
}

func (c *clientConn) UpdateState(s balancer.State) {
	s.Picker = &picker{s.Picker, c.outlier.policy}
	c.ClientConn.UpdateState(s)
}

// backend is a connection to one address.
type backend struct {
	balancer.SubConn
	outlier *outlier
	address string
	breaker *breaker.Breaker // nil: it is never ejected
	ejected atomic.Bool      // written with the outlier's lock

	// The outlier's lock guards the rest.

	health       func(balancer.SubConnState) // the child's listener; nil while not connected
	healthy      balancer.SubConnState       // what it would hear if the backend were neither ejected nor spared
	serving      bool                        // what it has heard
	unejectTimer *time.Timer                 // the end of the ejection
	spared       *time.Timer                 // asks for addresses; nil: the backend is not spared
}

func newBackend(o *outlier, addresses []resolver.Address) *backend {
	b := &backend{outlier: o}
	if len(addresses) > 0 {
		b.address = addresses[0].Addr
	}
	if o.policy.Breaker != nil {
		b.breaker = o.policy.Breaker.New(nil)
	}
	return b
}

// judge has the backend ejected if its breaker is open.
func (b *backend) judge() {
	if b.breaker.State() == breaker.Open && !b.ejected.Load() {
		b.outlier.eject(b)
	}
}

// connection passes on a change of the connection. A new connection starts
// without an ejection: it may well lead to a new process.
func (b *backend) connection(s balancer.SubConnState, listener func(balancer.SubConnState)) {
	b.outlier.mu.Lock()
	defer b.outlier.mu.Unlock()
	b.health, b.serving = nil, false
	b.uneject()
	b.unspare()
	switch s.ConnectivityState {
	case connectivity.Ready:
		b.outlier.ready[b] = true
		b.outlier.policy.reached(nil)
	case connectivity.TransientFailure:
		b.outlier.policy.reached(s.ConnectionError)
		fallthrough
	default:
		delete(b.outlier.ready, b)
	}
	listener(s)
}

// RegisterHealthListener is called by the child when the backend is connected,
// from within connection.
func (b *backend) RegisterHealthListener(listener func(balancer.SubConnState)) {
	b.health, b.healthy = listener, balancer.SubConnState{ConnectivityState: connectivity.Connecting}
	if listener == nil {
		b.SubConn.RegisterHealthListener(nil)
		return
	}
	b.SubConn.RegisterHealthListener(func(s balancer.SubConnState) {
		b.outlier.mu.Lock()
		defer b.outlier.mu.Unlock()
		b.healthy = s
		if s.ConnectivityState == connectivity.TransientFailure {
			b.outlier.policy.reached(s.ConnectionError)
			b.outlier.cc.ResolveNow(resolver.ResolveNowOptions{})
		}
		switch {
		case b.health == nil || b.ejected.Load():
		case s.ConnectivityState == connectivity.TransientFailure && b.outlier.last(b):
			b.spare()
		default:
			b.unspare()
			b.tell(s)
		}
	})
}

// tell tells the child of the backend's health. It needs the lock of the outlier.
func (b *backend) tell(s balancer.SubConnState) {
	b.serving = s.ConnectivityState == connectivity.Ready
	b.health(s)
	if b.serving {
		b.outlier.unspare()
	}
}

// uneject ends an ejection and reports whether there was one. It needs the lock
// of the outlier.
func (b *backend) uneject() bool {
	if !b.ejected.Load() {
		return false
	}
	b.unejectTimer.Stop()
	b.ejected.Store(false)
	b.outlier.policy.tell(b.address, false)
	return true
}
