package errors_test

import (
	stderrors "errors"
	"math"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/errors"
)

var full = &errors.Code{Domain: "order.shop", Reason: "FULL", GRPC: codes.ResourceExhausted, Message: "limit is {limit}"}

// arrived is the error as a caller has it.
func arrived(t *testing.T, value any) *errors.Error {
	t.Helper()
	typed, _ := stderrors.AsType[*errors.Error](send(t, full.New("limit", value), errors.Table{full}))
	if typed == nil || !stderrors.Is(typed, full) {
		t.Fatalf("%v did not arrive: %v", value, typed)
	}
	return typed
}

// Placeholders read what New wrote, whatever the type, and so does protobuf.
func TestValueTravels(t *testing.T) {
	text(t, "", "", nil)
	text(t, "a \"b\"", "a \"b\"", nil)
	text(t, true, "true", &wrapperspb.BoolValue{Value: true})
	text(t, false, "false", &wrapperspb.BoolValue{})
	text(t, int64(0), "0", &wrapperspb.Int64Value{})
	text(t, int64(math.MinInt64), "-9223372036854775808", &wrapperspb.Int64Value{Value: math.MinInt64})
	for f, want := range map[float64]string{
		0: "0", 0.1: "0.1", -2.5: "-2.5", 1234567: "1234567", 1e21: "1e+21", 1e-7: "1e-7",
		math.Inf(1): "Infinity", math.Inf(-1): "-Infinity", math.MaxFloat64: "1.7976931348623157e+308",
	} {
		text(t, f, want, &wrapperspb.DoubleValue{Value: f})
	}
	for d, want := range map[time.Duration]string{
		0: "0s", 1500 * time.Millisecond: "1.5s", 90 * time.Second: "90s", -time.Second: "-1s",
		time.Nanosecond: "0.000000001s", -100 * time.Millisecond: "-0.1s", time.Hour + 50*time.Microsecond: "3600.00005s",
		math.MaxInt64: "9223372036.854775807s", math.MinInt64: "-9223372036.854775808s",
	} {
		text(t, d, want, durationpb.New(d))
	}
	for want, at := range map[string]time.Time{
		"2026-01-02T03:04:05Z":           time.Date(2026, 1, 2, 4, 4, 5, 0, time.FixedZone("CET", 3600)),
		"2026-01-02T03:04:05.000000001Z": time.Date(2026, 1, 2, 3, 4, 5, 1, time.UTC),
		"2026-01-02T03:04:05.5Z":         time.Date(2026, 1, 2, 3, 4, 5, 5e8, time.UTC),
		"0001-01-01T00:00:00Z":           {},
	} {
		text(t, at, want, timestamppb.New(at))
	}
	if got := errors.Value[time.Time](arrived(t, "2026-01-02T04:04:05+01:00"), "limit"); got != time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) {
		t.Errorf("a time of another zone is %v", got)
	}
	if got := arrived(t, math.NaN()); got.Metadata["limit"] != "NaN" || !math.IsNaN(errors.Value[float64](got, "limit")) {
		t.Errorf("NaN arrives as %v", got.Metadata)
	}
}

// text sends a value and looks at its text, in the metadata and in the message; at
// the value that is read from it; and at what protobuf's JSON reads from it, if there
// is a message for that.
func text[T string | bool | int64 | float64 | time.Time | time.Duration](t *testing.T, value T, want string, m proto.Message) {
	t.Helper()
	e := arrived(t, value)
	if got := e.Metadata["limit"]; got != want || e.Message() != "limit is "+want {
		t.Errorf("%v travels as %q, in %q, want %q", value, got, e.Message(), want)
	}
	got := errors.Value[T](e, "limit")
	if at, isTime := any(value).(time.Time); isTime {
		if !at.Equal(any(got).(time.Time)) {
			t.Errorf("%v arrives as %v", value, got)
		}
	} else if any(got) != any(value) {
		t.Errorf("%v arrives as %v", value, got)
	}
	if m == nil {
		return
	}
	read := m.ProtoReflect().New().Interface()
	quoted := want
	if last := want[len(want)-1]; last > '9' && want != "true" && want != "false" { // with a unit, a zone, or infinite
		quoted = `"` + want + `"`
	}
	if err := protojson.Unmarshal([]byte(quoted), read); err != nil || !proto.Equal(read, m) {
		t.Errorf("protobuf reads %s as %v, %v, want %v", quoted, read, err, m)
	}
}

// What an error says is not worth the error: text of another contract, and text that
// was cut, is zero, and stays in the metadata.
func TestValueThatIsNone(t *testing.T) {
	for _, test := range []struct {
		text string
		read func(*errors.Error) any
		zero any
	}{
		{"many", read[int64], int64(0)},
		{"", read[int64], int64(0)},
		{"1.5", read[int64], int64(0)},
		{"9223372036854775808", read[int64], int64(0)},
		{"12…", read[int64], int64(0)},
		{"1e999", read[float64], 0.0},
		{"1,5", read[float64], 0.0},
		{"yes", read[bool], false},
		{"90", read[time.Duration], time.Duration(0)},
		{"99999999999s", read[time.Duration], time.Duration(0)},
		{"yesterday", read[time.Time], time.Time{}},
		{"2026-01-02", read[time.Time], time.Time{}},
		{"2026-01-02T03:04:05", read[time.Time], time.Time{}},
	} {
		e := arrived(t, test.text)
		if got := test.read(e); got != test.zero || e.Metadata["limit"] != test.text {
			t.Errorf("%q is read as %v, want %v, and stays as %q", test.text, got, test.zero, e.Metadata["limit"])
		}
	}
	if got := errors.Value[string](full.New(), "limit"); got != "" {
		t.Errorf("what is not there is %q", got)
	}
}

func read[T string | bool | int64 | float64 | time.Time | time.Duration](e *errors.Error) any {
	return errors.Value[T](e, "limit")
}

// Values of other types than placeholders have are text too.
func TestNewWritesWhatItGets(t *testing.T) {
	e := full.New("limit", 7, "state", codes.NotFound, "last")
	if len(e.Metadata) != 3 || e.Metadata["limit"] != "7" || e.Metadata["state"] != "NotFound" || e.Metadata["last"] != "" {
		t.Errorf("metadata is %v", e.Metadata)
	}
	if e := full.New(); e.Metadata != nil {
		t.Errorf("without metadata it is %v, want nil", e.Metadata)
	}
}
