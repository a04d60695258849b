package vanguard_test

import (
	"math"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"
)

// fill sets some of the fields of a message.
func (g generator) fill(m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		if g.IntN(12) == 0 {
			g.set(m, fields.Get(i), depth)
		}
	}
}

// set sets a field to a random value.
func (g generator) set(m protoreflect.Message, fd protoreflect.FieldDescriptor, depth int) {
	switch {
	case fd.IsMap():
		entries := m.Mutable(fd).Map()
		for range 1 + g.IntN(2) {
			value := entries.NewValue()
			if fd.MapValue().Message() != nil {
				g.message(value.Message(), depth+1)
			} else {
				value = g.scalar(fd.MapValue())
			}
			entries.Set(g.scalar(fd.MapKey()).MapKey(), value)
		}
	case fd.IsList():
		list := m.Mutable(fd).List()
		for range 1 + g.IntN(3) {
			if fd.Message() != nil {
				g.message(list.AppendMutable().Message(), depth+1)
			} else {
				list.Append(g.scalar(fd))
			}
		}
	case fd.Message() != nil:
		value := m.NewField(fd)
		g.message(value.Message(), depth+1)
		m.Set(fd, value)
	default:
		m.Set(fd, g.scalar(fd))
	}
}

// message fills a message, which may be one that has a form of its own in JSON.
func (g generator) message(m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	switch name := m.Descriptor().FullName(); {
	case name == "google.protobuf.Timestamp":
		m.Set(fields.ByName("seconds"), protoreflect.ValueOfInt64(g.Int64N(4e9)))
		m.Set(fields.ByName("nanos"), protoreflect.ValueOfInt32(pick(g.Rand, []int32{0, 5e8, 123456789, 1000})))
	case name == "google.protobuf.Duration":
		m.Set(fields.ByName("seconds"), protoreflect.ValueOfInt64(g.Int64N(1e6)))
		m.Set(fields.ByName("nanos"), protoreflect.ValueOfInt32(pick(g.Rand, []int32{0, 5e8, 1})))
	case name == "google.protobuf.FieldMask":
		paths := m.Mutable(fields.ByName("paths")).List()
		for range 1 + g.IntN(2) {
			paths.Append(protoreflect.ValueOfString(pick(g.Rand, []string{"name", "leaf.big_number", "a_string"})))
		}
	case name == "google.protobuf.Struct":
		value, _ := structpb.NewStruct(map[string]any{"a": g.word(), "b": []any{1.5, true, nil}})
		entries := m.Mutable(fields.ByName("fields")).Map()
		value.ProtoReflect().Get(structField).Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
			copyInto(entries.Mutable(k).Message(), v.Message())
			return true
		})
	case strings.HasPrefix(string(name), "google.protobuf."):
		g.set(m, fields.ByName("value"), depth)
	case depth < 4:
		g.fill(m, depth)
	}
}

func (g generator) scalar(fd protoreflect.FieldDescriptor) protoreflect.Value {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(g.IntN(2) == 0)
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(pick(g.Rand, []int32{0, 1, -1, math.MaxInt32, math.MinInt32, 4711}))
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(pick(g.Rand, []int64{0, 1, -1, math.MaxInt64, math.MinInt64, 1 << 53}))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(pick(g.Rand, []uint32{0, 1, math.MaxUint32}))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(pick(g.Rand, []uint64{0, 1, math.MaxUint64, 1<<53 + 1}))
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(float32(g.number()))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(g.number())
	case protoreflect.BytesKind:
		out := make([]byte, g.IntN(6))
		for i := range out {
			out[i] = byte(g.IntN(256))
		}
		return protoreflect.ValueOfBytes(out)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(pick(g.Rand, []protoreflect.EnumNumber{0, 1, 7, -1, 99}))
	}
	return protoreflect.ValueOfString(g.word())
}

func (g generator) number() float64 {
	return pick(g.Rand, []float64{0, 1, -2.5, 1e30, 1e-7, math.NaN(), math.Inf(1), math.Inf(-1), 16777216})
}

// word is a text with what means something in URLs and in JSON.
func (g generator) word() string {
	if g.IntN(2) == 0 {
		return pick(g.Rand, []string{"", "milk", "Eggs", "a-b_c.d~", `"quoted"`})
	}
	var out strings.Builder
	for range g.IntN(5) {
		out.WriteString(pick(g.Rand, []string{"a", "Z", "7", " ", "/", ":", "%", "+", "&", "=", "?", "#", "\"", "\\", "ü", "世", ".", "-", "_", "~", ",", "[", "]", "null", "true", "\n", ":go"}))
	}
	return out.String()
}

var structField = (&structpb.Struct{}).ProtoReflect().Descriptor().Fields().ByName("fields")

// copyInto copies a message of generated code into a dynamic one.
func copyInto(to, from protoreflect.Message) {
	data, err := proto.Marshal(from.Interface())
	if err == nil {
		err = proto.Unmarshal(data, to.Interface())
	}
	if err != nil {
		panic(err) // they have one type
	}
}
