package outlier

import (
	"time"

	"google.golang.org/grpc/resolver"
)

// The last backend that serves has calls for spareFor after it said that it no
// longer does. Meanwhile the resolver is asked at each spareAsk: it may take its
// name server some seconds to hear of new replicas. A server that stops takes calls
// for its drain delay, 5 seconds by default.
const (
	spareFor = 5 * time.Second
	spareAsk = time.Second
)

// last reports whether no backend but this one serves, and this one did.
func (o *outlier) last(b *backend) bool {
	for other := range o.ready {
		if other != b && other.serving {
			return false
		}
	}
	return b.serving
}

// spare keeps from the child that the backend is not healthy. It needs the lock.
func (b *backend) spare() {
	if b.spared == nil {
		b.wait(time.Now().Add(spareFor))
	}
}

// wait asks for addresses until the time is over, and then tells the child.
func (b *backend) wait(until time.Time) {
	var timer *time.Timer
	timer = time.AfterFunc(spareAsk, func() {
		b.outlier.mu.Lock()
		defer b.outlier.mu.Unlock()
		switch {
		case b.spared != timer: // it was too late to stop the timer
		case time.Now().Before(until):
			b.outlier.cc.ResolveNow(resolver.ResolveNowOptions{})
			b.wait(until)
		default:
			b.spared = nil
			b.tell(b.healthy)
		}
	})
	b.spared = timer
}

// unspare forgets that the backend is spared, and reports whether it was.
func (b *backend) unspare() bool {
	if b.spared == nil {
		return false
	}
	b.spared.Stop()
	b.spared = nil
	return true
}

// unspare tells the child of everything that was kept from it: another backend
// serves.
func (o *outlier) unspare() {
	for b := range o.ready {
		if b.unspare() {
			b.tell(b.healthy)
		}
	}
}
