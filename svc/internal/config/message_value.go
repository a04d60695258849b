package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	pr "google.golang.org/protobuf/reflect/protoreflect"
)

// single is a field, element or map value that is one scalar in YAML: a scalar
// of protobuf, an enum, or a well-known message with a form of its own.
type single struct {
	fd     pr.FieldDescriptor
	load   func() pr.Value
	blank  func() pr.Value // a new value of the type, to be stored
	store  func(pr.Value)
	exists func() bool
	secret secrecy
}

func (s single) present() bool    { return s.exists() }
func (s single) secrecy() secrecy { return s.secret }

// wellKnown are the messages that are scalars in YAML. Each reads into an empty
// message and writes from a filled one, by field numbers, so that generated and
// dynamic messages are alike.
var wellKnown = map[pr.FullName]struct {
	read  func(into pr.Message, s scalar) error
	write func(from pr.Message) scalar
}{
	"google.protobuf.Duration":    {readDuration, writeDuration},
	"google.protobuf.Timestamp":   {readTimestamp, writeTimestamp},
	"google.protobuf.DoubleValue": {readWrapper, writeWrapper},
	"google.protobuf.FloatValue":  {readWrapper, writeWrapper},
	"google.protobuf.Int64Value":  {readWrapper, writeWrapper},
	"google.protobuf.UInt64Value": {readWrapper, writeWrapper},
	"google.protobuf.Int32Value":  {readWrapper, writeWrapper},
	"google.protobuf.UInt32Value": {readWrapper, writeWrapper},
	"google.protobuf.BoolValue":   {readWrapper, writeWrapper},
	"google.protobuf.StringValue": {readWrapper, writeWrapper},
	"google.protobuf.BytesValue":  {readWrapper, writeWrapper},
	maskName:                      {readMask, writeMask},
}

const maskName pr.FullName = "google.protobuf.FieldMask"

// isSingle reports whether values of fd are single ones in YAML.
func isSingle(fd pr.FieldDescriptor) bool {
	if fd.Message() == nil {
		return true
	}
	_, special := wellKnown[fd.Message().FullName()]
	return special
}

func isMask(fd pr.FieldDescriptor) bool {
	return fd.Message() != nil && fd.Message().FullName() == maskName
}

func (s single) set(text scalar) error {
	if s.fd.Message() == nil {
		v, err := parseScalar(s.fd, text)
		if err == nil {
			s.store(v)
		}
		return err
	}
	v := s.blank()
	err := wellKnown[s.fd.Message().FullName()].read(v.Message(), text)
	if err == nil {
		s.store(v)
	}
	return err
}

func (s single) get() scalar {
	if m := s.fd.Message(); m != nil {
		return wellKnown[m.FullName()].write(s.load().Message())
	}
	return formatScalar(s.fd, s.load())
}

// parseScalar reads s as the kind of fd; cardinality does not matter.
func parseScalar(fd pr.FieldDescriptor, s scalar) (pr.Value, error) {
	switch fd.Kind() {
	case pr.BoolKind:
		b, err := s.bool()
		return pr.ValueOfBool(b), err
	case pr.Int32Kind, pr.Sint32Kind, pr.Sfixed32Kind:
		n, err := s.int(32)
		return pr.ValueOfInt32(int32(n)), err
	case pr.Int64Kind, pr.Sint64Kind, pr.Sfixed64Kind:
		n, err := s.int(64)
		return pr.ValueOfInt64(n), err
	case pr.Uint32Kind, pr.Fixed32Kind:
		n, err := s.uint(32)
		return pr.ValueOfUint32(uint32(n)), err
	case pr.Uint64Kind, pr.Fixed64Kind:
		n, err := s.uint(64)
		return pr.ValueOfUint64(n), err
	case pr.FloatKind:
		n, err := s.float(32)
		return pr.ValueOfFloat32(float32(n)), err
	case pr.DoubleKind:
		n, err := s.float(64)
		return pr.ValueOfFloat64(n), err
	case pr.BytesKind:
		b, err := s.bytes()
		return pr.ValueOfBytes(b), err
	case pr.EnumKind:
		n, err := parseEnum(fd.Enum(), s)
		return pr.ValueOfEnum(n), err
	default:
		text, err := s.string()
		return pr.ValueOfString(text), err
	}
}

