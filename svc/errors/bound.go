package errors

import (
	"cmp"
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/protosvc/protosvc/svc/internal/cut"
	"github.com/protosvc/protosvc/svc/internal/details"
)

// Bounds of a status, in bytes. A value of the metadata travels in the message,
// in its translation and by itself: together that is maxEcho.
const (
	maxEcho   = 256     // of a message without ErrorInfo, and of a text of a violation
	maxValue  = 128     // of a value of the metadata
	maxFilled = 64      // of a value in a message
	maxText   = 1 << 10 // of a message with ErrorInfo: the words are those of a contract

	// maxStatus is for grpc-message and grpc-status-details-bin as they are sent.
	// 8 KiB is what gRPC suggests for all headers of an answer, and what most
	// clients accept: 2 KiB are for headers of gRPC, of handlers and of proxies.
	maxStatus = 6 << 10

	maxDetails = 32
)

// bound cuts the status so that it always arrives. It may change p, but not the
// details that p points to.
func bound(p *spb.Status) *spb.Status {
	if proto.Size(p) <= maxEcho {
		return p
	}
	limit := maxEcho
	if details.Find[errdetails.ErrorInfo](p.Details) != nil {
		limit = maxText
	}
	p.Message = cut.Text(strings.ToValidUTF8(p.Message, replacement), limit)
	p.Details = slices.Clone(p.Details[:min(len(p.Details), maxDetails)])
	for i, detail := range p.Details {
		p.Details[i] = change(detail, clip)
	}
	for sent(p) > maxStatus && len(p.Details) > 0 {
		p.Details = halveLargest(p.Details)
	}
	return p
}

// sent is the size of the status in headers: one in base64, and one that has
// three bytes for each byte that is not printable ASCII.
func sent(p *spb.Status) int {
	size := base64.StdEncoding.EncodedLen(proto.Size(p)) + len(p.Message)
	for _, c := range []byte(p.Message) {
		if c < ' ' || c > '~' || c == '%' {
			size += 2
		}
	}
	return size
}

// halveLargest halves what is largest each time, so that small details, such as
// RetryInfo and RequestInfo, stay.
func halveLargest(all []*anypb.Any) []*anypb.Any {
	bySize := func(a, b *anypb.Any) int { return cmp.Compare(proto.Size(a), proto.Size(b)) }
	largest := slices.Index(all, slices.MaxFunc(all, bySize))
	if all[largest] = change(all[largest], halve); all[largest] == nil {
		return slices.Delete(all, largest, largest+1)
	}
	return all
}

// change applies a function to the message in a detail. The result is nil where
// the function returns nil. A detail of a type that this binary does not know is
// handed over as itself.
func change(detail *anypb.Any, f func(proto.Message) proto.Message) *anypb.Any {
	m, err := detail.UnmarshalNew()
	if err != nil {
		m = detail
	}
	switch changed := f(m); changed {
	case nil:
		return nil
	case detail:
		return detail
	default:
		packed, err := anypb.New(changed)
		if err != nil {
			return nil
		}
		return packed
	}
}

// clip cuts each text that may be a caller's.
func clip(detail proto.Message) proto.Message {
	switch m := detail.(type) {
	case *errdetails.ErrorInfo:
		m.Metadata = clipped(m.Metadata, maxValue)
	case *errdetails.LocalizedMessage:
		m.Message = cut.Text(m.Message, maxText)
	case *errdetails.BadRequest:
		for _, v := range m.FieldViolations {
			v.Field = cut.Text(v.Field, maxEcho)
			v.Description = cut.Text(v.Description, maxEcho)
		}
	}
	return detail
}

// clipped returns the metadata as valid UTF-8, with values of at most limit
// bytes.
func clipped(metadata map[string]string, limit int) map[string]string {
	if len(metadata) == 0 {
		return nil
	}
	out := make(map[string]string, len(metadata))
	for key, value := range metadata {
		out[validText(key, maxValue)] = validText(value, limit)
	}
	return out
}

// validText cuts before it looks at the whole text.
func validText(text string, limit int) string {
	return cut.Text(strings.ToValidUTF8(cut.Text(text, limit), replacement), limit)
}

// halve returns a detail that says the same in about half of the bytes, or nil.
func halve(detail proto.Message) proto.Message {
	switch m := detail.(type) {
	case *errdetails.ErrorInfo:
		if len(m.Metadata) > 0 {
			m.Metadata = halfOf(m.Metadata)
			return m
		}
	case *errdetails.BadRequest:
		all := slices.DeleteFunc(m.FieldViolations, func(v *errdetails.BadRequest_FieldViolation) bool { return v.Reason == omitted.Reason })
		if len(all) > 1 {
			m.FieldViolations = append(all[:len(all)/2], omitted)
			return m
		}
	}
	return nil
}

// omitted is the last violation of a list that was cut.
var omitted = &errdetails.BadRequest_FieldViolation{Reason: "omitted", Description: "more violations"}

// shortest is what values are halved to before keys are left out.
const shortest = 16

// halfOf halves the longest values, or else the number of keys.
func halfOf(metadata map[string]string) map[string]string {
	longest := 0
	for _, value := range metadata {
		longest = max(longest, len(value))
	}
	if longest > shortest {
		return clipped(metadata, longest/2)
	}
	keys := slices.Sorted(maps.Keys(metadata))
	for _, key := range keys[len(keys)/2:] {
		delete(metadata, key)
	}
	return metadata
}
