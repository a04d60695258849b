// Package contract holds the values that the generator and the runtime share:
// what options mean where neither the contract nor a program says anything, and
// what generated manifests leave room for. The generator resolves them, so what
// it generates does not depend on this package; options of the runtime whose
// documentation names a default have it from here.
package contract

import "time"

// Limits of a server.
const (
	DefaultMessageBytes         = 4 << 20 // of a message; gRPC's own limit
	DefaultHeaderBytes          = 16 << 10
	DefaultStreamsPerConnection = 1000
)

// DefaultDatabaseConnections bounds the pool of one replica.
const DefaultDatabaseConnections = 16

// Circuit breakers.
const (
	DefaultFailurePercent = 50
	DefaultMinCalls       = 20
	DefaultWindow         = 10 * time.Second
	DefaultOpen           = time.Second
)

// Clients of external services.
const (
	DefaultHTTPTimeout         = 5 * time.Second
	DefaultHTTPAttempts        = 3
	DefaultHTTPIdleConnections = 16
)

// MaxHedgeAttempts is how many requests one call may become, the first included.
const MaxHedgeAttempts = 3

// What comes after the budget of a stop, in order.
const (
	StopBackground = 2 * time.Second // for background work to end
	StopHandlers   = 1 * time.Second // for handlers that outlive their calls
	StopFlush      = 1 * time.Second // for the last spans
	StopLog        = 1 * time.Second // for the last lines of the log

	// StopReserve is what grace periods add to drain delay and budget for them.
	StopReserve = StopBackground + StopHandlers + StopFlush + StopLog
)
