package rules

import (
	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// elements returns the checks of a repeated field: of the list, then of each
// element.
func (b *builder) elements(f *protogen.Field, rules *validate.FieldRules, s site) []node {
	t := target{f, getter(f), fieldPath(f)}
	var out []node
	repeated, at := b.expect(rules, s, "repeated", "repeated.items."+ruleName(f))
	if repeated != nil {
		out = b.repeated(t, repeated, at)
	}
	item := target{f, expr{localItem}, join(localPath, ".Index(", quote(string(f.Desc.Name())), ", ", localIndex, ")")}
	each := b.element(item, rules.GetRepeated().GetItems(), at.child(&validate.RepeatedRules{}, "items"))
	if len(each) == 0 {
		return out
	}
	return append(out, listLoop{t.value, each})
}

func (b *builder) repeated(t target, rules protoreflect.Message, s site) []node {
	settings := b.settings(rules, s)
	out := b.lengths(itemLengths, t, size(t), settings)
	for _, set := range settings {
		if set.name == "unique" && set.value.Bool() {
			out = append(out, b.unique(t, set.site)...)
		}
	}
	return out
}

func (b *builder) unique(t target, s site) []node {
	function := "Unique"
	switch {
	case t.field.Message != nil:
		b.refuse(s, uniqueMessages)
		return nil
	case t.field.Desc.Kind() == protoreflect.BytesKind:
		function = "UniqueBytes"
	}
	return []node{when(test{join("!", call(validatePackage, function, t.value)), repeats},
		violation{t.at, "repeated.unique", "repeated value must contain unique items"})}
}

// keyPaths has the method of validate.Path for each type of key, and the type
// that it takes.
var keyPaths = map[protoreflect.Kind]struct{ method, convert string }{
	protoreflect.StringKind:   {"StringKey", ""},
	protoreflect.BoolKind:     {"BoolKey", ""},
	protoreflect.Int32Kind:    {"IntKey", "int64"},
	protoreflect.Sint32Kind:   {"IntKey", "int64"},
	protoreflect.Sfixed32Kind: {"IntKey", "int64"},
	protoreflect.Int64Kind:    {"IntKey", ""},
	protoreflect.Sint64Kind:   {"IntKey", ""},
	protoreflect.Sfixed64Kind: {"IntKey", ""},
	protoreflect.Uint32Kind:   {"UintKey", "uint64"},
	protoreflect.Fixed32Kind:  {"UintKey", "uint64"},
	protoreflect.Uint64Kind:   {"UintKey", ""},
	protoreflect.Fixed64Kind:  {"UintKey", ""},
}

// entries returns the checks of a map: of the map, then of each key and value.
func (b *builder) entries(f *protogen.Field, rules *validate.FieldRules, s site) []node {
	t := target{f, getter(f), fieldPath(f)}
	var out []node
	key, value := f.Message.Fields[0], f.Message.Fields[1]
	mapping, at := b.expect(rules, s, "map", "map.values."+ruleName(value))
	if mapping != nil {
		out = b.lengths(pairLengths, t, size(t), b.settings(mapping, at))
	}
	path := entryPath(f, key)
	keys := b.element(target{key, expr{localKey}, path}, rules.GetMap().GetKeys(), at.child(&validate.MapRules{}, "keys"))
	values := b.element(target{value, expr{localValue}, path}, rules.GetMap().GetValues(), at.child(&validate.MapRules{}, "values"))
	if len(keys)+len(values) == 0 {
		return out
	}
	return append(out, mapLoop{t.value, keys, values})
}

func entryPath(f, key *protogen.Field) expr {
	to := keyPaths[key.Desc.Kind()]
	argument := expr{localKey}
	if to.convert != "" {
		argument = join(to.convert, "(", argument, ")")
	}
	return join(localPath, ".", to.method, "(", quote(string(f.Desc.Name())), ", ", argument, ")")
}

// element returns the checks of a list's element, a map's key or value. They
// are always set, so "required" adds nothing.
func (b *builder) element(t target, rules *validate.FieldRules, s site) []node {
	if rules.GetIgnore() == validate.Ignore_IGNORE_ALWAYS {
		return nil
	}
	if rules != nil {
		b.known(rules.ProtoReflect(), s)
		b.noCEL(s, rules)
	}
	body := b.value(t, rules, s)
	if rules.GetIgnore() != validate.Ignore_IGNORE_IF_ZERO_VALUE || len(body) == 0 {
		return body
	}
	filled, _ := zero(t.field, t.value)
	return []node{when(filled, body...)}
}
