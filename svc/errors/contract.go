package errors

import (
	stderrors "errors"
	"slices"

	"google.golang.org/grpc/codes"
)

// Contract says which errors a method may end with. Its zero value declares
// none and is lenient.
type Contract struct {
	// Declared are the errors of the contract, those of callees that the method
	// passes on among them.
	Declared Table

	// Mapped turns errors of callees into declared ones.
	Mapped []Mapping

	// Strict says that what is not declared reaches the caller as [Internal].
	Strict bool
}

// Mapping turns one error into another, with its metadata.
type Mapping struct{ From, To *Code }

// Apply returns the error that a method ends with, for what its handler
// returned, and whether the contract allows what the handler returned. An error
// that is not nil always remains one.
//
//   - A mapped error becomes what it is mapped to; the cause is what it was.
//   - A declared error stays as it is.
//   - The errors of the runtime belong to every contract. Those that a callee
//     made only where they are about the moment: a callee's [InvalidRequest] is
//     about a request that the caller never saw.
//   - So do the gRPC statuses without a reason that gRPC makes by itself. A
//     strict contract gives them the runtime's text, since gRPC's own has
//     addresses in it.
//   - An error without a gRPC status is a failure of the handler, which
//     [ToStatus] makes [Internal] of: nothing about it reaches the caller.
//   - Anything else is not declared. A strict contract makes [Internal] of it,
//     with the error as the cause.
func (c *Contract) Apply(err error) (ending error, declared bool) {
	if typed := typedOf(err); typed != nil {
		return c.applyTyped(err, typed)
	}
	// A client that is not of this runtime leaves the reason in the status.
	if typed := typedOf(FromStatus(err, c.Declared)); typed != nil && typed.remote {
		return c.applyTyped(err, typed)
	}
	var own grpcError
	if err == nil || !stderrors.As(err, &own) || own.GRPCStatus().Code() == codes.OK {
		return err, true
	}
	code, ok := withoutReason[own.GRPCStatus().Code()]
	switch {
	case !ok:
		return c.undeclared(err), false
	case c.Strict:
		return code.New().WithCause(err), true
	}
	return err, true
}

// withoutReason are the statuses that gRPC and its generated code make, which
// have no reason, and what a strict contract makes of them.
var withoutReason = map[codes.Code]*Code{
	codes.Unavailable:       Unavailable,
	codes.DeadlineExceeded:  DeadlineExceeded,
	codes.Canceled:          Canceled,
	codes.ResourceExhausted: ResourceExhausted, // a message above the limit
	codes.Unimplemented:     Unimplemented,
}

func (c *Contract) applyTyped(err error, typed *Error) (error, bool) {
	code := typed.code()
	for _, m := range c.Mapped {
		if m.From.same(code) {
			return (&Error{Code: m.To, Metadata: typed.Metadata}).WithCause(err), true
		}
	}
	switch {
	case c.Declared.Find(code.Domain, code.Reason) != nil:
		return err, true
	case framework.Find(code.Domain, code.Reason) != nil && (!typed.remote || ofMoment(code.GRPC)):
		return err, true
	}
	return c.undeclared(err), false
}

func (c *Contract) undeclared(err error) error {
	if c.Strict {
		return Internal.New().WithCause(err)
	}
	return err
}

// typedOf returns the error of a contract in the chain of an error, or nil.
func typedOf(err error) *Error {
	if typed, ok := stderrors.AsType[*Error](err); ok && typed != nil {
		return typed
	}
	if code, ok := stderrors.AsType[*Code](err); ok && code != nil {
		return code.New()
	}
	return nil
}

// ofMoment tells whether a code is about the moment, not about the request: the
// same call may succeed later.
func ofMoment(code codes.Code) bool {
	return slices.Contains([]codes.Code{codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.ResourceExhausted, codes.Aborted}, code)
}
