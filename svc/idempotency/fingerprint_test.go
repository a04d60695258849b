package idempotency

import (
	"encoding/hex"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/typepb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Fingerprints are stored: another value for the same request would have every
// repetition of an old request refused.
func TestFingerprintNeverChanges(t *testing.T) {
	m := &request{Reason: "key", Domain: "d", Metadata: map[string]string{"b": "2", "a": "1", "c": ""}}
	const want = "7be141842e6cc2248db41223a9614566da3c7a7880720ad308f2036c8004d2bf"
	for range 20 { // maps are read in random order
		if got := hex.EncodeToString(fingerprint(m.ProtoReflect(), "reason")); got != want {
			t.Fatalf("fingerprint is %s, was %s", got, want)
		}
	}
}

func TestFingerprintTellsRequestsApart(t *testing.T) {
	value := func(v any) *structpb.Value {
		s, err := structpb.NewValue(v)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	seen := map[string]int{}
	for i, m := range []proto.Message{
		&request{}, &request{Domain: "a"}, &request{Domain: "b"}, &request{Metadata: map[string]string{"a": "b"}},
		&request{Metadata: map[string]string{"ab": ""}}, &request{Metadata: map[string]string{"b": "a"}},
		value(nil), value(false), value(true), value(0), value(1.5), value(""), value("1"), value([]any{}),
		value([]any{1, 2}), value([]any{2, 1}), value([]any{[]any{1}, 2}), value([]any{[]any{1, 2}}), value(map[string]any{"a": 1}),
	} {
		key := hex.EncodeToString(fingerprint(m.ProtoReflect(), "reason"))
		if first, taken := seen[key]; taken && i > 0 {
			t.Errorf("message %d has the fingerprint of %d", i, first)
		}
		seen[key] = i
	}
	// Of each kind of field, two values and the first again.
	for _, kind := range [][2]proto.Message{
		{wrapperspb.Bool(true), wrapperspb.Bool(false)},
		{wrapperspb.Int32(1), wrapperspb.Int32(-1)},
		{wrapperspb.Int64(1), wrapperspb.Int64(1 << 40)},
		{wrapperspb.UInt32(1), wrapperspb.UInt32(2)},
		{wrapperspb.UInt64(1), wrapperspb.UInt64(1 << 63)},
		{wrapperspb.Float(0.5), wrapperspb.Float(0.25)},
		{wrapperspb.Double(0.5), wrapperspb.Double(-0.5)},
		{wrapperspb.String("a"), wrapperspb.String("b")},
		{wrapperspb.Bytes([]byte{0}), wrapperspb.Bytes([]byte{0, 0})},
		{&typepb.Field{Kind: typepb.Field_TYPE_BOOL}, &typepb.Field{Kind: typepb.Field_TYPE_BYTES}},
	} {
		first, second := fingerprint(kind[0].ProtoReflect(), ""), fingerprint(kind[1].ProtoReflect(), "")
		if again := fingerprint(proto.Clone(kind[0]).ProtoReflect(), ""); string(first) == string(second) || string(first) != string(again) {
			t.Errorf("%T: %x and again %x, another value %x", kind[0], first, again, second)
		}
	}
	if a, b := fingerprint(of("k", "a").ProtoReflect(), "reason"), fingerprint(of("l", "a").ProtoReflect(), "reason"); string(a) != string(b) {
		t.Error("the key is part of the fingerprint")
	}
}
