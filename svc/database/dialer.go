package database

import (
	"context"
	"net"
	"time"
)

// deadAfter is how long a connection may be silent, or leave sent data
// unacknowledged, until it counts as lost. lib/pq waits for an answer without a
// deadline of its own, so that without this a query over a cut line would
// outlive its context by the kernel's default, a quarter of an hour.
const deadAfter = 20 * time.Second

// dialer is lib/pq's way to the network with deadAfter applied.
type dialer struct{ net.Dialer }

func newDialer() *dialer {
	return &dialer{net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: deadAfter / 2, Interval: deadAfter / 4, Count: 2},
		Control:         limitUnacknowledged,
	}}
}

// DialTimeout completes pq.Dialer; lib/pq prefers DialContext.
func (d *dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}