func formatScalar(fd pr.FieldDescriptor, v pr.Value) scalar {
	switch fd.Kind() {
	case pr.BoolKind:
		return ofBool(v.Bool())
	case pr.Int32Kind, pr.Sint32Kind, pr.Sfixed32Kind, pr.Int64Kind, pr.Sint64Kind, pr.Sfixed64Kind:
		return ofInt(v.Int())
	case pr.Uint32Kind, pr.Fixed32Kind, pr.Uint64Kind, pr.Fixed64Kind:
		return ofUint(v.Uint())
	case pr.FloatKind:
		return ofFloat(v.Float(), 32)
	case pr.DoubleKind:
		return ofFloat(v.Float(), 64)
	case pr.BytesKind:
		return ofBytes(v.Bytes())
	case pr.EnumKind:
		return formatEnum(fd.Enum(), v.Enum())
	default:
		return ofString(v.String())
	}
}

func parseEnum(e pr.EnumDescriptor, s scalar) (pr.EnumNumber, error) {
	if v := e.Values().ByName(pr.Name(s.text)); v != nil {
		return v.Number(), nil
	}
	var names []string
	for i := range e.Values().Len() {
		names = append(names, string(e.Values().Get(i).Name()))
	}
	if near := nearest(s.text, names, likely(s.text)); near != "" {
		return 0, fmt.Errorf("want a value of %s (did you mean %q)", e.FullName(), near)
	}
	return 0, fmt.Errorf("want one of %q", names)
}

func formatEnum(e pr.EnumDescriptor, n pr.EnumNumber) scalar {
	if v := e.Values().ByNumber(n); v != nil {
		return ofString(string(v.Name()))
	}
	return ofInt(int64(n))
}

// Duration and Timestamp have the same two fields.
const (
	secondsField = 1
	nanosField   = 2
)

func setParts(m pr.Message, seconds int64, nanos int32) {
	fields := m.Descriptor().Fields()
	m.Set(fields.ByNumber(secondsField), pr.ValueOfInt64(seconds))
	m.Set(fields.ByNumber(nanosField), pr.ValueOfInt32(nanos))
}

func parts(m pr.Message) (seconds, nanos int64) {
	fields := m.Descriptor().Fields()
	return m.Get(fields.ByNumber(secondsField)).Int(), m.Get(fields.ByNumber(nanosField)).Int()
}

func readDuration(into pr.Message, s scalar) error {
	d, err := s.duration()
	setParts(into, int64(d/time.Second), int32(d%time.Second))
	return err
}

func writeDuration(from pr.Message) scalar {
	seconds, nanos := parts(from)
	return ofString((time.Duration(seconds)*time.Second + time.Duration(nanos)).String())
}

func readTimestamp(into pr.Message, s scalar) error {
	t, err := s.time()
	setParts(into, t.Unix(), int32(t.Nanosecond()))
	return err
}

func writeTimestamp(from pr.Message) scalar {
	return ofString(time.Unix(parts(from)).UTC().Format(time.RFC3339Nano))
}

// A wrapper has one field, called value.
func readWrapper(into pr.Message, s scalar) error {
	fd := into.Descriptor().Fields().ByName("value")
	v, err := parseScalar(fd, s)
	if err == nil {
		into.Set(fd, v)
	}
	return err
}

func writeWrapper(from pr.Message) scalar {
	fd := from.Descriptor().Fields().ByName("value")
	return formatScalar(fd, from.Get(fd))
}

// maskPath is the path of a field, or with a star of all fields there (AIP-161).
var maskPath = regexp.MustCompile(`^([A-Za-z_]\w*|\*)(\.([A-Za-z_]\w*|\*))*$`)

var errMask = errors.New(`want the paths of fields such as "name,address.postal_code"`)

func readMask(into pr.Message, s scalar) error {
	text, err := s.string()
	if err != nil {
		return errMask
	}
	paths := into.Mutable(maskPaths(into)).List()
	for _, path := range split(text) {
		if !maskPath.MatchString(path) {
			return errMask
		}
		paths.Append(pr.ValueOfString(path))
	}
	return nil
}

func writeMask(from pr.Message) scalar {
	list := from.Get(maskPaths(from)).List()
	paths := make([]string, list.Len())
	for i := range paths {
		paths[i] = list.Get(i).String()
	}
	return ofString(strings.Join(paths, ","))
}

func maskPaths(m pr.Message) pr.FieldDescriptor { return m.Descriptor().Fields().ByName("paths") }
