package transcode_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/apipb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/typepb"

	"github.com/protosvc/protosvc/svc/internal/transcode"
)

// asProtojson fails unless a message is answered as protojson writes it, but for space.
func asProtojson(t *testing.T, m proto.Message) {
	t.Helper()
	_, got, err := plan(t, m, transcode.Rule{}).Response(m)
	text, wantErr := protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(m)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%v: %v, want %v", m, err, wantErr)
	}
	var want bytes.Buffer
	if err == nil && (json.Compact(&want, text) != nil || string(got) != want.String()+"\n") {
		t.Fatalf("%s\nwant %s", got, want.String())
	}
}

func TestAsProtojson(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		m := message("Kinds")
		fill(r, m, 0)
		asProtojson(t, m)
	}
	for range 50 {
		for _, m := range []proto.Message{&typepb.Type{}, &apipb.Api{}, &descriptorpb.FileDescriptorProto{}, &timestamppb.Timestamp{}, message("Required")} {
			fill(r, m.ProtoReflect(), 0)
			asProtojson(t, m)
		}
	}
}

func TestTimesAsProtojson(t *testing.T) {
	for _, seconds := range []int64{0, -1, 1767323045, -62135596800, 253402300799, -62135596801, 253402300800} {
		for _, nanos := range []int32{0, 1, 100, 120e3, 123456e3, 5e6, 678e6, 100e6, 999999999, 1e9, 1e9 + 1, -1} {
			asProtojson(t, &timestamppb.Timestamp{Seconds: seconds, Nanos: nanos})
		}
	}
}

func TestExtensionsAsProtojson(t *testing.T) {
	m := &descriptorpb.MethodDescriptorProto{Options: &descriptorpb.MethodOptions{}}
	proto.SetExtension(m.Options, annotations.E_Http, &annotations.HttpRule{Selector: "a"})
	asProtojson(t, m)
}

// What is allocated is the buffer, and one value for each list. protojson allocates 44
// times for the first.
func TestAllocationsOfResponse(t *testing.T) {
	for _, test := range []struct {
		of   proto.Message
		most float64
	}{
		{&typepb.Enum{Name: "a", Enumvalue: []*typepb.EnumValue{{Name: "b"}, {Name: "c", Number: 1}, {Name: "d"}}}, 6},
		{&timestamppb.Timestamp{Seconds: 1767323045, Nanos: 5e6}, 1},
	} {
		p := plan(t, test.of, transcode.Rule{})
		n := testing.AllocsPerRun(100, func() { _, _, _ = p.Response(test.of) })
		if n > test.most {
			t.Errorf("%T: %v allocations, want %v at the most", test.of, n, test.most)
		}
	}
}

// A handler that answers with another type than its contract says is not refused here.
func TestResponseOfAnotherType(t *testing.T) {
	_, got, err := plan(t, message("Money"), transcode.Rule{}).Response(&typepb.Option{})
	if want := `{"name":"","value":null}` + "\n"; string(got) != want || err != nil {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
}

// fill sets some of the fields, to values that are written in ways of their own.
func fill(r *rand.Rand, m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if r.IntN(3) > 0 || depth > 3 {
			continue
		}
		switch {
		case fd.IsMap():
			for range r.IntN(4) {
				value := m.Mutable(fd).Map().NewValue()
				m.Mutable(fd).Map().Set(valueFor(r, fd.MapKey(), value, depth).MapKey(), valueFor(r, fd.MapValue(), value, depth))
			}
		case fd.IsList():
			for range r.IntN(4) {
				list := m.Mutable(fd).List()
				list.Append(valueFor(r, fd, list.NewElement(), depth))
			}
		default:
			m.Set(fd, valueFor(r, fd, m.NewField(fd), depth))
		}
	}
}

func valueFor(r *rand.Rand, fd protoreflect.FieldDescriptor, empty protoreflect.Value, depth int) protoreflect.Value {
	switch kind := fd.Kind(); kind {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		fill(r, empty.Message(), depth+1)
		return empty
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(r.IntN(2) == 0)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(r.IntN(3)))
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(r.Uint32()) >> r.IntN(32))
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(int64(r.Uint64()) >> r.IntN(64))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(r.Uint32() >> r.IntN(32))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(r.Uint64() >> r.IntN(64))
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(float32(number(r)))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(number(r))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(text(r)))
	default:
		return protoreflect.ValueOfString(text(r))
	}
}

func number(r *rand.Rand) float64 {
	special := []float64{0, math.Copysign(0, -1), 1, 0.1, 1e-6, 9.9e-7, 1e-7, 1e-10, 1e20, 1e21, 1e22, 1e38, 1e-38, math.NaN(), math.Inf(1), math.Inf(-1)}
	if i := r.IntN(2 * len(special)); i < len(special) {
		return special[i]
	}
	return (r.Float64() - 0.5) * math.Pow(10, float64(r.IntN(60)-30))
}

// text is UTF-8, but for one in a hundred.
func text(r *rand.Rand) string {
	pieces := []string{"a", "B9", " ", `"`, `\`, "/", "<&>", "é", "世", "😀", "\ufffd", "\u2028", "\x7f", "\b\f\n\r\t", string(rune(r.IntN(32)))}
	if r.IntN(100) == 0 {
		return "a\xff"
	}
	out := ""
	for range r.IntN(5) {
		out += pieces[r.IntN(len(pieces))]
	}
	return out
}
