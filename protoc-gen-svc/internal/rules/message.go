package rules

import (
	"slices"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
)

// body returns the checks of a message: of the message itself, of its oneofs,
// of its fields.
func (b *builder) body(m *protogen.Message) []node {
	rules, _ := proto.GetExtension(m.Desc.Options(), validate.E_Message).(*validate.MessageRules)
	s := option(m.Desc, validate.E_Message)
	b.noCEL(s, rules)
	if rules != nil {
		b.known(rules.ProtoReflect(), s)
	}
	var out []node
	for i, rule := range rules.GetOneof() {
		out = append(out, b.exclusive(m, rule, s.child(rules, "oneof").index(i))...)
	}
	for _, oneof := range m.Oneofs {
		out = append(out, b.oneof(oneof)...)
	}
	for _, f := range m.Fields {
		checks := b.field(f, inExclusive(rules, f))
		b.fields[f.Desc.FullName()] = checks
		out = append(out, checks...)
	}
	return out
}

// inExclusive reports whether a rule of the message lists the field, which then
// need not obey its own rules while it has its zero value.
func inExclusive(rules *validate.MessageRules, f *protogen.Field) bool {
	return slices.ContainsFunc(rules.GetOneof(), func(rule *validate.MessageOneofRule) bool {
		return slices.Contains(rule.GetFields(), string(f.Desc.Name()))
	})
}

// exclusive is the rule that at most, or exactly, one of some fields is set.
func (b *builder) exclusive(m *protogen.Message, rule *validate.MessageOneofRule, s site) []node {
	names := rule.GetFields()
	if len(names) == 0 {
		b.refuse(s, oneofEmpty)
		return nil
	}
	conditions := make([]expr, 0, len(names))
	for i, name := range names {
		at := s.child(rule, "fields").index(i)
		field := fieldByName(m, name)
		switch {
		case field == nil:
			b.refuse(at, oneofUnknown, name, didYouMean(m, name))
			continue
		case slices.Index(names, name) < i:
			b.refuse(at, oneofTwice, name)
		}
		set, _ := presence(field)
		conditions = append(conditions, set.code)
	}
	return []node{exclusion(conditions, words(names), rule.GetRequired())}
}

func exclusion(conditions []expr, names string, required bool) node {
	at := expr{localPath}
	count := call(validatePackage, "Count", list(conditions))
	several := violation{at, "message.oneof", "only one of " + names + " can be set"}
	if !required {
		return when(unknown(count, " > 1"), several)
	}
	none := violation{at, "message.oneof", "one of " + names + " must be set"}
	return choice{join(localCount, " := ", count, ";"), []clause{
		{unknown("case ", localCount, " > 1"), []node{several}},
		{unknown("case ", localCount, " == 0"), []node{none}},
	}}
}

func fieldByName(m *protogen.Message, name string) *protogen.Field {
	i := slices.IndexFunc(m.Fields, func(f *protogen.Field) bool {
		return f.Desc.Name() == protoreflect.Name(name)
	})
	if i < 0 {
		return nil
	}
	return m.Fields[i]
}

func didYouMean(m *protogen.Message, name string) string {
	var candidates []string
	for _, f := range m.Fields {
		candidates = append(candidates, string(f.Desc.Name()))
	}
	if near := fault.Suggest(name, candidates); near != "" {
		return "; did you mean " + quote(near) + "?"
	}
	return ""
}

// oneof is the rule that a oneof must be set.
func (b *builder) oneof(o *protogen.Oneof) []node {
	rules, _ := proto.GetExtension(o.Desc.Options(), validate.E_Oneof).(*validate.OneofRules)
	if rules != nil {
		b.known(rules.ProtoReflect(), option(o.Desc, validate.E_Oneof))
	}
	if !rules.GetRequired() {
		return nil
	}
	unset := join(localMessage, ".Get", o.GoName, "() == nil")
	if has := o.MethodName("Has"); has != "" {
		unset = join("!", localMessage, ".", has, "()")
	}
	return []node{when(unknown(unset), violation{
		at:   join(localPath, ".Field(", quote(string(o.Desc.Name())), ")"),
		rule: "required",
		text: "exactly one field is required in oneof",
	})}
}
