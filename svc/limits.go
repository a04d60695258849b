package svc

import (
	"net"
	"runtime/debug"
	"time"

	"github.com/protosvc/protosvc/internal/defaults"
	"github.com/protosvc/protosvc/svc/internal/budget"
	"github.com/protosvc/protosvc/svc/internal/flood"
	"github.com/protosvc/protosvc/svc/internal/limit"
	"github.com/protosvc/protosvc/svc/internal/rpcmetrics"
)

// Limits are what one replica accepts at the most. What depends on the machine
// can be configured. The rest is what callers were promised: it belongs to the
// contract alone.
type Limits struct {
	// Concurrency is how many calls are in progress at once, streams not counted;
	// with Adaptive, the upper bound of a limit that follows the measured latency.
	Concurrency int  `yaml:"concurrency"`
	Adaptive    bool `yaml:"adaptive"`
	// Connections is how many are open at once, for gRPC and for HTTP/JSON each. One
	// more has the place of one that is idle, if there is any.
	Connections int `yaml:"connections"`

	// MessageBytes and HeaderBytes are what one call may send, StreamsPerConnection
	// how many calls may be open on one connection. They belong to the contract and
	// cannot be configured.
	MessageBytes, HeaderBytes, StreamsPerConnection int
}

func (l Limits) check(fault func(bool, string, string, ...any)) {
	fault(l.Concurrency <= 0, "limits.concurrency", " %d is not above zero", l.Concurrency)
	fault(l.Connections <= 0, "limits.connections", " %d is not above zero", l.Connections)
	fault(l.MessageBytes <= 0, "Limits.MessageBytes", " %d is not above zero", l.MessageBytes)
	fault(l.HeaderBytes <= 0, "Limits.HeaderBytes", " %d is not above zero", l.HeaderBytes)
	fault(l.StreamsPerConnection <= 0, "Limits.StreamsPerConnection", " %d is not above zero", l.StreamsPerConnection)
}

// limited is a listener with as many connections as the limits allow.
func (a *App) limited(l net.Listener) net.Listener {
	rpc := a.metrics.RPC()
	limited := limit.Listen(l, limit.Options{
		Refused: rpc.ConnectionRefused,
		Evicted: func() { rpc.ConnectionEnded(rpcmetrics.EndIdle) },
	})
	a.follow(func(s *Settings) { limited.SetConnections(s.Limits.Connections) })
	return limited
}

// closing is how long the streams of a connection that was closed take to end, where other
// work waits for the processors, too.
const closing = 250 * time.Millisecond

// guarded is a listener for gRPC whose connections end when their clients reset streams
// too fast, or hold too much memory, or more streams than all limits of calls and streams
// together let in.
func (a *App) guarded(l net.Listener) net.Listener {
	streams := budget.New(0)
	streams.Linger = closing
	a.follow(func(s *Settings) {
		streams.SetLimit(int64(s.Limits.Concurrency + s.Limits.Connections + a.binder.Streams()))
	})
	return flood.Listen(a.limited(l), flood.Options{
		Log: a.log, Count: a.metrics.RPC().ConnectionEnded, Memory: a.arriving, Streams: streams,
	})
}

// memoryForArriving is the budget of requests that are on their way, of both protocols
// together: a share of its memory. A process without a limit of memory (GOMEMLIMIT) has as
// good as none.
func (l Limits) memoryForArriving() *budget.Budget {
	return budget.New(defaults.Arriving(debug.SetMemoryLimit(-1), int64(l.MessageBytes)))
}

// checkMemory warns where the limits let in more than fits in the memory that the process
// may have. The generator has held those of the contract against that of the Deployment;
// config.yaml can say others.
func (a *App) checkMemory(s *Settings) {
	limits, allowed := s.Limits, debug.SetMemoryLimit(-1)
	needed := defaults.StartBytes + defaults.Arriving(allowed, int64(limits.MessageBytes)) +
		int64(limits.Connections)*defaults.ConnectionBytes + int64(limits.Concurrency)*defaults.CallBytes + int64(a.binder.Streams())*defaults.StreamBytes
	if needed > allowed {
		a.log.Warn("the limits let in more than fits in memory: lower limits.connections or limits.concurrency, or raise GOMEMLIMIT with the memory",
			"needed", needed, "GOMEMLIMIT", allowed, "limits.connections", limits.Connections, "limits.concurrency", limits.Concurrency)
	}
}

// otherFiles is what a process has open besides the connections of its ports and of its
// database: those to callees and to the collector of traces, and files.
const otherFiles = 64

// filesWanted is how many files are open when the limits of connections are reached.
func (a *App) filesWanted(s *Settings) uint64 {
	ports := 1
	if a.httpAddress() != "" {
		ports++
	}
	wanted := ports*s.Limits.Connections + defaults.AdminConnections + otherFiles
	if a.settings.Database != nil {
		wanted += a.settings.Database.MaxConnections
	}
	return uint64(wanted)
}

// checkFiles warns where the system's limit of open files comes before those of
// connections: what is beyond it fails at random, readiness and scrapes included,
// where a connection too many would be closed.
func (a *App) checkFiles(s *Settings) {
	allowed, known := limit.Files()
	if wanted := a.filesWanted(s); known && allowed < wanted {
		a.log.Warn("the limit of open files is reached before limits.connections: raise it (ulimit -n, LimitNOFILE) or lower limits.connections",
			"files", allowed, "needed", wanted, "limits.connections", s.Limits.Connections)
	}
}
