package errors

import (
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// After returns a copy of the error whose google.rpc.RetryInfo tells the caller
// to wait before it tries again.
func (e *Error) After(wait time.Duration) *Error {
	return e.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(wait)})
}

// RetryAfter returns how long a caller should wait before it tries again, as
// google.rpc.RetryInfo in the status says; 0 if it says nothing.
func RetryAfter(st *status.Status) time.Duration {
	return find[errdetails.RetryInfo](st.Proto().GetDetails()).GetRetryDelay().AsDuration()
}
