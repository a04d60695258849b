package errors

import (
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/known/durationpb"
)

// After returns a copy of the error whose google.rpc.RetryInfo tells the caller
// to wait before it tries again.
func (e *Error) After(wait time.Duration) *Error {
	return e.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(wait)})
}
