package transcode

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxDepth is how many names a path has at the most, where the client chooses it. A type
// that contains itself would nest as deep as a URL is long.
const maxDepth = 32

// path is the way from a message to a field: the last one is the field, those before it
// are messages.
type path []protoreflect.FieldDescriptor

// compileVariable returns the path of a variable, whose field is one value.
func compileVariable(md protoreflect.MessageDescriptor, text string) (path, error) {
	var p path
	for name := range strings.SplitSeq(text, ".") {
		if len(p) > 0 {
			md = singular(p[len(p)-1])
		}
		if md == nil {
			return nil, fmt.Errorf("path variable %q: %s is not a message", text, p)
		}
		fd, err := fieldOf(md, name)
		if err != nil {
			return nil, fmt.Errorf("path variable %q: %w", text, err)
		}
		p = append(p, fd)
	}
	if last := p.last(); last.IsList() || last.IsMap() || !isValue(last) {
		return nil, fmt.Errorf("path variable %q: field %s is not one value", text, last.FullName())
	}
	return p, nil
}

func fieldOf(md protoreflect.MessageDescriptor, name string) (protoreflect.FieldDescriptor, error) {
	fd := md.Fields().ByName(protoreflect.Name(name))
	if fd == nil {
		return nil, fmt.Errorf("message %s has no field %q", md.FullName(), name)
	}
	return fd, nil
}

// named returns the field that a client means by a name, as in JSON; nil: none.
func named(md protoreflect.MessageDescriptor, name string) protoreflect.FieldDescriptor {
	if fd := md.Fields().ByJSONName(name); fd != nil {
		return fd
	}
	return md.Fields().ByName(protoreflect.Name(name))
}

// singular returns the message that a field is; nil for scalars, lists and maps.
func singular(fd protoreflect.FieldDescriptor) protoreflect.MessageDescriptor {
	if !isMessage(fd) {
		return nil
	}
	return fd.Message()
}

func isMessage(fd protoreflect.FieldDescriptor) bool {
	return fd != nil && fd.Message() != nil && !fd.IsList() && !fd.IsMap()
}

func (p path) last() protoreflect.FieldDescriptor { return p[len(p)-1] }

// String returns the path in the names of the contract.
func (p path) String() string {
	if len(p) == 1 {
		return string(p[0].Name())
	}
	var out strings.Builder
	for i, fd := range p {
		if i > 0 {
			out.WriteByte('.')
		}
		out.WriteString(string(fd.Name()))
	}
	return out.String()
}

// overlaps reports whether one of the paths lies within the other.
func (p path) overlaps(other path) bool {
	for i := range min(len(p), len(other)) {
		if p[i].Number() != other[i].Number() {
			return false
		}
	}
	return true
}

// holder returns the message that has the last field, and makes those on the way. A fault
// says which other member of a oneof is in the way.
func (p path) holder(m protoreflect.Message) (protoreflect.Message, string) {
	for i, fd := range p {
		if rival := rivalOf(m, fd); rival != nil {
			return nil, fmt.Sprintf("cannot be set beside %s: both are of oneof %s", rival.Name(), fd.ContainingOneof().Name())
		}
		if i < len(p)-1 {
			m = m.Mutable(fd).Message()
		}
	}
	return m, ""
}

// rivalOf returns the member of the field's oneof that is set in its place.
func rivalOf(m protoreflect.Message, fd protoreflect.FieldDescriptor) protoreflect.FieldDescriptor {
	oneof := fd.ContainingOneof()
	if oneof == nil || oneof.IsSynthetic() {
		return nil
	}
	set := m.WhichOneof(oneof)
	if set == nil || set.Number() == fd.Number() {
		return nil
	}
	return set
}

// assign sets the field of the path to what a text says; a fault says what it must be.
func (p path) assign(m protoreflect.Message, text string) (fault string) {
	m, fault = p.holder(m)
	if fault != "" {
		return fault
	}
	fd := p.last()
	var empty protoreflect.Value
	if fd.Message() != nil {
		empty = m.NewField(fd)
	}
	value, fault := parse(fd, empty, text)
	if fault == "" {
		m.Set(fd, value)
	}
	return fault
}
