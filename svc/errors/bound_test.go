package errors_test

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/protosvc/protosvc/svc/errors"
)

// A long value is shown in the metadata, the message and its translation: all
// three together have 256 bytes of it.
func TestValuesAreCut(t *testing.T) {
	code := &errors.Code{
		Domain: "d", Reason: "GONE", GRPC: codes.NotFound, Message: "{id} is gone",
		Translations: []errors.Translation{{Locale: "de", Message: "{id} ist weg"}},
	}
	long := strings.Repeat("Q", 10_000)
	st := errors.Answer{Languages: "de", RequestID: "r"}.Status(code.New("id", long))
	if shown := strings.Count(prototext.Format(st.Proto()), "Q"); shown != 256 {
		t.Errorf("the status shows %d bytes of the value, want 256", shown)
	}
	if want := long[:64] + "… is gone"; st.Message() != want {
		t.Errorf("message %q, want %q", st.Message(), want)
	}
}

func TestStatusIsBounded(t *testing.T) {
	err := errors.InvalidRequest.New()
	bad := &errdetails.BadRequest{}
	for i := range 100 {
		err = err.WithMetadata(fmt.Sprintf("key%03d", i), strings.Repeat("失", 100))
		bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: "f", Description: strings.Repeat("失", 60)})
	}
	st := errors.Answer{RequestID: "r"}.Status(err.WithDetails(bad))
	if size := base64.StdEncoding.EncodedLen(proto.Size(st.Proto())) + len(st.Message()); size > 6<<10 || size < 2<<10 {
		t.Errorf("the status has %d bytes, want up to 6 KiB", size)
	}
	got, omitted := detailOf[*errdetails.BadRequest](st)
	if last := got.GetFieldViolations(); !omitted || last[len(last)-1].GetReason() != "omitted" {
		t.Errorf("violations %v, want some, and that others are omitted", last)
	}
	if _, there := detailOf[*errdetails.RequestInfo](st); !there {
		t.Error("the request id is lost")
	}
	if again := errors.ToStatus(errors.FromStatus(st.Err(), nil)); prototext.Format(again.Proto()) != prototext.Format(st.Proto()) {
		t.Errorf("passed on, the status is another one: %v", again)
	}
}

// A detail that cannot be made smaller is left out, and those beside it stay.
func TestLargeDetailIsLeftOut(t *testing.T) {
	large := &errdetails.DebugInfo{Detail: strings.Repeat("x", 20_000)}
	st := errors.Answer{RequestID: "r"}.Status(errors.InvalidRequest.New("key", "value").WithDetails(large))
	if _, there := detailOf[*errdetails.DebugInfo](st); there {
		t.Error("the large detail is there")
	}
	if info, there := detailOf[*errdetails.ErrorInfo](st); !there || info.GetMetadata()["key"] != "value" {
		t.Errorf("ErrorInfo is %v, want it whole", info)
	}
	if _, there := detailOf[*errdetails.RequestInfo](st); !there {
		t.Error("the request id is lost")
	}
}

// statusOf is a status that another program has made, and nobody has bounded.
func statusOf(t *testing.T, message string, all ...proto.Message) *status.Status {
	t.Helper()
	p := &spb.Status{Code: int32(codes.Aborted), Message: message}
	for _, m := range all {
		detail, err := anypb.New(m)
		if err != nil {
			t.Fatal(err)
		}
		p.Details = append(p.Details, detail)
	}
	return status.FromProto(p)
}

// debugInfos are details that cannot be made smaller.
func debugInfos(n, size int) []proto.Message {
	var all []proto.Message
	for range n {
		all = append(all, &errdetails.DebugInfo{Detail: strings.Repeat("x", size)})
	}
	return all
}

// escaped is what takes three bytes in grpc-message for each of its own.
var escaped = regexp.MustCompile(`[^ -$&-~]`)

// inHeaders is the size of a status in grpc-message and grpc-status-details-bin.
func inHeaders(p *spb.Status) int {
	message := escaped.ReplaceAllStringFunc(p.GetMessage(), func(c string) string { return strings.Repeat("%00", len(c)) })
	return len(message) + base64.StdEncoding.EncodedLen(proto.Size(p))
}

