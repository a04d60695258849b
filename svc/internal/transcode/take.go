package transcode

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// parser appends the value that a text says, as a taker does. It does not keep the text.
type parser func(out, text []byte) ([]byte, bool)

// parsers are those of scalars, but for enums.
var parsers = map[protoreflect.Kind]parser{
	protoreflect.BoolKind:     parseBool,
	protoreflect.Int32Kind:    signed(32, protowire.AppendVarint),
	protoreflect.Sint32Kind:   signed(32, appendZigZag),
	protoreflect.Sfixed32Kind: signed(32, appendFixed32),
	protoreflect.Int64Kind:    signed(64, protowire.AppendVarint),
	protoreflect.Sint64Kind:   signed(64, appendZigZag),
	protoreflect.Sfixed64Kind: signed(64, protowire.AppendFixed64),
	protoreflect.Uint32Kind:   unsigned(32, protowire.AppendVarint),
	protoreflect.Fixed32Kind:  unsigned(32, appendFixed32),
	protoreflect.Uint64Kind:   unsigned(64, protowire.AppendVarint),
	protoreflect.Fixed64Kind:  unsigned(64, protowire.AppendFixed64),
	protoreflect.FloatKind:    parseFloat,
	protoreflect.DoubleKind:   parseDouble,
	protoreflect.StringKind:   parseText,
	protoreflect.BytesKind:    parseBytes,
}

// wires are the types of the wire format that kinds have, but for varints.
var wires = map[protoreflect.Kind]protowire.Type{
	protoreflect.Sfixed32Kind: protowire.Fixed32Type,
	protoreflect.Fixed32Kind:  protowire.Fixed32Type,
	protoreflect.FloatKind:    protowire.Fixed32Type,
	protoreflect.Sfixed64Kind: protowire.Fixed64Type,
	protoreflect.Fixed64Kind:  protowire.Fixed64Type,
	protoreflect.DoubleKind:   protowire.Fixed64Type,
	protoreflect.StringKind:   protowire.BytesType,
	protoreflect.BytesKind:    protowire.BytesType,
	protoreflect.MessageKind:  protowire.BytesType,
	protoreflect.GroupKind:    protowire.StartGroupType,
}

func appendZigZag(out []byte, n uint64) []byte {
	return protowire.AppendVarint(out, protowire.EncodeZigZag(int64(n)))
}

func appendFixed32(out []byte, n uint64) []byte { return protowire.AppendFixed32(out, uint32(n)) }

// takeScalar reads texts in quotes, booleans without, and numbers either way.
func takeScalar(kind protoreflect.Kind) taker {
	parse := parsers[kind]
	switch kind {
	case protoreflect.BoolKind:
		return func(out []byte, in *input) ([]byte, bool) { return parse(out, in.word()) }
	case protoreflect.StringKind, protoreflect.BytesKind:
		return takeText(parse)
	}
	quoted := takeText(parse)
	return func(out []byte, in *input) ([]byte, bool) {
		if in.next() == '"' {
			return quoted(out, in)
		}
		return parse(out, in.number())
	}
}

func takeText(parse parser) taker {
	return func(out []byte, in *input) ([]byte, bool) {
		text, ok := in.text()
		if !ok {
			return out, false
		}
		return parse(out, text)
	}
}

func parseBool(out, text []byte) ([]byte, bool) {
	isTrue := string(text) == "true"
	return protowire.AppendVarint(out, protowire.EncodeBool(isTrue)), isTrue || string(text) == "false"
}

// signed leaves -0 to protojson, which is another text for 0.
func signed(bits int, encode func([]byte, uint64) []byte) parser {
	return func(out, text []byte) ([]byte, bool) {
		n, err := strconv.ParseInt(string(text), 10, bits)
		return encode(out, uint64(n)), err == nil && isPlain(text) && (n != 0 || len(text) == 1)
	}
}

func unsigned(bits int, encode func([]byte, uint64) []byte) parser {
	return func(out, text []byte) ([]byte, bool) {
		n, err := strconv.ParseUint(string(text), 10, bits)
		return encode(out, n), err == nil && isPlain(text)
	}
}

