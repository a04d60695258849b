package transcode

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// table is how the messages of a type are read from JSON. It is made once for each type,
// where protojson asks the descriptors for every name. What it makes is the message in the
// wire format, whose decoder fills fields without the values of protoreflect between.
//
// It reads what protojson reads, to the same message, or gives up. Then protojson is asked
// for all of it, so that what is wrong is told in its words: null, names that are unknown
// or come twice, numbers such as 1e3 where integers are due, and all that is no JSON.
type table struct {
	slots map[string]*slot // by the names in JSON and in the contract
	form  taker            // of all of it, where it is not an object; nil: it is one
}

// taker appends a value that it reads to a message in the wire format. It reports false if
// it gave up, and then what it returns is of no use.
type taker func(out []byte, in *input) ([]byte, bool)

// slot is a field of an object.
type slot struct {
	index  int
	choice int // of its oneof, behind the indices of fields; 0: it has none
	take   taker
}

const (
	maxSlots   = 256 // fields and oneofs of a type that is read by a table
	maxNesting = 64  // messages around another one
)

// slotSet is a set of indices.
type slotSet [maxSlots / 64]uint64

// add reports whether an index was not there.
func (s *slotSet) add(i int) bool {
	word, bit := &s[i/64], uint64(1)<<(i%64)
	isNew := *word&bit == 0
	*word |= bit
	return isNew
}

// tables are those of the types that a type has, by its descriptor. Types contain
// themselves.
type tables map[protoreflect.MessageDescriptor]*table

func (all tables) add(md protoreflect.MessageDescriptor) *table {
	if t := all[md]; t != nil {
		return t
	}
	t := &table{form: readingOf(md), slots: map[string]*slot{}}
	all[md] = t
	fields := md.Fields()
	for i := 0; i < fields.Len() && t.form == nil; i++ {
		fd := fields.Get(i)
		s := &slot{index: i, take: all.takerOf(fd)}
		if oneof := fd.ContainingOneof(); oneof != nil {
			s.choice = fields.Len() + oneof.Index()
		}
		for _, name := range []string{fd.JSONName(), fd.TextName()} {
			if meant(fields, name) == fd {
				t.slots[name] = s
			}
		}
	}
	return t
}

// meant returns the field that protojson finds by a name.
func meant(fields protoreflect.FieldDescriptors, name string) protoreflect.FieldDescriptor {
	if name[0] == '[' {
		return nil // an extension
	}
	if fd := fields.ByJSONName(name); fd != nil {
		return fd
	}
	return fields.ByTextName(name)
}

// readingOf returns what reads a message that is no object of its fields.
func readingOf(md protoreflect.MessageDescriptor) taker {
	switch {
	case md.FullName() == "google.protobuf.Timestamp":
		return takeTime
	case isKnown(md) || md.ExtensionRanges().Len() > 0 || md.Fields().Len()+md.Oneofs().Len() > maxSlots:
		return takeByProtojson(md)
	}
	return nil
}

// takerOf returns what reads a field with its tag.
func (all tables) takerOf(fd protoreflect.FieldDescriptor) taker {
	switch {
	case fd.IsMap():
		return takeMap(fd, tagged(fd.MapValue(), all.takerOfOne(fd.MapValue())))
	case fd.IsList():
		return takeList(tagged(fd, all.takerOfOne(fd)))
	}
	return tagged(fd, all.takerOfOne(fd))
}

// takerOfOne returns that of a single value, or of an element.
func (all tables) takerOfOne(fd protoreflect.FieldDescriptor) taker {
	switch {
	case fd.Kind() == protoreflect.GroupKind:
		t, end := all.add(fd.Message()), protowire.AppendTag(nil, fd.Number(), protowire.EndGroupType)
		return func(out []byte, in *input) ([]byte, bool) {
			out, ok := t.take(out, in)
			return append(out, end...), ok
		}
	case fd.Message() != nil:
		return sized(all.add(fd.Message()).take)
	case fd.Enum() != nil:
		return takeEnum(fd.Enum())
	}
	return takeScalar(fd.Kind())
}

// take reads a message, without its length.
func (t *table) take(out []byte, in *input) ([]byte, bool) {
	if t.form != nil {
		return t.form(out, in)
	}
	if in.nesting == maxNesting || !in.skip('{') {
		return out, false
	}
	in.nesting++
	var seen slotSet
	more, ok := in.first('}')
	for ; more; more, ok = in.more('}') {
		name, isName := in.name()
		s := t.slots[string(name)]
		if !isName || s == nil || !seen.add(s.index) || s.choice > 0 && !seen.add(s.choice) {
			return out, false
		}
		if out, ok = s.take(out, in); !ok {
			return out, false
		}
	}
	in.nesting--
	return out, ok
}

func tagged(fd protoreflect.FieldDescriptor, take taker) taker {
	tag := protowire.AppendTag(nil, fd.Number(), wires[fd.Kind()])
	return func(out []byte, in *input) ([]byte, bool) { return take(append(out, tag...), in) }
}

// sized puts the length before what another one reads.
func sized(take taker) taker {
	return func(out []byte, in *input) ([]byte, bool) {
		start := len(out)
		out, ok := take(append(out, 0), in)
		return withLength(out, start), ok
	}
}

// withLength puts the length of what follows the byte at an index there. Most is short.
func withLength(out []byte, start int) []byte {
	n := len(out) - start - 1
	more := protowire.SizeVarint(uint64(n)) - 1
	for range more {
		out = append(out, 0)
	}
	copy(out[start+1+more:], out[start+1:start+1+n])
	protowire.AppendVarint(out[:start], uint64(n))
	return out
}

// takeList reads elements, each with a tag.
func takeList(element taker) taker {
	return func(out []byte, in *input) ([]byte, bool) {
		if !in.skip('[') {
			return out, false
		}
		more, ok := in.first(']')
		for ; more; more, ok = in.more(']') {
			if out, ok = element(out, in); !ok {
				return out, false
			}
		}
		return out, ok
	}
}

// takeMap reads entries, each a message of a key and a value. No two texts that are read
// are the same key.
func takeMap(fd protoreflect.FieldDescriptor, value taker) taker {
	parse := parsers[fd.MapKey().Kind()]
	tag := protowire.AppendTag(nil, fd.Number(), protowire.BytesType)
	keyTag := protowire.AppendTag(nil, 1, wires[fd.MapKey().Kind()])
	return func(out []byte, in *input) ([]byte, bool) {
		if !in.skip('{') {
			return out, false
		}
		seen := map[string]bool{}
		more, ok := in.first('}')
		for ; more; more, ok = in.more('}') {
			name, isName := in.name()
			if !isName || seen[string(name)] {
				return out, false
			}
			seen[string(name)] = true
			out = append(out, tag...)
			start := len(out)
			if out, ok = parse(append(append(out, 0), keyTag...), name); !ok {
				return out, false
			}
			if out, ok = value(out, in); !ok {
				return out, false
			}
			out = withLength(out, start)
		}
		return out, ok
	}
}
