package svc

import (
	"net"

	"github.com/protosvc/protosvc/svc/internal/limit"
)

// Limits are what one replica accepts at the most. What depends on the machine
// can be configured. The rest is what callers were promised: it belongs to the
// contract alone.
type Limits struct {
	// Concurrency is how many calls are in progress at once, streams not counted;
	// with Adaptive, the upper bound of a limit that follows the measured latency.
	Concurrency int  `yaml:"concurrency"`
	Adaptive    bool `yaml:"adaptive"`
	// Connections is how many are open at once, for gRPC and for HTTP/JSON each.
	Connections int `yaml:"connections"`

	// MessageBytes and HeaderBytes are what one call may send, StreamsPerConnection
	// how many calls may be open on one connection. They belong to the contract and
	// cannot be configured.
	MessageBytes, HeaderBytes, StreamsPerConnection int
}

func (l Limits) check(fault func(bool, string, ...any)) {
	fault(l.Concurrency <= 0, "limits.concurrency %d is not above zero", l.Concurrency)
	fault(l.Connections <= 0, "limits.connections %d is not above zero", l.Connections)
	fault(l.MessageBytes <= 0, "Limits.MessageBytes %d is not above zero", l.MessageBytes)
	fault(l.HeaderBytes <= 0, "Limits.HeaderBytes %d is not above zero", l.HeaderBytes)
	fault(l.StreamsPerConnection <= 0, "Limits.StreamsPerConnection %d is not above zero", l.StreamsPerConnection)
}

// limited is a listener with as many connections as the limits allow.
func (a *App) limited(l net.Listener) net.Listener {
	return limit.Listen(l, a.settings.Limits.Connections, a.metrics.RPC().ConnectionRefused)
}
