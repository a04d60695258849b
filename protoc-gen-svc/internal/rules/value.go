package rules

import (
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// target is a value that rules apply to.
type target struct {
	field *protogen.Field // says its type; for an element that of the list
	value expr
	at    expr // its path
}

// broken records that the value breaks a rule.
func (t target) broken(rule, text string) node { return violation{t.at, rule, text} }

// wellKnown are the messages that have rules of their own.
var wellKnown = map[protoreflect.FullName]string{
	"google.protobuf.Any":       "any",
	"google.protobuf.Duration":  "duration",
	"google.protobuf.FieldMask": "field_mask",
	"google.protobuf.Timestamp": "timestamp",
}

// wrappers are the messages around one scalar, and take its rules.
var wrappers = map[protoreflect.FullName]bool{
	"google.protobuf.BoolValue":   true,
	"google.protobuf.BytesValue":  true,
	"google.protobuf.DoubleValue": true,
	"google.protobuf.FloatValue":  true,
	"google.protobuf.Int32Value":  true,
	"google.protobuf.Int64Value":  true,
	"google.protobuf.StringValue": true,
	"google.protobuf.UInt32Value": true,
	"google.protobuf.UInt64Value": true,
}

// ruleName returns the rules that fit a value of the field's type, as
// buf.validate.FieldRules names them. It is empty for most messages.
func ruleName(f *protogen.Field) string {
	switch {
	case f.Message == nil:
		return f.Desc.Kind().String()
	case wrappers[f.Message.Desc.FullName()]:
		return ruleName(f.Message.Fields[0])
	default:
		return wellKnown[f.Message.Desc.FullName()]
	}
}

// expect returns the rules of a type, if they are set, and their place. It
// refuses rules for another type; those for an element belong at the place
// named inside.
func (b *builder) expect(rules *validate.FieldRules, s site, want, inside string) (protoreflect.Message, site) {
	desc := (&validate.FieldRules{}).ProtoReflect().Descriptor()
	at := s
	if fd := desc.Fields().ByName(protoreflect.Name(want)); fd != nil {
		at = s.in(fd)
	}
	set := rules.ProtoReflect().WhichOneof(desc.Oneofs().ByName("type"))
	switch {
	case set == nil:
		return nil, at
	case string(set.Name()) == want:
		return rules.ProtoReflect().Get(set).Message(), at
	case want == "":
		b.refuse(s.in(set), ruleOnMessage)
	case strings.HasSuffix(inside, "."+string(set.Name())):
		b.refuse(s.in(set), ruleInside, inside)
	default:
		b.refuse(s.in(set), ruleType, want)
	}
	return nil, at
}

// value returns the checks of one value.
func (b *builder) value(t target, rules *validate.FieldRules, s site) []node {
	name := ruleName(t.field)
	specific, at := b.expect(rules, s, name, "")
	var out []node
	if specific != nil {
		inner := t
		if m := t.field.Message; m != nil && wrappers[m.Desc.FullName()] {
			inner = target{m.Fields[0], join(t.value, ".GetValue()"), t.at}
		}
		out = b.specific(name, inner, specific, at)
	}
	if m := t.field.Message; m != nil {
		out = append(out, invoke{b.message(m), t.value, t.at})
	}
	return out
}

// specific returns the checks that the rules of a type ask for.
func (b *builder) specific(name string, t target, rules protoreflect.Message, s site) []node {
	settings := b.settings(rules, s)
	switch name {
	case "bool":
		return b.boolean(t, settings)
	case "string":
		return b.string(t, settings)
	case "bytes":
		return b.bytes(t, settings)
	case "enum":
		return b.enum(t, settings)
	case "any":
		return b.any(t, settings)
	case "duration":
		return b.ordered(durations(), t, settings)
	case "field_mask":
		return b.mask(t, settings)
	case "timestamp":
		return append(b.ordered(timestamps(), t, settings), b.now(t, settings)...)
	case "float", "double":
		return b.ordered(floating(name), t, settings)
	default:
		return b.ordered(integral(name), t, settings)
	}
}

// member is the rule "in".
func (b *builder) member(t target, tag expr, set setting, rule, text string) []node {
	values := newLiterals(t.field, set.value.List())
	broken := t.broken(rule, or(text, "must be in list "+values.text))
	switch len(values.codes) {
	case 0:
		b.refuse(set.site, emptyList)
		return nil
	case 1:
		return []node{when(test{join(tag, " != ", values.codes[0]), values.lack}, broken)}
	default:
		return []node{choice{tag, []clause{
			{test{join("case ", list(values.codes)), values.have}, nil},
			{test{expr{"default"}, always}, []node{broken}},
		}}}
	}
}

// stranger is the rule "not_in".
func (b *builder) stranger(t target, tag expr, set setting, rule, text string) []node {
	values := newLiterals(t.field, set.value.List())
	broken := t.broken(rule, or(text, "must not be in list "+values.text))
	switch len(values.codes) {
	case 0:
		return nil
	case 1:
		return []node{when(test{join(tag, " == ", values.codes[0]), values.have}, broken)}
	default:
		return []node{choice{tag, []clause{
			{test{join("case ", list(values.codes)), values.have}, []node{broken}},
		}}}
	}
}

func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// constant returns the literal of "const", or refuses it.
func (b *builder) constant(t target, set setting) (literal, bool) {
	l, ok := newLiteral(t.field, set.value)
	if !ok {
		b.refuse(set.site, impossibleConst)
	}
	return l, ok
}

// boolean returns the checks of a bool.
func (b *builder) boolean(t target, settings []setting) []node {
	var out []node
	for _, set := range settings {
		wrong, broken := t.value, t.broken("bool.const", "must equal false")
		if set.value.Bool() {
			wrong, broken = join("!", t.value), t.broken("bool.const", "must equal true")
		}
		out = append(out, when(test{wrong, differs(set.value.Bool())}, broken))
	}
	return out
}

// enum returns the checks of an enum.
func (b *builder) enum(t target, settings []setting) []node {
	var out []node
	for _, set := range settings {
		switch set.name {
		case "const":
			l, _ := b.constant(t, set)
			out = append(out, when(test{join(t.value, " != ", l.code), differs(l.key)}, t.broken("enum.const", "must equal "+l.text)))
		case "in":
			out = append(out, b.member(t, t.value, set, "enum.in", "")...)
		case "not_in":
			out = append(out, b.stranger(t, t.value, set, "enum.not_in", "")...)
		case "defined_only":
			if set.value.Bool() {
				out = append(out, defined(t))
			}
		}
	}
	return out
}

// defined is the rule that the contract has a name for the number.
func defined(t target) node {
	names := t.field.Enum.GoIdent
	names.GoName += "_name"
	return branch{
		setup: join("_, ", localOK, " := ", names, "[int32(", t.value, ")]"),
		condition: test{join("!", localOK), func(v any) bool {
			return t.field.Enum.Desc.Values().ByNumber(protoreflect.EnumNumber(v.(int64))) == nil
		}},
		body: []node{t.broken("enum.defined_only", "value must be one of the defined enum values")},
	}
}
