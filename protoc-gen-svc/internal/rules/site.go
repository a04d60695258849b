package rules

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
)

// site is a place in an option of buf.validate.
type site struct {
	desc protoreflect.Descriptor // whose option it is
	path []int32                 // from the extension's number on
	text string                  // "(buf.validate.field).string.min_len"
}

// option is the place of the whole option of a descriptor.
func option(desc protoreflect.Descriptor, extension protoreflect.ExtensionType) site {
	d := extension.TypeDescriptor()
	return site{desc: desc, path: []int32{int32(d.Number())}, text: "(" + string(d.FullName()) + ")"}
}

// in goes to a field of the message at the place.
func (s site) in(fd protoreflect.FieldDescriptor) site {
	s.path = append(slices.Clip(s.path), int32(fd.Number()))
	s.text += "." + fd.TextName()
	return s
}

// child is in by name, for a field that exists.
func (s site) child(m proto.Message, name protoreflect.Name) site {
	return s.in(m.ProtoReflect().Descriptor().Fields().ByName(name))
}

// index goes to an element of the list at the place.
func (s site) index(i int) site {
	s.path = append(slices.Clip(s.path), int32(i))
	s.text += "[" + strconv.Itoa(i) + "]"
	return s
}

// refuse records a mistake, with the path of the option before the text.
func (b *builder) refuse(s site, m finding, args ...any) {
	b.faults.Add(fault.At(s.desc, s.path...), diagnostics[m], s.text+": ", args...)
}

// setting is one field that is set in a message of rules.
type setting struct {
	name  protoreflect.Name
	value protoreflect.Value
	site  site
}

// settings returns what is set in a message of rules, in the order of the field
// numbers. What the plugin does not know is refused: leaving out a rule would
// let through what its author forbade.
func (b *builder) settings(rules protoreflect.Message, s site) []setting {
	var fields []protoreflect.FieldDescriptor
	rules.Range(func(fd protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		fields = append(fields, fd)
		return true
	})
	slices.SortFunc(fields, func(a, b protoreflect.FieldDescriptor) int {
		return cmp.Compare(a.Number(), b.Number())
	})
	var out []setting
	for _, fd := range fields {
		switch {
		case fd.IsExtension():
			b.foreign(rules, s, fd.Number())
		case fd.Name() != "example":
			out = append(out, setting{fd.Name(), rules.Get(fd), s.in(fd)})
		}
	}
	b.known(rules, s)
	return out
}

// known refuses fields that the plugin's copy of buf.validate does not have.
func (b *builder) known(rules protoreflect.Message, s site) {
	for rest := rules.GetUnknown(); len(rest) > 0; {
		number, _, size := protowire.ConsumeField(rest)
		if size < 0 {
			return // not reached: the message was parsed
		}
		b.foreign(rules, s, number)
		rest = rest[size:]
	}
}

// foreign refuses a field of a message of rules.
func (b *builder) foreign(rules protoreflect.Message, s site, number protowire.Number) {
	s.path = append(slices.Clip(s.path), int32(number))
	b.refuse(s, foreignRule, number, rules.Descriptor().FullName())
}

// noCEL refuses expressions in the Common Expression Language, or leaves them out.
func (b *builder) noCEL(s site, rules interface {
	proto.Message
	GetCel() []*validate.Rule
	GetCelExpression() []string
}) {
	for i := range rules.GetCel() {
		b.cel(s.child(rules, "cel").index(i))
	}
	for i := range rules.GetCelExpression() {
		b.cel(s.child(rules, "cel_expression").index(i))
	}
}

func (b *builder) cel(s site) {
	file := s.desc.ParentFile()
	if b.ofOthers == nil || !b.ofOthers(file) {
		b.refuse(s, celRule)
		return
	}
	b.unchecked = append(b.unchecked, s.text+" of "+string(s.desc.FullName())+" in "+file.Path())
}

// words joins with commas.
func words[S ~string](names []S) string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = string(name)
	}
	return strings.Join(out, ", ")
}