// Up to 6 KiB in headers a status stays as it is; above, one detail more than
// there is room for is left out. Texts have three times their bytes there where
// they are not printable ASCII.
func TestSizeInHeaders(t *testing.T) {
	for _, message := range []string{"", "gone", strings.Repeat("~", 256), strings.Repeat(" ", 256), strings.Repeat("%", 256), strings.Repeat("\n", 256), strings.Repeat("\x7f", 256), strings.Repeat("é", 128)} {
		cuts := 0
		for size := 50; size < 150; size++ {
			whole := statusOf(t, message, debugInfos(30, size)...)
			got := errors.ToStatus(whole.Err())
			fits := whole.Proto()
			for inHeaders(fits) > 6<<10 {
				fits.Details = fits.Details[1:]
			}
			want := len(fits.Details)
			if n := len(got.Proto().GetDetails()); n != want || got.Message() != message {
				t.Fatalf("of 30 details of %d bytes, %d are left beside the message %.5q, want %d", size, n, message, want)
			}
			if want < 30 {
				cuts++
			}
		}
		if cuts == 0 || cuts == 100 {
			t.Errorf("%.5q: %d of 100 sizes are too large, which says nothing of the bound", message, cuts)
		}
	}
}

// Words of a contract come with ErrorInfo, others may be anybody's.
func TestMessagesAreCut(t *testing.T) {
	long := strings.Repeat("x", 2000)
	for _, c := range []struct {
		details []proto.Message
		want    int
	}{
		{nil, 256},
		{debugInfos(1, 1), 256},
		{[]proto.Message{&errdetails.ErrorInfo{Reason: "GONE"}}, 1024},
	} {
		if got := errors.ToStatus(statusOf(t, long, c.details...).Err()).Message(); got != long[:c.want]+"…" {
			t.Errorf("with the details %v the message has %d bytes, want %d and the mark", c.details, len(got), c.want)
		}
	}
}

func TestDetailsAreBounded(t *testing.T) {
	long := strings.Repeat("x", 8000)
	few := &errdetails.ErrorInfo{Reason: "GONE", Metadata: map[string]string{strings.Repeat("k", 128): strings.Repeat("v", 128)}}
	fewer := &errdetails.ErrorInfo{Reason: "GONE", Metadata: map[string]string{strings.Repeat("k", 128): strings.Repeat("v", 64) + "…"}}
	violations := func(n int, reason string) *errdetails.BadRequest {
		bad := &errdetails.BadRequest{}
		for range n {
			bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: "f", Reason: reason})
		}
		return bad
	}
	cut := func(n int, reason string) *errdetails.BadRequest {
		bad := violations(n, reason)
		bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{Reason: "omitted", Description: "more violations"})
		return bad
	}
	keys := func(n int, value string) *errdetails.ErrorInfo {
		info := &errdetails.ErrorInfo{Reason: "GONE", Metadata: map[string]string{}}
		for i := range n {
			info.Metadata[fmt.Sprintf("key%03d", i)] = value
		}
		return info
	}
	for name, c := range map[string]struct{ details, want []proto.Message }{
		"more than 32":                     {debugInfos(40, 10), debugInfos(32, 10)},
		"one that cannot be made smaller":  {debugInfos(1, 8000), nil},
		"a reason that is too long":        {[]proto.Message{&errdetails.ErrorInfo{Reason: long}}, nil},
		"a value before details are lost":  {append(debugInfos(31, 91), few), append(debugInfos(31, 91), fewer)},
		"half of the violations":           {[]proto.Message{violations(40, long[:200])}, []proto.Message{cut(20, long[:200])}},
		"one of two violations":            {[]proto.Message{violations(2, long[:4000])}, []proto.Message{cut(1, long[:4000])}},
		"no violation is left to show":     {[]proto.Message{violations(1, long)}, nil},
		"values before keys":               {[]proto.Message{keys(100, long[:100])}, []proto.Message{keys(100, long[:26]+"…")}},
		"the first keys, by their letters": {[]proto.Message{keys(400, long[:16])}, []proto.Message{keys(100, long[:16])}},
	} {
		t.Run(name, func(t *testing.T) {
			got := prototext.Format(errors.ToStatus(statusOf(t, "gone", c.details...).Err()).Proto())
			if want := prototext.Format(statusOf(t, "gone", c.want...).Proto()); got != want {
				t.Errorf("got %s\nwant %s", got, want)
			}
		})
	}
}

// A caller's log says what was wrong with the request.
func TestViolationsAtTheCaller(t *testing.T) {
	err := errors.InvalidRequest.New().WithDetails(&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
		{Field: "items[0].quantity", Description: "must be greater than 0", Reason: "int32.gt"},
		{Description: "one of a, b must be set", Reason: "message.oneof"},
	}})
	const want = "invalid request: items[0].quantity: must be greater than 0 [int32.gt]; one of a, b must be set [message.oneof]"
	if got := send(t, err, nil).Error(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
