package transcode

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// parser makes a value of a text, which it does not keep.
type parser func(text []byte) (protoreflect.Value, bool)

// parsers are those of the kinds that keys of maps have.
var parsers = map[protoreflect.Kind]parser{
	protoreflect.BoolKind:     parseBool,
	protoreflect.Int32Kind:    parseInt32,
	protoreflect.Sint32Kind:   parseInt32,
	protoreflect.Sfixed32Kind: parseInt32,
	protoreflect.Int64Kind:    parseInt64,
	protoreflect.Sint64Kind:   parseInt64,
	protoreflect.Sfixed64Kind: parseInt64,
	protoreflect.Uint32Kind:   parseUint32,
	protoreflect.Fixed32Kind:  parseUint32,
	protoreflect.Uint64Kind:   parseUint64,
	protoreflect.Fixed64Kind:  parseUint64,
	protoreflect.StringKind:   parseString,
}

// takers read the values of a kind, but for enums.
var takers = map[protoreflect.Kind]taker{
	protoreflect.BoolKind:     takeBool,
	protoreflect.Int32Kind:    number(parseInt32),
	protoreflect.Sint32Kind:   number(parseInt32),
	protoreflect.Sfixed32Kind: number(parseInt32),
	protoreflect.Int64Kind:    number(parseInt64),
	protoreflect.Sint64Kind:   number(parseInt64),
	protoreflect.Sfixed64Kind: number(parseInt64),
	protoreflect.Uint32Kind:   number(parseUint32),
	protoreflect.Fixed32Kind:  number(parseUint32),
	protoreflect.Uint64Kind:   number(parseUint64),
	protoreflect.Fixed64Kind:  number(parseUint64),
	protoreflect.FloatKind:    number(parseFloat32),
	protoreflect.DoubleKind:   number(parseFloat64),
	protoreflect.StringKind:   quotedText(parseString),
	protoreflect.BytesKind:    quotedText(parseBytes),
}

// number reads a number, in quotes or not.
func number(parse parser) taker {
	return func(in *input, _ protoreflect.Value) (protoreflect.Value, bool) {
		if in.next() != '"' {
			return parse(in.number())
		}
		text, ok := in.text()
		if !ok {
			return protoreflect.Value{}, false
		}
		return parse(text)
	}
}

func quotedText(parse parser) taker {
	return func(in *input, _ protoreflect.Value) (protoreflect.Value, bool) {
		text, ok := in.text()
		if !ok {
			return protoreflect.Value{}, false
		}
		return parse(text)
	}
}

func takeBool(in *input, _ protoreflect.Value) (protoreflect.Value, bool) {
	return parseBool(in.word())
}

func parseBool(text []byte) (protoreflect.Value, bool) {
	isTrue := string(text) == "true"
	return protoreflect.ValueOfBool(isTrue), isTrue || string(text) == "false"
}

func parseInt32(text []byte) (protoreflect.Value, bool) {
	n, err := strconv.ParseInt(string(text), 10, 32)
	return protoreflect.ValueOfInt32(int32(n)), err == nil && isPlain(text)
}

func parseInt64(text []byte) (protoreflect.Value, bool) {
	n, err := strconv.ParseInt(string(text), 10, 64)
	return protoreflect.ValueOfInt64(n), err == nil && isPlain(text)
}

func parseUint32(text []byte) (protoreflect.Value, bool) {
	n, err := strconv.ParseUint(string(text), 10, 32)
	return protoreflect.ValueOfUint32(uint32(n)), err == nil && isPlain(text)
}

func parseUint64(text []byte) (protoreflect.Value, bool) {
	n, err := strconv.ParseUint(string(text), 10, 64)
	return protoreflect.ValueOfUint64(n), err == nil && isPlain(text)
}

func parseFloat32(text []byte) (protoreflect.Value, bool) {
	n, ok := floatFrom(text, 32)
	return protoreflect.ValueOfFloat32(float32(n)), ok
}

func parseFloat64(text []byte) (protoreflect.Value, bool) {
	n, ok := floatFrom(text, 64)
	return protoreflect.ValueOfFloat64(n), ok
}

func floatFrom(text []byte, bits int) (float64, bool) {
	switch string(text) {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		return math.Inf(1), true
	case "-Infinity":
		return math.Inf(-1), true
	}
	if _, after, found := bytes.Cut(text, []byte(".")); found && (len(after) == 0 || !isDigit(after[0])) {
		return 0, false
	}
	n, err := strconv.ParseFloat(string(text), bits)
	return n, err == nil && isPlain(text) && len(bytes.TrimFunc(text, inNumber)) == 0
}

// isPlain reports whether what package strconv takes for a number begins as JSON has it:
// without a plus, and without zeros before other digits.
func isPlain(text []byte) bool {
	if len(text) > 0 && text[0] == '-' {
		text = text[1:]
	}
	return len(text) > 0 && isDigit(text[0]) && (text[0] != '0' || len(text) == 1 || !isDigit(text[1]))
}

func parseString(text []byte) (protoreflect.Value, bool) {
	return protoreflect.ValueOfString(string(text)), true
}

func parseBytes(text []byte) (protoreflect.Value, bool) {
	encoding := encodingOf(text)
	data := make([]byte, encoding.DecodedLen(len(text)))
	n, err := encoding.Decode(data, text)
	return protoreflect.ValueOfBytes(data[:n]), err == nil
}

// takeEnum reads names, and numbers without quotes, of closed enums too, as protojson does.
func takeEnum(ed protoreflect.EnumDescriptor) taker {
	numbers := make(map[string]protoreflect.EnumNumber, ed.Values().Len())
	for i := range ed.Values().Len() {
		value := ed.Values().Get(i)
		numbers[string(value.Name())] = value.Number()
	}
	return func(in *input, _ protoreflect.Value) (protoreflect.Value, bool) {
		if in.next() != '"' {
			n, ok := parseInt32(in.number())
			return protoreflect.ValueOfEnum(protoreflect.EnumNumber(n.Int())), ok
		}
		name, ok := in.text()
		n, has := numbers[string(name)]
		return protoreflect.ValueOfEnum(n), ok && has
	}
}

// takeTime reads a Timestamp. Package time takes more digits of a second than it keeps.
func takeTime(in *input, empty protoreflect.Value) (protoreflect.Value, bool) {
	m, ok := empty.Message().Interface().(*timestamppb.Timestamp)
	if !ok {
		return takeByProtojson(in, empty)
	}
	text, ok := in.text()
	if !ok {
		return empty, false
	}
	t, err := time.Parse(time.RFC3339Nano, string(text))
	point, zone := bytes.LastIndexByte(text, '.'), bytes.LastIndexAny(text, "Z-+")
	if err != nil || point >= 0 && zone-point > len(".999999999") {
		return empty, false
	}
	m.Seconds, m.Nanos = t.Unix(), int32(t.Nanosecond())
	return empty, m.CheckValid() == nil
}

// shallow decodes what lies within maxNesting messages, far from protojson's own limit.
var shallow = protojson.UnmarshalOptions{AllowPartial: true, RecursionLimit: maxNesting}

// takeByProtojson has protojson read the value. It takes 1e for a number, which is no JSON.
func takeByProtojson(in *input, empty protoreflect.Value) (protoreflect.Value, bool) {
	in.next()
	w := walker{scanner: scanner{data: in.data, at: in.at}}
	w.skip(w.next())
	value := in.data[in.at:w.at]
	in.at = w.at
	return empty, json.Valid(value) && shallow.Unmarshal(value, empty.Message().Interface()) == nil
}
