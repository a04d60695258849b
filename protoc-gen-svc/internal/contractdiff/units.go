package contractdiff

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// rule is one rule that is set.
type rule struct {
	name    string // of the field in the message of rules: "max_len"
	value   protoreflect.Value
	field   protoreflect.FieldDescriptor // of value
	numbers []int32                      // of the option, for its position
}

// unit are the rules that are judged as one, since they say one thing together: "gt"
// and "lte" are one range.
type unit struct {
	scope string // "(buf.validate.field).repeated.items.string"
	group string // of the row, "range"
	rules []rule
}

// rulesOf reads the rules of a descriptor, joined to units, in the order of their
// field numbers.
func rulesOf(desc protoreflect.Descriptor, extension protoreflect.ExtensionType) []unit {
	x := extension.TypeDescriptor()
	var r unitReader
	r.read("("+string(x.FullName())+")", []int32{int32(x.Number())}, proto.GetExtension(desc.Options(), extension).(proto.Message).ProtoReflect())
	return r.units
}

type unitReader struct{ units []unit }

func (r *unitReader) read(scope string, numbers []int32, rules protoreflect.Message) {
	for _, fd := range setFields(rules) {
		value, at := rules.Get(fd), append(slices.Clip(numbers), int32(fd.Number()))
		name := fd.TextName()
		switch {
		case name == "example": // nothing checks it
		case name == "cel", name == "oneof":
			r.list(scope, name, at, value.List())
		case nested(fd):
			r.read(scope+"."+name, at, value.Message())
		default:
			r.add(scope, rule{name, value, fd, at})
		}
	}
}

// nested tells the fields that hold more rules from those that hold values.
func nested(fd protoreflect.FieldDescriptor) bool {
	return fd.Message() != nil && !fd.IsList() && !fd.IsExtension() && strings.HasPrefix(string(fd.Message().FullName()), "buf.validate.")
}

// list makes each element of a list a rule of its own, known by what its author
// calls it.
func (r *unitReader) list(scope, name string, numbers []int32, elements protoreflect.List) {
	for i := range elements.Len() {
		m := elements.Get(i).Message()
		id := m.Descriptor().Fields().ByNumber(1) // of a oneof its fields
		shown := m.Get(id).String()
		if id.IsList() {
			shown = strings.Join(texts(m.Get(id).List(), id), ", ")
		}
		value := m.Descriptor().Fields().ByName("expression")
		if name == "oneof" {
			value = m.Descriptor().Fields().ByName("required")
		}
		r.add(scope, rule{fmt.Sprintf("%s[%s]", name, shown), m.Get(value), value, append(slices.Clip(numbers), int32(i))})
	}
}

func (r *unitReader) add(scope string, one rule) {
	group := cmp.Or(rowOf(one.name).group, one.name)
	for i := range r.units {
		if u := &r.units[i]; u.scope == scope && u.group == group {
			u.rules = append(u.rules, one)
			return
		}
	}
	r.units = append(r.units, unit{scope, group, []rule{one}})
}

// setFields are the fields that are set, in the order of their numbers.
func setFields(m protoreflect.Message) []protoreflect.FieldDescriptor {
	var fields []protoreflect.FieldDescriptor
	m.Range(func(fd protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		fields = append(fields, fd)
		return true
	})
	slices.SortFunc(fields, func(a, b protoreflect.FieldDescriptor) int { return cmp.Compare(a.Number(), b.Number()) })
	return fields
}

// pair is a unit before and after, of which one may have no rules.
type pair struct{ old, now unit }

// paired joins units of one meaning, those that are gone at the end.
func paired(olds, news []unit) []pair {
	var pairs []pair
	find := func(units []unit, u unit) int {
		return slices.IndexFunc(units, func(o unit) bool { return o.scope == u.scope && o.group == u.group })
	}
	for _, now := range news {
		old := unit{scope: now.scope, group: now.group}
		if i := find(olds, now); i >= 0 {
			old = olds[i]
		}
		pairs = append(pairs, pair{old, now})
	}
	for _, old := range olds {
		if find(news, old) < 0 {
			pairs = append(pairs, pair{old, unit{scope: old.scope, group: old.group}})
		}
	}
	return pairs
}

// effect says what the change does to the values that are allowed.
func (p pair) effect() effect {
	if p.old.text(true /* names */) == p.now.text(true /* names */) {
		return same
	}
	return rowOf(p.any().name).compare(p.old.rules, p.now.rules)
}

func (p pair) any() rule { return slices.Concat(p.now.rules, p.old.rules)[0] }

// effectOnAbsent says what rules of a new field do to messages without it. Rules
// about the value do not look at a field that knows that it is not set.
func (u unit) effectOnAbsent(f protoreflect.FieldDescriptor) effect {
	inside := strings.Contains(u.scope, ".items") || strings.Contains(u.scope, ".keys") || strings.Contains(u.scope, ".values")
	one := u.rules[0]
	lenient := f.HasPresence() || fieldRules(f).GetIgnore() != 0
	switch {
	case inside, lenient && one.name != "required", rowOf(one.name).absent == nil:
		return same
	}
	return rowOf(one.name).absent(u.rules)
}

// changed is the place of the first rule that is new or another, none where rules
// are only gone.
func (p pair) changed() []int32 {
	for _, now := range p.now.rules {
		if !slices.ContainsFunc(p.old.rules, func(old rule) bool { return old.name == now.name && old.text() == now.text() }) {
			return now.numbers
		}
	}
	return nil
}

// shown are the option and both values. One rule alone is shown by itself.
func (p pair) shown() (option, old, now string) {
	for _, r := range slices.Concat(p.old.rules, p.now.rules) {
		if r.name != p.any().name {
			return p.now.scope, p.old.text(true /* names */), p.now.text(true /* names */)
		}
	}
	return p.now.scope + "." + p.any().name, p.old.text(false /* names */), p.now.text(false /* names */)
}

func (u unit) text(names bool) string {
	var out []string
	for _, r := range u.rules {
		text := r.text()
		if names {
			text = r.name + " " + text
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func (r rule) text() string {
	if r.field.IsList() {
		return strings.Join(texts(r.value.List(), r.field), ", ")
	}
	return textOf(r.value, r.field)
}

func texts(list protoreflect.List, fd protoreflect.FieldDescriptor) []string {
	out := make([]string, list.Len())
	for i := range out {
		out[i] = textOf(list.Get(i), fd)
	}
	return out
}

// textOf writes a value so that two that differ look different.
func textOf(value protoreflect.Value, fd protoreflect.FieldDescriptor) string {
	switch v := value.Interface().(type) {
	case string:
		return strconv.Quote(v)
	case []byte:
		return strconv.Quote(string(v))
	case protoreflect.EnumNumber:
		if known := fd.Enum().Values().ByNumber(v); known != nil {
			return string(known.Name())
		}
		return fmt.Sprint(v)
	case protoreflect.Message:
		return messageText(v.Interface())
	}
	return value.String()
}

func messageText(m proto.Message) string {
	switch v := m.(type) {
	case *durationpb.Duration:
		return v.AsDuration().String()
	case *timestamppb.Timestamp:
		return v.AsTime().Format("2006-01-02T15:04:05.999999999Z")
	case *fieldmaskpb.FieldMask:
		return strings.Join(v.GetPaths(), ",")
	}
	return strings.Join(strings.Fields(fmt.Sprint(m)), " ")
}
