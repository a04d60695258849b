package transcode

import (
	"google.golang.org/protobuf/reflect/protoreflect"
)

// table is how the messages of a type are read from JSON. It is made once for each type,
// where protojson asks the descriptors for every name.
//
// It reads what protojson reads, to the same message, or gives up. Then protojson is asked
// for all of it, so that what is wrong is told in its words: null, names that are unknown
// or come twice, numbers such as 1e3 where integers are due, and all that is no JSON.
type table struct {
	of    protoreflect.MessageDescriptor
	slots map[string]*slot // by the names in JSON and in the contract
	form  taker            // of all of it, where it is not an object; nil: it is one
}

// taker reads a value. The empty one is where a message goes. It reports false if it gave
// up, and then the message is of no use.
type taker func(in *input, empty protoreflect.Value) (protoreflect.Value, bool)

// filler reads a value into a field of a message.
type filler func(in *input, m protoreflect.Message) bool

// slot is a field of an object.
type slot struct {
	index int
	oneof protoreflect.OneofDescriptor // that another field may have set; nil: none
	fill  filler
}

const (
	maxSlots   = 256 // fields of a type that is read by a table
	maxNesting = 64  // messages around another one
)

// tables are those of the types that a type has, by its descriptor. Types contain
// themselves.
type tables map[protoreflect.MessageDescriptor]*table

func (all tables) add(md protoreflect.MessageDescriptor) *table {
	if t := all[md]; t != nil {
		return t
	}
	t := &table{of: md, form: readingOf(md)}
	all[md] = t
	if t.form != nil {
		return t
	}
	t.slots = make(map[string]*slot, 2*md.Fields().Len())
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		s := &slot{index: i, fill: all.fillerOf(fd)}
		if oneof := fd.ContainingOneof(); oneof != nil && !oneof.IsSynthetic() {
			s.oneof = oneof
		}
		t.name(fd, s)
	}
	return t
}

// name enters a field by the names that mean it, and not another one. Names in brackets
// are those of extensions.
func (t *table) name(fd protoreflect.FieldDescriptor, s *slot) {
	for _, name := range []string{fd.JSONName(), fd.TextName()} {
		meant := t.of.Fields().ByJSONName(name)
		if meant == nil {
			meant = t.of.Fields().ByTextName(name)
		}
		if meant == fd && name[0] != '[' {
			t.slots[name] = s
		}
	}
}

// readingOf returns what reads a message that is no object of its fields.
func readingOf(md protoreflect.MessageDescriptor) taker {
	switch {
	case md.FullName() == "google.protobuf.Timestamp":
		return takeTime
	case isKnown(md) || md.ExtensionRanges().Len() > 0 || md.Fields().Len() > maxSlots:
		return takeByProtojson
	}
	return nil
}

func (all tables) fillerOf(fd protoreflect.FieldDescriptor) filler {
	switch {
	case fd.IsMap():
		return intoMap(fd, parsers[fd.MapKey().Kind()], all.takerOf(fd.MapValue()))
	case fd.IsList():
		return intoList(fd, all.takerOf(fd))
	}
	return intoField(fd, all.takerOf(fd))
}

// takerOf returns that of a single value, or of an element.
func (all tables) takerOf(fd protoreflect.FieldDescriptor) taker {
	switch {
	case fd.Message() != nil:
		t := all.add(fd.Message())
		return func(in *input, empty protoreflect.Value) (protoreflect.Value, bool) {
			return empty, t.fill(in, empty.Message())
		}
	case fd.Enum() != nil:
		return takeEnum(fd.Enum())
	}
	return takers[fd.Kind()]
}

// fill fills an empty message.
func (t *table) fill(in *input, m protoreflect.Message) bool {
	if m.Descriptor() != t.of || in.nesting == maxNesting {
		return false
	}
	if t.form != nil {
		_, ok := t.form(in, protoreflect.ValueOfMessage(m))
		return ok
	}
	if !in.skip('{') {
		return false
	}
	in.nesting++
	defer func() { in.nesting-- }()
	var seen [maxSlots / 64]uint64
	for first := true; ; first = false {
		more, ok := in.more(first, '}')
		if !more {
			return ok
		}
		name, ok := in.name()
		s := t.slots[string(name)]
		if !ok || s == nil {
			return false
		}
		word, bit := &seen[s.index/64], uint64(1)<<(s.index%64)
		if *word&bit != 0 || s.oneof != nil && m.WhichOneof(s.oneof) != nil {
			return false
		}
		*word |= bit
		if !s.fill(in, m) {
			return false
		}
	}
}

func intoField(fd protoreflect.FieldDescriptor, take taker) filler {
	isMessage := fd.Message() != nil
	return func(in *input, m protoreflect.Message) bool {
		var empty protoreflect.Value
		if isMessage {
			empty = m.NewField(fd)
		}
		value, ok := take(in, empty)
		if ok {
			m.Set(fd, value)
		}
		return ok
	}
}

func intoList(fd protoreflect.FieldDescriptor, take taker) filler {
	isMessage := fd.Message() != nil
	return func(in *input, m protoreflect.Message) bool {
		if !in.skip('[') {
			return false
		}
		list := m.Mutable(fd).List()
		for first := true; ; first = false {
			more, ok := in.more(first, ']')
			if !more {
				return ok
			}
			var empty protoreflect.Value
			if isMessage {
				empty = list.NewElement()
			}
			value, ok := take(in, empty)
			if !ok {
				return false
			}
			list.Append(value)
		}
	}
}

func intoMap(fd protoreflect.FieldDescriptor, parse parser, take taker) filler {
	isMessage := fd.MapValue().Message() != nil
	return func(in *input, m protoreflect.Message) bool {
		if !in.skip('{') {
			return false
		}
		entries := m.Mutable(fd).Map()
		for first := true; ; first = false {
			more, ok := in.more(first, '}')
			if !more {
				return ok
			}
			name, ok := in.name()
			if !ok {
				return false
			}
			key, ok := parse(name)
			if !ok || entries.Has(key.MapKey()) {
				return false
			}
			var empty protoreflect.Value
			if isMessage {
				empty = entries.NewValue()
			}
			value, ok := take(in, empty)
			if !ok {
				return false
			}
			entries.Set(key.MapKey(), value)
		}
	}
}
