// Package policy holds what a contract says about its methods, as plain values.
//
// Generated code has one for each method. The server binds a method to its policy
// once, at start; a client turns the same policies into grpc-go's native service
// config. The package has no behaviour, so both sides can share
// it without sharing anything else.
package policy

import (
	"time"

	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/svc/errors"
)

// Method is the policy of one RPC, with every default resolved.
type Method struct {
	// Name is the full name as it stands on the wire,
	// for example "/order.v1.OrderService/CreateOrder".
	Name string

	// Timeout is the deadline of a call. A server applies it when the caller
	// set none; a client applies it to a call with all its attempts together.
	// Zero means no deadline.
	Timeout time.Duration

	// Retry says when a client tries again. Its zero value means never.
	Retry Retry

	// Hedge says when a client sends a second request. Its zero value means
	// never. A method has this or Retry.
	Hedge Hedge

	// Errors are what the method may end with. A server holds its handler to it.
	Errors errors.Contract
	// Concurrency is how many calls one server has in progress at the most, for
	// streams how many are open. Zero means no limit of its own.
	Concurrency int

	// RateLimit is how often one caller may call one server, Stream the bounds of
	// a stream. Their zero values mean no limit.
	RateLimit RateLimit
	Stream    Stream
}

// Retry is how a client repeats a call that failed before it had an effect, or
// that may be repeated without harm.
type Retry struct {
	// Attempts counts all tries, the first one included: 2 to 5.
	// Zero or one means no retries.
	Attempts int

	// InitialBackoff and MaxBackoff bound the wait before a retry. The wait
	// doubles from one to the other and is jittered by grpc-go.
	InitialBackoff, MaxBackoff time.Duration

	// Codes are the status codes that are tried again.
	Codes []codes.Code
}
