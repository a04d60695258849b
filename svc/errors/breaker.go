package errors

import (
	"google.golang.org/grpc/codes"
)

// TripsBreaker reports whether an error of a call counts against the server that
// was called: what the contract says of the reason, else what follows from the
// gRPC code. A mistake of the caller never counts, nor that it went away.
func TripsBreaker(err error) bool {
	if typed := typedOf(err); typed != nil {
		c := typed.code()
		if c.TripsBreaker != nil {
			return *c.TripsBreaker
		}
		return serverFault(c.GRPC)
	}
	return serverFault(ToStatus(err).Code())
}

func serverFault(code codes.Code) bool {
	switch code {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Internal, codes.Unknown, codes.DataLoss:
		return true
	default:
		return false
	}
}