func parseFloat(out, text []byte) ([]byte, bool) {
	n, ok := floatFrom(text, 32)
	return protowire.AppendFixed32(out, math.Float32bits(float32(n))), ok
}

func parseDouble(out, text []byte) ([]byte, bool) {
	n, ok := floatFrom(text, 64)
	return protowire.AppendFixed64(out, math.Float64bits(n)), ok
}

func floatFrom(text []byte, bits int) (float64, bool) {
	switch string(text) {
	case "NaN", "Infinity", "-Infinity":
		n, err := strconv.ParseFloat(string(text), bits)
		return n, err == nil
	}
	if _, after, found := bytes.Cut(text, []byte(".")); found && (len(after) == 0 || !isDigit(after[0])) {
		return 0, false
	}
	n, err := strconv.ParseFloat(string(text), bits)
	return n, err == nil && isPlain(text) && len(bytes.Trim(text, inNumber)) == 0
}

// isPlain reports whether what package strconv takes for a number begins as JSON has it:
// without a plus, and without zeros before other digits.
func isPlain(text []byte) bool {
	if len(text) > 0 && text[0] == '-' {
		text = text[1:]
	}
	return len(text) > 0 && isDigit(text[0]) && (text[0] != '0' || len(text) == 1 || !isDigit(text[1]))
}

func parseText(out, text []byte) ([]byte, bool) { return protowire.AppendBytes(out, text), true }

func parseBytes(out, text []byte) ([]byte, bool) {
	start := len(out)
	out, err := encodingOf(text).AppendDecode(append(out, 0), text)
	return withLength(out, start), err == nil
}

// takeEnum reads names, and numbers without quotes. Those of closed enums too: they are
// fields in Go, whatever they are elsewhere.
func takeEnum(ed protoreflect.EnumDescriptor) taker {
	parse := parsers[protoreflect.Int32Kind]
	numbers := make(map[string]protoreflect.EnumNumber, ed.Values().Len())
	for i := range ed.Values().Len() {
		value := ed.Values().Get(i)
		numbers[string(value.Name())] = value.Number()
	}
	return func(out []byte, in *input) ([]byte, bool) {
		if in.next() != '"' {
			return parse(out, in.number())
		}
		name, ok := in.text()
		n, has := numbers[string(name)]
		return protowire.AppendVarint(out, uint64(n)), ok && has
	}
}

// takeTime reads a Timestamp. Package time takes more digits of a second than it keeps.
func takeTime(out []byte, in *input) ([]byte, bool) {
	text, ok := in.text()
	if !ok {
		return out, false
	}
	t, err := time.Parse(time.RFC3339Nano, string(text))
	point, zone := bytes.LastIndexByte(text, '.'), bytes.LastIndexAny(text, "Z-+")
	if err != nil || point >= 0 && zone-point > len(".999999999") {
		return out, false
	}
	m := timestamppb.Timestamp{Seconds: t.Unix(), Nanos: int32(t.Nanosecond())}
	out = protowire.AppendVarint(protowire.AppendTag(out, 1, protowire.VarintType), uint64(m.Seconds))
	out = protowire.AppendVarint(protowire.AppendTag(out, 2, protowire.VarintType), uint64(m.Nanos))
	return out, m.IsValid()
}

// shallow decodes what lies within maxNesting messages, far from protojson's own limit.
var shallow = protojson.UnmarshalOptions{AllowPartial: true, RecursionLimit: maxNesting}

// takeByProtojson has protojson read a value. It takes 1e for a number, which is no JSON.
func takeByProtojson(md protoreflect.MessageDescriptor) taker {
	of, err := protoregistry.GlobalTypes.FindMessageByName(md.FullName())
	if err != nil || of.Descriptor() != md {
		return func(out []byte, _ *input) ([]byte, bool) { return out, false }
	}
	return func(out []byte, in *input) ([]byte, bool) {
		value, m := in.value(), of.New().Interface()
		if !json.Valid(value) || shallow.Unmarshal(value, m) != nil {
			return out, false
		}
		out, err := proto.MarshalOptions{AllowPartial: true}.MarshalAppend(out, m)
		return out, err == nil
	}
}
