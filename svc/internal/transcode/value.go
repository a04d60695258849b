package transcode

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/internal/cut"
)

// maxShown is how many bytes of what a client sent a description shows.
const maxShown = 64

// wants says what the text of a scalar must be.
var wants = map[protoreflect.Kind]string{
	protoreflect.BoolKind:     "true or false",
	protoreflect.Int32Kind:    "an integer of 32 bits",
	protoreflect.Sint32Kind:   "an integer of 32 bits",
	protoreflect.Sfixed32Kind: "an integer of 32 bits",
	protoreflect.Int64Kind:    "an integer of 64 bits",
	protoreflect.Sint64Kind:   "an integer of 64 bits",
	protoreflect.Sfixed64Kind: "an integer of 64 bits",
	protoreflect.Uint32Kind:   "a non-negative integer of 32 bits",
	protoreflect.Fixed32Kind:  "a non-negative integer of 32 bits",
	protoreflect.Uint64Kind:   "a non-negative integer of 64 bits",
	protoreflect.Fixed64Kind:  "a non-negative integer of 64 bits",
	protoreflect.FloatKind:    "a number of 32 bits, NaN, Infinity or -Infinity",
	protoreflect.DoubleKind:   "a number of 64 bits, NaN, Infinity or -Infinity",
	protoreflect.StringKind:   "text in UTF-8",
	protoreflect.BytesKind:    "bytes in base64",
}

// form is how a message is written as a text.
type form struct {
	want string
	fill func(m protoreflect.Message, text string) bool
}

var forms = map[protoreflect.FullName]form{
	"google.protobuf.Timestamp": {`a time as "2006-01-02T15:04:05Z"`, fromJSON},
	"google.protobuf.Duration":  {`a duration in seconds as "1.5s"`, fromJSON},
	"google.protobuf.FieldMask": {`field paths as "name,address.city"`, fillPaths},
}

const wrappersFile = "google/protobuf/wrappers.proto"

// isValue reports whether one text can be a value of the field, or an element of it.
func isValue(fd protoreflect.FieldDescriptor) bool {
	md := fd.Message()
	if md == nil {
		return true
	}
	_, ok := forms[md.FullName()]
	return ok || isWrapper(md)
}

func isWrapper(md protoreflect.MessageDescriptor) bool {
	return md.ParentFile().Path() == wrappersFile
}

// isKnown reports whether JSON has a form of its own for a message, without its fields.
func isKnown(md protoreflect.MessageDescriptor) bool {
	switch md.FullName() {
	case "google.protobuf.Any", "google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue":
		return true
	}
	_, ok := forms[md.FullName()]
	return ok || isWrapper(md)
}

// parse returns what a text says. The empty value is where a message goes.
func parse(fd protoreflect.FieldDescriptor, empty protoreflect.Value, text string) (value protoreflect.Value, fault string) {
	md := fd.Message()
	if md == nil {
		return parseScalar(fd, text)
	}
	if isWrapper(md) {
		inner := md.Fields().ByName("value")
		value, fault := parseScalar(inner, text)
		if fault == "" {
			empty.Message().Set(inner, value)
		}
		return empty, fault
	}
	f := forms[md.FullName()]
	if !utf8.ValidString(text) || !f.fill(empty.Message(), text) {
		return empty, mustBe(f.want, text)
	}
	return empty, ""
}

func parseScalar(fd protoreflect.FieldDescriptor, text string) (value protoreflect.Value, fault string) {
	if fd.Kind() == protoreflect.EnumKind {
		if number, ok := enumNumber(fd.Enum(), text); ok {
			return protoreflect.ValueOfEnum(number), ""
		}
		return value, mustBe("a name or a number of "+string(fd.Enum().FullName()), text)
	}
	value, ok := scalarOf(fd.Kind(), text)
	if !ok {
		fault = mustBe(wants[fd.Kind()], text)
	}
	return value, fault
}

func mustBe(want, text string) string {
	if !utf8.ValidString(text) {
		return "must be " + want
	}
	return fmt.Sprintf("must be %s, not %q", want, cut.Text(text, maxShown))
}

