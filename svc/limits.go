package svc

import (
	"cmp"
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
	// how many calls may be open on one connection. Zero: the default of the
	// contract.
	MessageBytes, HeaderBytes, StreamsPerConnection int
}

// The limits of a contract that says nothing.
const (
	defaultConcurrency  = 1000
	defaultConnections  = 10_000
	defaultMessageBytes = 4 << 20
	defaultHeaderBytes  = 16 << 10
)

// withDefaults are the limits with every default in its place, for services that
// were not generated.
func (l Limits) withDefaults() Limits {
	l.Concurrency = cmp.Or(l.Concurrency, defaultConcurrency)
	l.Connections = cmp.Or(l.Connections, defaultConnections)
	l.MessageBytes = cmp.Or(l.MessageBytes, defaultMessageBytes)
	l.HeaderBytes = cmp.Or(l.HeaderBytes, defaultHeaderBytes)
	return l
}

func (l Limits) check(fault func(bool, string, ...any)) {
	fault(l.Concurrency <= 0, "limits.concurrency %d is not above zero", l.Concurrency)
	fault(l.Connections <= 0, "limits.connections %d is not above zero", l.Connections)
}

// limited is a listener with as many connections as the limits allow.
func (a *App) limited(l net.Listener) net.Listener {
	return limit.Listen(l, a.settings.Limits.Connections, a.metrics.RPC().ConnectionRefused)
}
