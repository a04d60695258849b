package errors

import (
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/protosvc/protosvc/svc/internal/details"
)

// Error is one occurrence of a [Code]. It is made by [Code.New], or by
// [FromStatus] from what a callee sent. Its methods return copies, so an Error
// may be shared by goroutines.
type Error struct {
	// Code is the error of the contract. Nil means [Internal].
	Code *Code

	// Metadata travels with the error. Do not change it: see WithMetadata.
	Metadata map[string]string

	received string // the message as the wire had it; empty: made from the code
	remote   bool   // it came from a callee
	cause    error
	details  []*anypb.Any // of the status, beyond ErrorInfo and RetryInfo of our making
}

// Error returns the message, the violations of a google.rpc.BadRequest, with
// field and rule, and the cause. It is for logs: the wire carries
// [Error.Message] and the details only.
func (e *Error) Error() string {
	message := e.Message()
	if texts := violations(e.details); texts != nil {
		message += ": " + strings.Join(texts, "; ")
	}
	if e.cause == nil {
		return message
	}
	return message + ": " + e.cause.Error()
}

// violations returns each one as "items[0].quantity: must be greater than 0
// [int32.gt]".
func violations(all []*anypb.Any) []string {
	var texts []string
	for _, v := range details.Find[errdetails.BadRequest](all).GetFieldViolations() {
		text := v.Description
		if v.Field != "" {
			text = v.Field + ": " + text
		}
		if v.Reason != "" {
			text += " [" + v.Reason + "]"
		}
		texts = append(texts, text)
	}
	return texts
}

// Message returns what the wire carries: the message of the code, filled from
// the metadata, or the message a callee sent. The reason stands in for a code
// without message.
func (e *Error) Message() string {
	if e.received != "" {
		return e.received
	}
	c := e.code()
	if c.Message == "" {
		return c.Reason
	}
	return fill(c.Message, e.Metadata)
}

// WithCause returns a copy with the cause, which Unwrap returns and logs show.
// It never leaves the process.
func (e *Error) WithCause(err error) *Error {
	out := *e
	out.cause = err
	return &out
}

// WithMetadata returns a copy with alternating keys and values added.
func (e *Error) WithMetadata(metadata ...string) *Error {
	out := *e
	out.Metadata = withPairs(e.Metadata, metadata)
	return &out
}

// WithDetails returns a copy whose status has these messages as further
// details, for example google.rpc.BadRequest. A message that cannot be encoded
// is left out: an error must not be lost for what explains it.
func (e *Error) WithDetails(details ...proto.Message) *Error {
	out := *e
	out.details = slices.Clip(e.details)
	for _, detail := range details {
		if packed, err := anypb.New(detail); err == nil {
			out.details = append(out.details, packed)
		}
	}
	return &out
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether the target is the same error of the contract: a [Code] or
// an Error with equal domain and reason. Metadata does not matter.
func (e *Error) Is(target error) bool { return e.code().Is(target) }

// Retryable reports whether the same request may succeed later.
func (e *Error) Retryable() bool { return e.code().Retryable }

func (e *Error) code() *Code {
	if e.Code == nil {
		return Internal
	}
	return e.Code
}
