package errors_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

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
