package errors

import (
	stderrors "errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// TripsBreaker reports whether an error of a call counts against the server that
// was called: what the contract says of the reason, else what follows from the
// gRPC code. A mistake of the caller never counts, nor that it went away.
func TripsBreaker(err error) bool {
	code := status.Code(err)
	var typed *Error
	if stderrors.As(err, &typed) {
		if typed.code().TripsBreaker != nil {
			return *typed.code().TripsBreaker
		}
		code = typed.code().GRPC
	}
	switch code {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Internal, codes.Unknown, codes.DataLoss:
		return true
	default:
		return false
	}
}
