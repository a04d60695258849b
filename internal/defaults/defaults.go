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

// What one client may do.
const (
	// CancelsPerSecond is how many calls a connection may cancel in the long run, and
	// CancelsAtOnce how many at a time: as many as it may have open.
	CancelsPerSecond = 200
	CancelsAtOnce    = StreamsPerConnection

	// AdminConnections is how many the admin port has open; probes, a scraper or two
	// and people need ten.
	AdminConnections = 64

	// ConnectionAge is when a connection of gRPC is asked to end, 10 % more or less, so
	// that clients find new replicas. Between calls a connection of HTTP/JSON ends after
	// IdleConnection, and a client of gRPC that does not answer a ping, one after each
	// KeepaliveTime without a word, is gone after KeepaliveTimeout.
	ConnectionAge    = 5 * time.Minute
	IdleConnection   = 2 * time.Minute
	KeepaliveTime    = time.Minute
	KeepaliveTimeout = 20 * time.Second
)

// What a replica takes of its memory, in bytes: the generator holds limits against it, and
// TestCosts of package svc holds it against what a server takes.
const (
	StartBytes      = 12 << 20 // before the first connection
	ConnectionBytes = 64 << 10 // one of gRPC and one of HTTP/JSON, on which nothing happens
	CallBytes       = 16 << 10 // a call in progress, without what its handler needs
	StreamBytes     = 16 << 10 // a stream that is open, without what its handler needs

	// ArrivingShare is how much of the memory requests may hold that are on their way: one
	// part in so many. As much again is gone when they are decoded.
	ArrivingShare = 4

	// BodyCopies is how often what has come of a body of HTTP/JSON is in memory at the
	// most, until it is decoded: the buffer for all of a body is made when half of it is
	// there, and one whose length the client does not say is copied when it is complete.
	BodyCopies = 2
)

// Arriving is what requests that are on their way may hold of so much memory, in bytes. One
// of the largest always has room, over HTTP/JSON too.
func Arriving(memory, message int64) int64 {
	return max(memory/ArrivingShare, BodyCopies*message)
}

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
