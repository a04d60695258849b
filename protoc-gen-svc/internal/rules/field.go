package rules

import (
	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Ignored reports whether rules say that nothing of a field is checked, what is in
// it included.
func Ignored(f *protogen.Field) bool {
	return fieldRules(f).GetIgnore() == validate.Ignore_IGNORE_ALWAYS
}

func fieldRules(f *protogen.Field) *validate.FieldRules {
	rules, _ := proto.GetExtension(f.Desc.Options(), validate.E_Field).(*validate.FieldRules)
	return rules
}

// field returns the checks of a field. The rules of a field that is not set do
// not apply if the field tracks presence; otherwise its zero value has to obey
// them, unless the rules say to ignore it.
func (b *builder) field(f *protogen.Field, exclusive bool) []node {
	if Ignored(f) {
		return nil
	}
	rules := fieldRules(f)
	body := b.content(f, rules)
	set, unset := presence(f)
	optional := f.Desc.HasPresence() ||
		rules.GetIgnore() == validate.Ignore_IGNORE_IF_ZERO_VALUE ||
		exclusive && rules != nil && !rules.HasIgnore()
	switch {
	case rules.GetRequired():
		missing := violation{fieldPath(f), "required", "value is required"}
		return []node{branch{condition: unset, body: []node{missing}, otherwise: body}}
	case optional && len(body) > 0:
		return []node{when(set, body...)}
	default:
		return body
	}
}

func fieldPath(f *protogen.Field) expr {
	return join(localPath, ".Field(", quote(string(f.Desc.Name())), ")")
}

// getter is the value of a field.
func getter(f *protogen.Field) expr {
	name, _ := f.MethodName("Get")
	return join(localMessage, ".", name, "()")
}

// presence returns conditions that hold when a field is set, and when it is
// not.
func presence(f *protogen.Field) (set, unset test) {
	value := getter(f)
	switch {
	case f.Desc.IsList(), f.Desc.IsMap():
		return either(join("len(", value, ") > 0"), join("len(", value, ") == 0"), func(v any) bool { return length(v) > 0 })
	case f.Message != nil:
		return either(join(value, " != nil"), join(value, " == nil"), always)
	case f.Desc.HasPresence():
		set, unset := tracked(f)
		return either(set, unset, always)
	default:
		return implied(f, value)
	}
}

// tracked is presence of a scalar that tracks it. In the open API that is a
// pointer, or the wrapper that a oneof holds.
func tracked(f *protogen.Field) (set, unset expr) {
	has := f.MethodName
	if name, _ := has("Has"); name != "" {
		set = join(localMessage, ".", name, "()")
		return set, join("!", set)
	}
	if f.Oneof != nil && !f.Oneof.Desc.IsSynthetic() {
		set = join(validatePackage.Ident("Is"), "[*", f.GoIdent, "](", localMessage, ".Get", f.Oneof.GoName, "())")
		return set, join("!", set)
	}
	value := join(localMessage, ".", f.GoName)
	return join(value, " != nil"), join(value, " == nil")
}

// implied is presence of a scalar that does not track it: the zero value is not
// set. Of floating-point numbers that is +0 alone.
func implied(f *protogen.Field, value expr) (set, unset test) {
	switch f.Desc.Kind() {
	case protoreflect.FloatKind:
		value = call(mathPackage, "Float32bits", value)
		return either(join(value, " != 0"), join(value, " == 0"), hasBits)
	case protoreflect.DoubleKind:
		value = call(mathPackage, "Float64bits", value)
		return either(join(value, " != 0"), join(value, " == 0"), hasBits)
	default:
		return zero(f, value)
	}
}

// zero returns conditions that hold when a value is not zero, and when it is.
// The zero value of an enum is the first one.
func zero(f *protogen.Field, value expr) (not, is test) {
	code, opposite := zeroCode(f, value)
	return either(code, opposite, func(v any) bool { return !isZero(f, v) })
}

func zeroCode(f *protogen.Field, value expr) (not, is expr) {
	switch f.Desc.Kind() {
	case protoreflect.BoolKind:
		return value, join("!", value)
	case protoreflect.StringKind:
		return join(value, ` != ""`), join(value, ` == ""`)
	case protoreflect.BytesKind:
		return join("len(", value, ") > 0"), join("len(", value, ") == 0")
	case protoreflect.EnumKind:
		first := f.Enum.Values[0].GoIdent
		return join(value, " != ", first), join(value, " == ", first)
	case protoreflect.MessageKind, protoreflect.GroupKind:
		size := call(protoPackage, "Size", value)
		return join(size, " != 0"), join(size, " == 0")
	default:
		return join(value, " != 0"), join(value, " == 0")
	}
}

// content returns the checks of what a field holds.
func (b *builder) content(f *protogen.Field, rules *validate.FieldRules) []node {
	s := option(f.Desc, validate.E_Field)
	if rules != nil {
		b.known(rules.ProtoReflect(), s)
		b.noCEL(s, rules)
	}
	switch {
	case f.Desc.IsMap():
		return b.entries(f, rules, s)
	case f.Desc.IsList():
		return b.elements(f, rules, s)
	default:
		return b.value(target{f, getter(f), fieldPath(f)}, rules, s)
	}
}
