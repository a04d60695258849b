package errors

import (
	stderrors "errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// BreakerRule says what an error means to circuit breakers.
type BreakerRule int8

// The rules.
const (
	ByCode BreakerRule = iota // as its gRPC code says
	Trips                     // the server is at fault
	Spares                    // it is not
)

// serverFaults are the codes with which a server says that it failed, or that
// stand for its silence.
var serverFaults = map[codes.Code]bool{
	codes.Unknown:          true,
	codes.DeadlineExceeded: true,
	codes.Internal:         true,
	codes.Unavailable:      true,
	codes.DataLoss:         true,
}

// ServerFault reports whether an error that [FromStatus] returned says that the
// server is at fault, so that circuit breakers count it. What the caller did
// wrong, and what a server refuses in order to stay healthy, is none.
func ServerFault(err error) bool {
	if err == nil {
		return false
	}
	code := status.Code(err)
	var typed *Error
	if stderrors.As(err, &typed) {
		switch c := typed.code(); c.Breaker {
		case Trips:
			return true
		case Spares:
			return false
		default:
			code = c.GRPC
		}
	}
	return serverFaults[code]
}
