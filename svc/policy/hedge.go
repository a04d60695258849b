package policy

import (
	"time"

	"google.golang.org/grpc/codes"
)

// Hedge is how a client repeats a call that is slow, before it has failed.
type Hedge struct {
	// Attempts counts all requests of one call, the first one included: 2 or 3.
	// Zero or one means no hedging.
	Attempts int

	// Delay is the wait before each further request.
	Delay time.Duration

	// Codes are the status codes upon which the call goes on with the requests
	// that are left. Any other error is the call's answer.
	Codes []codes.Code
}
