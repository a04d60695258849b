package errors

import (
	"context"
	"database/sql/driver"
	stderrors "errors"
	"net"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/protosvc/protosvc/svc/internal/details"
)

// grpcError is what errors with a status of their own have in common.
type grpcError interface {
	error
	GRPCStatus() *status.Status
}

// ToStatus decides what an error of a handler becomes on the wire. The first of
// these in the chain of the error wins:
//
//   - an [Error] or a [Code]: its own status; causes and wrapping text stay here
//   - an error with a gRPC status: that status, without wrapping text
//   - context.Canceled, context.DeadlineExceeded: [Canceled], [DeadlineExceeded]
//   - a connection that could not be made, or broke, as net/http and foreign
//     drivers of databases tell it: [Unavailable]
//   - anything else: [Internal], whose message says nothing
//
// The status is bounded; see the package. A nil error has a nil status, which gRPC takes for OK.
func ToStatus(err error) *status.Status {
	var typed *Error
	var own grpcError
	switch {
	case err == nil:
		return nil
	case stderrors.As(err, &typed):
		return typed.GRPCStatus()
	case stderrors.As(err, &own) && own.GRPCStatus().Code() != codes.OK:
		return status.FromProto(bound(own.GRPCStatus().Proto()))
	case stderrors.Is(err, context.Canceled):
		return Canceled.GRPCStatus()
	case stderrors.Is(err, context.DeadlineExceeded):
		return DeadlineExceeded.GRPCStatus()
	case lostConnection(err):
		return Unavailable.GRPCStatus()
	}
	return Internal.GRPCStatus()
}

// lostConnection reports whether something that is needed cannot be reached.
func lostConnection(err error) bool {
	_, network := stderrors.AsType[*net.OpError](err)
	return network || stderrors.Is(err, driver.ErrBadConn)
}

// GRPCStatus returns the status that carries the error: the code, the message,
// google.rpc.ErrorInfo first, then google.rpc.RetryInfo if the error is
// retryable, then other details. It is bounded; see the package.
func (e *Error) GRPCStatus() *status.Status {
	c := e.code()
	p := &spb.Status{Code: int32(c.GRPC), Message: validText(e.Message(), maxText)}
	p.Details = appendPacked(p.Details, &errdetails.ErrorInfo{Reason: c.Reason, Domain: c.Domain, Metadata: clipped(e.Metadata, maxValue)})
	if c.Retryable && details.Find[errdetails.RetryInfo](e.details) == nil {
		p.Details = appendPacked(p.Details, retryInfo(c.RetryDelay))
	}
	p.Details = append(p.Details, e.details...)
	return status.FromProto(bound(p))
}

func retryInfo(delay time.Duration) *errdetails.RetryInfo {
	if delay <= 0 {
		return &errdetails.RetryInfo{}
	}
	return &errdetails.RetryInfo{RetryDelay: durationpb.New(delay)}
}

// FromStatus is the way back, on the side of the caller: an error with a gRPC
// status that carries google.rpc.ErrorInfo becomes an [Error]; the other details
// stay reachable through its status.
//
// A status without it was made by gRPC itself when the callee could not be
// reached, was too slow, or the caller went away. It becomes [Unavailable],
// [DeadlineExceeded] or [Canceled] with the status as its cause, so that a
// handler may return it: gRPC's own text has addresses in it. A message that was
// too large for its receiver becomes [MessageTooLarge] in the same way. Any other
// error, and an Error, is returned unchanged.
//
// The table holds the codes of the callee and gives the Error its Code. A code
// that it does not have, because the callee is newer or passed on an error of
// its own callee, is made up from the status; errors.Is works the same.
func FromStatus(err error, known Table) error {
	var typed *Error
	var own grpcError
	if err == nil || stderrors.As(err, &typed) || !stderrors.As(err, &own) {
		return err
	}
	p := own.GRPCStatus().Proto()
	info := details.Find[errdetails.ErrorInfo](p.GetDetails())
	if info == nil {
		if c := transportCode(p); c != nil {
			return c.New().WithCause(err)
		}
		return err
	}
	out := &Error{Code: decode(p, info, known), Metadata: info.GetMetadata(), received: p.GetMessage(), remote: true}
	for _, detail := range p.GetDetails() {
		if !detail.MessageIs(info) {
			out.details = append(out.details, detail)
		}
	}
	return out
}

// ofTransport are the statuses that gRPC makes when a call fails on its way.
var ofTransport = map[codes.Code]*Code{
	codes.Unavailable:      Unavailable,
	codes.DeadlineExceeded: DeadlineExceeded,
	codes.Canceled:         Canceled,
}

// transportCode returns nil for a status that gRPC did not make.
func transportCode(p *spb.Status) *Code {
	code := codes.Code(p.GetCode())
	if code == codes.ResourceExhausted && strings.Contains(p.GetMessage(), tooLarge) {
		return MessageTooLarge
	}
	return ofTransport[code]
}

// tooLarge is what grpc-go says of a message above a limit, be it the server of a
// request or the client of a response.
const tooLarge = " larger than max"

// decode finds the code in the tables. The wire has the last word on the gRPC
// code: the callee may be of another version than the table, and the error must
// travel on as it came.
func decode(p *spb.Status, info *errdetails.ErrorInfo, known Table) *Code {
	c := known.Find(info.GetDomain(), info.GetReason())
	if c == nil {
		c = framework.Find(info.GetDomain(), info.GetReason())
	}
	if c != nil && int32(c.GRPC) == p.GetCode() {
		return c
	}
	return &Code{
		Domain:    info.GetDomain(),
		Reason:    info.GetReason(),
		GRPC:      codes.Code(p.GetCode()),
		Retryable: details.Find[errdetails.RetryInfo](p.GetDetails()) != nil,
		Message:   p.GetMessage(),
	}
}

// appendPacked leaves out what cannot be encoded, which does not happen with
// the valid strings that it is called with.
func appendPacked(details []*anypb.Any, m proto.Message) []*anypb.Any {
	packed, err := anypb.New(m)
	if err != nil {
		return details
	}
	return append(details, packed)
}

// replacement stands for bytes that are not UTF-8. Protobuf refuses to encode
// those, and grpc-go would then drop all details of the status.
const replacement = "\uFFFD"
