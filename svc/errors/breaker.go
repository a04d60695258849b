package errors

import (
	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/internal/rpccode"
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
		return tripsBreaker(c.GRPC)
	}
	return tripsBreaker(ToStatus(err).Code())
}

// tripsBreaker leaves out the one fault that lasts for ever and costs the server
// nothing: an open breaker would tell callers that the method may be there in a
// moment.
func tripsBreaker(code codes.Code) bool {
	return rpccode.IsServerFault(code) && code != codes.Unimplemented
}
