package errors

import (
	"slices"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/protosvc/protosvc/svc/internal/details"
)

// Answer is what a server knows about a call that fails, and tells its caller
// with the error.
type Answer struct {
	// RequestID becomes google.rpc.RequestInfo.request_id: what the caller
	// quotes to those who run the server. It is the trace id. Empty: none.
	RequestID string

	// Languages is what the caller reads, as in the HTTP header
	// Accept-Language: "de-CH, fr;q=0.8". An error whose code has a translation
	// that fits carries google.rpc.LocalizedMessage.
	Languages string

	// Metadata alternates keys and values that are added to the metadata of an
	// [Error], unless it has them.
	Metadata []string
}

// Status is [ToStatus] with what the Answer adds.
func (a Answer) Status(err error) *status.Status {
	var out *status.Status
	if typed := typedOf(err); typed != nil {
		out = a.complete(typed).GRPCStatus()
	} else if out = ToStatus(err); out.Code() == codes.OK {
		return out
	}
	if a.RequestID == "" {
		return out
	}
	p := out.Proto()
	// An error that is passed on has that of the callee.
	p.Details = without[errdetails.RequestInfo](p.Details)
	p.Details = p.Details[:min(len(p.Details), maxDetails-1)]
	p.Details = appendPacked(p.Details, &errdetails.RequestInfo{RequestId: a.RequestID})
	return status.FromProto(bound(p))
}

// complete returns the error with the metadata of the call and a message in the
// caller's language.
func (a Answer) complete(e *Error) *Error {
	for pairs := a.Metadata; len(pairs) > 1; pairs = pairs[2:] {
		if _, there := e.Metadata[pairs[0]]; !there {
			e = e.WithMetadata(pairs[0], pairs[1])
		}
	}
	translation := e.code().translation(a.Languages)
	if translation == nil {
		return e
	}
	out := *e
	out.details = without[errdetails.LocalizedMessage](e.details)
	return out.WithDetails(&errdetails.LocalizedMessage{
		Locale:  translation.Locale,
		Message: validText(fill(translation.Message, e.Metadata), maxText),
	})
}

// RequestID is the request id that the server told with the error, empty where
// it told none. See [Answer].
func (e *Error) RequestID() string {
	return details.Find[errdetails.RequestInfo](e.details).GetRequestId()
}

// without returns the details that are not of the type M.
func without[M any, P interface {
	*M
	proto.Message
}](details []*anypb.Any) []*anypb.Any {
	return slices.DeleteFunc(slices.Clone(details), func(detail *anypb.Any) bool { return detail.MessageIs(P(new(M))) })
}
