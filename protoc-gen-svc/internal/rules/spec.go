package rules

import (
	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Spec is what the rules of a field say, for those who say it in another language
// than Go. It is of use only when [Build] found no faults.
type Spec struct {
	// Ignored says that nothing is checked, what is in the value included.
	Ignored bool
	// ZeroIgnored says that the zero value obeys the rules, whatever they are.
	ZeroIgnored bool
	Required    bool
	// Rules are those of the value, of a list or a map as a whole, in the order of the
	// numbers that buf.validate gave them.
	Rules []Rule
	// Items, Keys and Values are about what is in a list or a map; nil: nothing is said.
	Items, Keys, Values *Spec
}

// Rule is one rule: "gte" of the type "int32".
type Rule struct {
	Type, Name string
	Value      protoreflect.Value
}

// SpecOf returns what the rules of a field say.
func SpecOf(f *protogen.Field) *Spec {
	s := newSpec(fieldRules(f))
	if f.Desc.HasPresence() {
		s.ZeroIgnored = false
		return s
	}
	message, _ := proto.GetExtension(f.Parent.Desc.Options(), validate.E_Message).(*validate.MessageRules)
	s.ZeroIgnored = s.ZeroIgnored || inExclusive(message, f) && !fieldRules(f).HasIgnore()
	return s
}

func newSpec(rules *validate.FieldRules) *Spec {
	s := &Spec{
		Ignored:     rules.GetIgnore() == validate.Ignore_IGNORE_ALWAYS,
		ZeroIgnored: rules.GetIgnore() == validate.Ignore_IGNORE_IF_ZERO_VALUE,
		Required:    rules.GetRequired(),
	}
	desc := (&validate.FieldRules{}).ProtoReflect().Descriptor()
	set := rules.ProtoReflect().WhichOneof(desc.Oneofs().ByName("type"))
	if set == nil || s.Ignored {
		return s
	}
	specific := rules.ProtoReflect().Get(set).Message()
	fields := specific.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if !specific.Has(fd) {
			continue
		}
		switch fd.Name() {
		case "example":
		case "items":
			s.Items = newSpec(rules.GetRepeated().GetItems())
		case "keys":
			s.Keys = newSpec(rules.GetMap().GetKeys())
		case "values":
			s.Values = newSpec(rules.GetMap().GetValues())
		default:
			s.Rules = append(s.Rules, Rule{string(set.Name()), string(fd.Name()), specific.Get(fd)})
		}
	}
	return s
}
