package transcode

import (
	"cmp"
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// scalars write the values of a kind, but for enums.
var scalars = map[protoreflect.Kind]appender{
	protoreflect.BoolKind:     appendBool,
	protoreflect.Int32Kind:    appendInt,
	protoreflect.Sint32Kind:   appendInt,
	protoreflect.Sfixed32Kind: appendInt,
	protoreflect.Int64Kind:    quoted(appendInt),
	protoreflect.Sint64Kind:   quoted(appendInt),
	protoreflect.Sfixed64Kind: quoted(appendInt),
	protoreflect.Uint32Kind:   appendUint,
	protoreflect.Fixed32Kind:  appendUint,
	protoreflect.Uint64Kind:   quoted(appendUint),
	protoreflect.Fixed64Kind:  quoted(appendUint),
	protoreflect.FloatKind:    floatOf(32),
	protoreflect.DoubleKind:   floatOf(64),
	protoreflect.StringKind:   appendString,
	protoreflect.BytesKind:    quoted(appendBytes),
}

// quoted writes what another one writes as a string: numbers of 64 bits are more than
// JavaScript has.
func quoted(inner appender) appender {
	return func(out []byte, v protoreflect.Value) ([]byte, bool) {
		out, ok := inner(append(out, '"'), v)
		return append(out, '"'), ok
	}
}

func appendBool(out []byte, v protoreflect.Value) ([]byte, bool) {
	return strconv.AppendBool(out, v.Bool()), true
}

func appendInt(out []byte, v protoreflect.Value) ([]byte, bool) {
	return strconv.AppendInt(out, v.Int(), 10), true
}

func appendUint(out []byte, v protoreflect.Value) ([]byte, bool) {
	return strconv.AppendUint(out, v.Uint(), 10), true
}

func appendString(out []byte, v protoreflect.Value) ([]byte, bool) {
	return appendText(out, v.String())
}

func appendBytes(out []byte, v protoreflect.Value) ([]byte, bool) {
	return base64.StdEncoding.AppendEncode(out, v.Bytes()), true
}

// appendText appends a text in quotes. It gives up on what is not UTF-8.
func appendText(out []byte, text string) ([]byte, bool) {
	if !utf8.ValidString(text) {
		return out, false
	}
	out = append(out, '"')
	for {
		i := strings.IndexFunc(text, isEscaped)
		if i < 0 {
			return append(append(out, text...), '"'), true
		}
		out = appendEscape(append(out, text[:i]...), text[i])
		text = text[i+1:]
	}
}

func isEscaped(r rune) bool { return r < ' ' || r == '"' || r == '\\' }

// short are the escapes of one letter, each after its character.
const short = "\"\"\\\\\bb\ff\nn\rr\tt"

func appendEscape(out []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	if i := strings.IndexByte(short, c); i >= 0 {
		return append(out, '\\', short[i|1])
	}
	return append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// floatOf writes a number as encoding/json does, and those that JSON does not have as
// texts.
func floatOf(bits int) appender {
	return func(out []byte, v protoreflect.Value) ([]byte, bool) {
		n := v.Float()
		switch {
		case math.IsNaN(n):
			return append(out, `"NaN"`...), true
		case math.IsInf(n, 1):
			return append(out, `"Infinity"`...), true
		case math.IsInf(n, -1):
			return append(out, `"-Infinity"`...), true
		}
		abs := math.Abs(n)
		small, large := abs != 0 && abs < 1e-6, abs >= 1e21
		if bits == 32 {
			small, large = abs != 0 && float32(abs) < 1e-6, float32(abs) >= 1e21
		}
		if !small && !large {
			return strconv.AppendFloat(out, n, 'f', -1, bits), true
		}
		out = strconv.AppendFloat(out, n, 'e', -1, bits)
		if i := len(out) - 4; string(out[i:i+3]) == "e-0" {
			out = append(out[:i+2], out[i+3]) // e-09 is e-9
		}
		return out, true
	}
}

// enumOf writes the names of an enum, and numbers where it has none.
func enumOf(ed protoreflect.EnumDescriptor) appender {
	if ed.FullName() == "google.protobuf.NullValue" {
		return func(out []byte, _ protoreflect.Value) ([]byte, bool) { return append(out, "null"...), true }
	}
	return func(out []byte, v protoreflect.Value) ([]byte, bool) {
		value := ed.Values().ByNumber(v.Enum())
		if value == nil {
			return strconv.AppendInt(out, int64(v.Enum()), 10), true
		}
		out = append(append(out, '"'), value.Name()...)
		return append(out, '"'), true
	}
}

func listOf(element appender) appender {
	return func(out []byte, v protoreflect.Value) ([]byte, bool) {
		list, ok := v.List(), true
		out = append(out, '[')
		for i := range list.Len() {
			if i > 0 {
				out = append(out, ',')
			}
			if out, ok = element(out, list.Get(i)); !ok {
				return out, false
			}
		}
		return append(out, ']'), true
	}
}

// mapOf writes entries in the order of their keys.
func mapOf(value appender) appender {
	return func(out []byte, v protoreflect.Value) ([]byte, bool) {
		entries, ok := v.Map(), true
		keys := make([]protoreflect.MapKey, 0, entries.Len())
		entries.Range(func(k protoreflect.MapKey, _ protoreflect.Value) bool {
			keys = append(keys, k)
			return true
		})
		slices.SortFunc(keys, compareKeys)
		out = append(out, '{')
		for i, key := range keys {
			if i > 0 {
				out = append(out, ',')
			}
			if out, ok = appendText(out, key.String()); !ok {
				return out, false
			}
			if out, ok = value(append(out, ':'), entries.Get(key)); !ok {
				return out, false
			}
		}
		return append(out, '}'), true
	}
}

// compareKeys is the order of protojson: numbers by their values, false before true.
func compareKeys(a, b protoreflect.MapKey) int {
	switch a.Interface().(type) {
	case int32, int64:
		return cmp.Compare(a.Int(), b.Int())
	case uint32, uint64:
		return cmp.Compare(a.Uint(), b.Uint())
	}
	return cmp.Compare(a.String(), b.String()) // texts, and false before true
}

// appendTime writes a Timestamp with three, six, nine or no digits of a second.
func appendTime(out []byte, v protoreflect.Value) ([]byte, bool) {
	m, ok := v.Message().Interface().(*timestamppb.Timestamp)
	if !ok || m.CheckValid() != nil {
		return appendByProtojson(out, v)
	}
	t, nanos := m.AsTime(), m.GetNanos()
	layout := time.RFC3339
	switch {
	case nanos == 0:
	case nanos%1e6 == 0:
		layout = "2006-01-02T15:04:05.000Z07:00"
	case nanos%1e3 == 0:
		layout = "2006-01-02T15:04:05.000000Z07:00"
	default:
		layout = "2006-01-02T15:04:05.000000000Z07:00"
	}
	return append(t.AppendFormat(append(out, '"'), layout), '"'), true
}

// partial leaves out the check for required fields, which is one for all of a message.
var partial = protojson.MarshalOptions{EmitUnpopulated: true, AllowPartial: true}

func appendByProtojson(out []byte, v protoreflect.Value) ([]byte, bool) {
	out, err := appendCompact(partial, out, v.Message().Interface())
	return out, err == nil
}