func scalarOf(kind protoreflect.Kind, text string) (protoreflect.Value, bool) {
	switch kind {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(text == "true"), text == "true" || text == "false"
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		n, ok := parseInt(text, 32)
		return protoreflect.ValueOfInt32(int32(n)), ok
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		n, ok := parseInt(text, 64)
		return protoreflect.ValueOfInt64(n), ok
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		n, ok := parseUint(text, 32)
		return protoreflect.ValueOfUint32(uint32(n)), ok
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		n, ok := parseUint(text, 64)
		return protoreflect.ValueOfUint64(n), ok
	case protoreflect.FloatKind:
		var w wrapperspb.FloatValue
		ok := fromJSON(w.ProtoReflect(), text)
		return protoreflect.ValueOfFloat32(w.GetValue()), ok
	case protoreflect.DoubleKind:
		var w wrapperspb.DoubleValue
		ok := fromJSON(w.ProtoReflect(), text)
		return protoreflect.ValueOfFloat64(w.GetValue()), ok
	case protoreflect.BytesKind:
		data, err := encodingOf([]byte(text)).DecodeString(text)
		return protoreflect.ValueOfBytes(data), err == nil
	default: // a string: enums and messages are parsed elsewhere
		return protoreflect.ValueOfString(text), utf8.ValidString(text)
	}
}

// fromJSON reads a text as protojson reads a string of the message's type, so that the
// forms are the same in a query and in a body.
func fromJSON(m protoreflect.Message, text string) bool {
	quoted, err := json.Marshal(text)
	return err == nil && protojson.Unmarshal(quoted, m.Interface()) == nil
}

// parseInt takes other forms of a number, 1e3 or 1.0, as protojson takes them.
func parseInt(text string, bits int) (int64, bool) {
	if isDecimal(strings.TrimPrefix(text, "-")) {
		n, err := strconv.ParseInt(text, 10, bits)
		return n, err == nil
	}
	var w wrapperspb.Int64Value
	ok := fromJSON(w.ProtoReflect(), text)
	n := w.GetValue()
	return n, ok && (bits == 64 || int64(int32(n)) == n)
}

func parseUint(text string, bits int) (uint64, bool) {
	if isDecimal(text) {
		n, err := strconv.ParseUint(text, 10, bits)
		return n, err == nil
	}
	var w wrapperspb.UInt64Value
	ok := fromJSON(w.ProtoReflect(), text)
	n := w.GetValue()
	return n, ok && (bits == 64 || uint64(uint32(n)) == n)
}

// isDecimal reports whether a text is digits as JSON has them: without leading zeros.
func isDecimal(text string) bool {
	if text == "" || text[0] == '0' && len(text) > 1 {
		return false
	}
	return strings.Trim(text, "0123456789") == ""
}

// encodingOf returns the base64 of a text: of URLs or not, padded or not.
func encodingOf(text []byte) *base64.Encoding {
	padded, bare := base64.StdEncoding, base64.RawStdEncoding
	if bytes.ContainsAny(text, "-_") {
		padded, bare = base64.URLEncoding, base64.RawURLEncoding
	}
	if len(text)%4 != 0 {
		return bare
	}
	return padded
}

// enumNumber takes numbers without a name where the enum is open, as protojson does. A
// closed one could not hold them.
func enumNumber(ed protoreflect.EnumDescriptor, text string) (protoreflect.EnumNumber, bool) {
	if value := ed.Values().ByName(protoreflect.Name(text)); value != nil {
		return value.Number(), true
	}
	n, ok := parseInt(text, 32)
	number := protoreflect.EnumNumber(n)
	return number, ok && (!ed.IsClosed() || ed.Values().ByNumber(number) != nil)
}

// fillPaths takes paths with names as in JSON, or as in the contract, which protojson
// does not.
func fillPaths(m protoreflect.Message, text string) bool {
	text = strings.TrimSpace(text)
	if text == "" {
		return true
	}
	fd := m.Descriptor().Fields().ByName("paths")
	paths := m.Mutable(fd).List()
	for name := range strings.SplitSeq(text, ",") {
		if !strings.Contains(name, "_") {
			name = snakeCase(name)
		}
		if !protoreflect.FullName(name).IsValid() {
			return false
		}
		paths.Append(protoreflect.ValueOfString(name))
	}
	return true
}

func snakeCase(name string) string {
	var out strings.Builder
	for _, c := range []byte(name) {
		if 'A' <= c && c <= 'Z' {
			out.WriteByte('_')
			c += 'a' - 'A'
		}
		out.WriteByte(c)
	}
	return out.String()
}
