package policy

import "time"

// RateLimit is how often one caller may call.
type RateLimit struct {
	// PerSecond is the number of calls in the long run. Zero means no limit.
	PerSecond float64 `yaml:"per_second"`

	// Burst is the number of calls at once after a pause, at least 1.
	Burst int `yaml:"burst"`

	// Key is the metadata key whose value tells callers apart. Empty, and where a
	// caller does not send it: the peer's address without the port.
	Key string
}

// Stream are the bounds of a stream. Each zero value means no bound.
type Stream struct {
	// MaxAge is the longest life, IdleTimeout the longest time without a message
	// in either direction, SendTimeout how long one message may wait for a caller
	// who does not read.
	MaxAge, IdleTimeout, SendTimeout time.Duration

	// MaxMessages is how many messages the caller may send.
	MaxMessages uint64
}
