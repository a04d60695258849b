package transcode

import (
	"google.golang.org/protobuf/reflect/protoreflect"
)

// layout is how the messages of a type are written in JSON. It is made once for each
// type, where protojson asks the descriptors and sorts the fields of every message.
//
// It writes what protojson writes, but without space. What it gives up on, protojson is
// asked for: the forms of well-known types that are rare, extensions, and errors.
type layout struct {
	of      protoreflect.MessageDescriptor
	members []member
	form    appender // of all of it, where it is not an object; nil: it is one
}

// appender appends a value. It reports false if it gave up, and then what it returns is
// of no use.
type appender func(out []byte, v protoreflect.Value) ([]byte, bool)

// member is a field of an object.
type member struct {
	fd    protoreflect.FieldDescriptor
	name  string // in quotes, with a colon
	value appender

	hasPresence bool // it is null where it is not set
	isChoice    bool // it is left out where it is not set: of a oneof, or optional
}

// layouts are those of the types that a type has, by its descriptor. Types contain
// themselves.
type layouts map[protoreflect.MessageDescriptor]*layout

func (all layouts) add(md protoreflect.MessageDescriptor) *layout {
	if l := all[md]; l != nil {
		return l
	}
	l := &layout{of: md, form: formOf(md)}
	all[md] = l
	if l.form != nil {
		return l
	}
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		name, _ := appendText(nil, fd.JSONName())
		l.members = append(l.members, member{
			fd: fd, name: string(name) + ":", value: all.appenderOf(fd),
			hasPresence: fd.HasPresence(), isChoice: fd.ContainingOneof() != nil,
		})
	}
	return l
}

// formOf returns what writes a message that is no object of its fields.
func formOf(md protoreflect.MessageDescriptor) appender {
	switch {
	case md.FullName() == "google.protobuf.Timestamp":
		return appendTime
	case isKnown(md) || md.ExtensionRanges().Len() > 0:
		return appendByProtojson
	}
	return nil
}

func (all layouts) appenderOf(fd protoreflect.FieldDescriptor) appender {
	switch {
	case fd.IsMap():
		return mapOf(all.appenderOfOne(fd.MapValue()))
	case fd.IsList():
		return listOf(all.appenderOfOne(fd))
	}
	return all.appenderOfOne(fd)
}

// appenderOfOne returns that of a single value, or of an element.
func (all layouts) appenderOfOne(fd protoreflect.FieldDescriptor) appender {
	switch {
	case fd.Message() != nil:
		l := all.add(fd.Message())
		return func(out []byte, v protoreflect.Value) ([]byte, bool) { return l.append(out, v.Message()) }
	case fd.Enum() != nil:
		return enumOf(fd.Enum())
	}
	return scalars[fd.Kind()]
}

// append appends a message.
func (l *layout) append(out []byte, m protoreflect.Message) ([]byte, bool) {
	if m.Descriptor() != l.of {
		return out, false // of another making of the same contract
	}
	if l.form != nil {
		return l.form(out, protoreflect.ValueOfMessage(m))
	}
	out = append(out, '{')
	first, ok := true, true
	for i := range l.members {
		field := &l.members[i]
		isSet := !field.hasPresence || m.Has(field.fd)
		if !isSet && field.isChoice {
			continue
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		out = append(out, field.name...)
		if !isSet {
			out = append(out, "null"...)
		} else if out, ok = field.value(out, m.Get(field.fd)); !ok {
			return out, false
		}
	}
	return append(out, '}'), true
}
