// Package defaults holds the values that the generator and the runtime share:
// what options mean where neither the contract nor a program says anything, and
// what generated manifests leave room for. The generator resolves them, so what
// it generates does not depend on this package; options of the runtime whose
// documentation names a default have it from here.
package defaults

import "time"

// Limits of a server.
const (
	MessageBytes         = 4 << 20 // of a message; gRPC's own limit
	HeaderBytes          = 16 << 10
	StreamsPerConnection = 1000
)

// What a client may take to send, so that nobody holds memory by sending slowly.
const (
	// Handshake is for a connection to become one, for the headers of a request,
	// and for a body that pauses.
	Handshake = 10 * time.Second

	// UploadRate is how many bytes of a body arrive in a second at the least: a
	// slow mobile link.
	UploadRate = 32 << 10
)

// Upload is how long a body of so many bytes takes at the most: 4 MiB have
// 10 s + 4 MiB / 32 KiB/s = 138 s.
func Upload(bytes int) time.Duration {
	return Handshake + time.Duration(bytes)*time.Second/UploadRate
}

// DatabaseConnections bounds the pool of one replica.
const DatabaseConnections = 16

// Circuit breakers.
const (
	BreakerFailurePercent = 50
	BreakerMinCalls       = 20
	BreakerWindow         = 10 * time.Second
	BreakerOpen           = time.Second
)

// Clients of external services.
const (
	HTTPTimeout         = 5 * time.Second
	HTTPAttempts        = 3
	HTTPIdleConnections = 16
)

// CheckTimeout is how long a check of health may take.
const CheckTimeout = 2 * time.Second

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
