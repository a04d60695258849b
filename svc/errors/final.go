package errors

import (
	"slices"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/svc/internal/details"
)

// final are the codes of errors that answer a request: it was understood, and
// the same one is answered in the same way.
var final = []codes.Code{
	codes.InvalidArgument, codes.NotFound, codes.AlreadyExists,
	codes.PermissionDenied, codes.FailedPrecondition, codes.OutOfRange,
}

// Final reports whether an error is an answer rather than a failure: a caller
// who repeats the request should be told the same. All errors that are retryable,
// that are about the moment (Unavailable, Aborted, …) or about the server
// (Internal, Unknown, …) are failures. Nil is neither.
func Final(err error) bool {
	s := ToStatus(err)
	return slices.Contains(final, s.Code()) && details.Find[errdetails.RetryInfo](s.Proto().GetDetails()) == nil
}
