package contractdiff

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// TestEffects: what a change of rules does to the values that are allowed. The
// change the other way round does the opposite.
func TestEffects(t *testing.T) {
	tests := []struct {
		old, now string
		want     effect
	}{
		// Lengths.
		{`string: {max_len: 100}`, `string: {max_len: 5}`, tighter},
		{``, `string: {max_len: 5}`, tighter},
		{``, `string: {min_len: 0}`, same},
		{`string: {min_len: 1}`, `string: {min_len: 2}`, tighter},
		{`string: {min_len: 1, max_len: 9}`, `string: {min_len: 2, max_len: 10}`, other},
		{`string: {min_len: 1, max_len: 9}`, `string: {len: 9}`, tighter},
		{`string: {min_len: 9, max_len: 9}`, `string: {len: 9}`, same},
		{`string: {len: 8}`, `string: {len: 9}`, other},
		{`string: {max_bytes: 9}`, `string: {max_bytes: 8}`, tighter},
		{`string: {min_bytes: 8}`, `string: {len_bytes: 8}`, tighter},
		{`bytes: {max_len: 9}`, `bytes: {max_len: 8}`, tighter},

		// Numbers.
		{`int32: {lt: 5}`, `int32: {lte: 4}`, same},
		{`int32: {gt: 4}`, `int32: {gte: 5}`, same},
		{`int32: {lte: 5}`, `int32: {lt: 5}`, tighter},
		{`int32: {gte: 5}`, `int32: {gt: 5}`, tighter},
		{`double: {lt: 5}`, `double: {lte: 4}`, tighter},
		{`double: {lte: 5}`, `double: {lt: 5}`, tighter},
		{`float: {gte: 5}`, `float: {gt: 5}`, tighter},
		{`double: {finite: true}`, `double: {}`, looser},
		{``, `double: {lt: inf}`, same},
		{``, `uint32: {gte: 0}`, same},
		{``, `int32: {gte: 0}`, tighter},
		{`double: {lt: inf, gte: 0}`, `double: {lt: inf, gte: 1}`, tighter},
		{`float: {lte: 5}`, `float: {lte: 4.5}`, tighter},
		{`int64: {gt: 1, lt: 9}`, `int64: {gt: 1, lt: 8}`, tighter},
		{`uint64: {lte: 18446744073709551615}`, `uint64: {lte: 1}`, tighter},
		{`int64: {gt: 9, lt: 1}`, `int64: {gt: 9, lt: 0}`, tighter}, // outside
		{`int64: {gt: 9, lt: 1}`, `int64: {gt: 9}`, tighter},
		{`int64: {gt: 9, lt: 1}`, `int64: {gt: 1, lt: 9}`, other},
		{`uint64: {lte: 18446744073709551615}`, `uint64: {lte: 18446744073709551614}`, tighter},
		{`sint64: {gte: -9223372036854775808}`, `sint64: {gte: -9223372036854775807}`, tighter},

		// Values.
		{`string: {in: ["a", "b"]}`, `string: {in: "a"}`, tighter},
		{`string: {in: ["a", "b"]}`, `string: {in: ["b", "a"]}`, same},
		{`string: {in: ["a", "b"]}`, `string: {in: ["b", "c"]}`, other},
		{`string: {in: ["a", "b"]}`, `string: {const: "a"}`, tighter},
		{``, `int32: {in: 1}`, tighter},
		{``, `string: {const: "a"}`, tighter},
		{`string: {const: "a"}`, `string: {const: "b"}`, other},
		{`bool: {const: true}`, `bool: {const: false}`, other},
		{`string: {not_in: "a"}`, `string: {not_in: ["a", "b"]}`, tighter},
		{`string: {not_in: "a"}`, `string: {not_in: "b"}`, other},
		{``, `string: {not_in: "a"}`, tighter},
		{`enum: {in: [1, 2]}`, `enum: {in: 1}`, tighter},
		{``, `enum: {not_in: 1}`, tighter},
		{``, `enum: {defined_only: true}`, tighter},
		{``, `enum: {defined_only: false}`, same},
		{``, `enum: {const: 1}`, tighter},

		// Texts.
		{`string: {prefix: "a"}`, `string: {prefix: "ab"}`, tighter},
		{`string: {prefix: "a"}`, `string: {prefix: "ba"}`, other},
		{`string: {suffix: "a"}`, `string: {suffix: "ba"}`, tighter},
		{`string: {suffix: "a"}`, `string: {suffix: "ab"}`, other},
		{`string: {contains: "a"}`, `string: {contains: "bab"}`, tighter},
		{`string: {not_contains: "bab"}`, `string: {not_contains: "a"}`, tighter},
		{``, `string: {not_contains: "a"}`, tighter},
		{``, `string: {pattern: "^a$"}`, tighter},
		{`string: {pattern: "^a$"}`, `string: {pattern: "^a?$"}`, unclear},
		{``, `string: {email: true}`, tighter},
		{``, `string: {email: false}`, same},
		{`string: {email: true}`, `string: {uuid: true}`, other},
		{`string: {ip: true}`, `string: {ipv4: true}`, tighter},
		{`string: {address: true}`, `string: {ipv6: true}`, tighter},
		{`string: {address: true}`, `string: {hostname: true}`, tighter},
		{`string: {address: true}`, `string: {uuid: true}`, other},
		{`string: {ip_prefix: true}`, `string: {ipv4_prefix: true}`, tighter},
		{`string: {ip_with_prefixlen: true}`, `string: {ipv6_prefix: true}`, tighter},
		{`string: {uri_ref: true}`, `string: {uri: true}`, tighter},
		{`bytes: {ip: true}`, `bytes: {ipv4: true}`, tighter},
		{`string: {well_known_regex: KNOWN_REGEX_HTTP_HEADER_NAME, strict: false}`, `string: {well_known_regex: KNOWN_REGEX_HTTP_HEADER_NAME}`, tighter},
		{`string: {well_known_regex: KNOWN_REGEX_HTTP_HEADER_NAME}`, `string: {well_known_regex: KNOWN_REGEX_HTTP_HEADER_VALUE}`, other},

		// Lists and maps.
		{`repeated: {max_items: 9}`, `repeated: {max_items: 8}`, tighter},
		{``, `repeated: {min_items: 1}`, tighter},
		{``, `repeated: {unique: true}`, tighter},
		{`repeated: {items: {string: {max_len: 9}}}`, `repeated: {items: {string: {max_len: 8}}}`, tighter},
		{`map: {keys: {string: {max_len: 9}}, values: {string: {max_len: 9}}}`, `map: {keys: {string: {max_len: 9}}, values: {string: {max_len: 8}}}`, tighter},
		{`map: {keys: {string: {max_len: 9}}, values: {string: {max_len: 9}}}`, `map: {keys: {string: {max_len: 8}}, values: {string: {max_len: 9}}}`, tighter},
		{`map: {keys: {string: {max_len: 9}}}`, `map: {keys: {string: {max_len: 9}}, values: {string: {max_len: 8}}}`, tighter},
		{`map: {min_pairs: 1}`, `map: {min_pairs: 2}`, tighter},
		{`map: {max_pairs: 2}`, `map: {max_pairs: 1}`, tighter},
		{`map: {keys: {string: {max_len: 9}}}`, `map: {keys: {string: {max_len: 8}}}`, tighter},
		{`map: {values: {int32: {lt: 9}}}`, `map: {values: {int32: {lt: 8}}}`, tighter},

		// Known messages.
		{`duration: {lt: {seconds: 9}}`, `duration: {lt: {seconds: 8, nanos: 999999999}}`, tighter},
		{`duration: {in: {seconds: 9}}`, `duration: {in: {seconds: 8}}`, other},
		{`timestamp: {gt: {seconds: 9}}`, `timestamp: {gt: {seconds: 9, nanos: 1}}`, tighter},
		{`timestamp: {within: {seconds: 9}}`, `timestamp: {within: {seconds: 8}}`, tighter},
		{``, `timestamp: {lt_now: true}`, tighter},
		{``, `timestamp: {gt_now: true}`, tighter},
		{`any: {in: ["a", "b"]}`, `any: {in: "a"}`, tighter},
		{``, `any: {not_in: "a"}`, tighter},
		{``, `field_mask: {const: {paths: "a"}}`, tighter},
		{`field_mask: {in: ["a", "b"]}`, `field_mask: {in: "a"}`, tighter},

		// All fields.
		{``, `required: true`, tighter},
		{``, `required: false`, same},
		{`ignore: IGNORE_IF_ZERO_VALUE`, ``, tighter},
		{`ignore: IGNORE_ALWAYS`, `ignore: IGNORE_IF_ZERO_VALUE`, tighter},
		{``, `cel: {id: "a", expression: "x"}`, tighter},
		{`cel: {id: "a", expression: "x"}`, `cel: {id: "a", expression: "y"}`, unclear},
		{`cel: {id: "a", expression: "x"}`, `cel: {id: "a", expression: "x", message: "words"}`, same},
		{``, `cel_expression: "x"`, tighter},
		{`cel_expression: "x"`, `cel_expression: "y"`, unclear},
		{`string: {example: "a"}`, `string: {example: "b"}`, same},
	}
	opposite := map[effect]effect{tighter: looser, looser: tighter}
	for _, test := range tests {
		if got := effectOf(t, test.old, test.now); got != test.want {
			t.Errorf("from %s to %s is %d, want %d", test.old, test.now, got, test.want)
		}
		want, turns := opposite[test.want]
		if !turns {
			want = test.want
		}
		if got := effectOf(t, test.now, test.old); got != want {
			t.Errorf("back from %s to %s is %d, want %d", test.now, test.old, got, want)
		}
	}
}

// effectOf is the one effect of a change.
func effectOf(t *testing.T, old, now string) effect {
	t.Helper()
	var effects []effect
	for _, p := range paired(rulesOf(field(t, "x", old, false), validate.E_Field), rulesOf(field(t, "x", now, false), validate.E_Field)) {
		if e := p.effect(); e != same {
			effects = append(effects, e)
		}
	}
	if len(effects) == 0 {
		return same
	}
	if len(effects) > 1 {
		t.Errorf("from %s to %s has the effects %d, want one", old, now, effects)
	}
	return effects[0]
}

// TestAbsent: the rules of a new field matter where they refuse messages without it.
func TestAbsent(t *testing.T) {
	tests := []struct {
		rules         string
		plain, hasbit effect
	}{
		{`required: true`, absent, absent},
		{`required: false`, same, same},
		{`string: {min_len: 1}`, absent, same},
		{`string: {max_len: 1}`, same, same},
		{`string: {len_bytes: 1}`, absent, same},
		{`string: {min_len: 1}, ignore: IGNORE_IF_ZERO_VALUE`, same, same},
		{`string: {in: "a"}`, absent, same},
		{`string: {in: ["a", ""]}`, same, same},
		{`string: {not_in: ""}`, absent, same},
		{`string: {not_in: "a"}`, same, same},
		{`string: {const: "a"}`, absent, same},
		{`string: {prefix: "a"}`, absent, same},
		{`string: {prefix: ""}`, same, same},
		{`string: {not_contains: "a"}`, same, same},
		{`string: {pattern: "^a$"}`, absent, same},
		{`string: {pattern: "^a?$"}`, same, same},
		{`string: {email: true}`, absent, same},
		{`string: {email: false}`, same, same},
		{`string: {uri_ref: true}`, same, same},
		{`int32: {gt: 0}`, absent, same},
		{`int32: {lt: 1}`, same, same},
		{`int32: {lt: 0, gt: -9}`, absent, same},
		{`int32: {gt: 5, lt: -5}`, absent, same},
		{`int32: {in: [0, 1]}`, same, same},
		{`bool: {const: true}`, absent, same},
		{`bool: {const: false}`, same, same},
		{`map: {keys: {string: {min_len: 1}}}`, same, same},
		{`map: {values: {string: {min_len: 1}}}`, same, same},
		{`string: {well_known_regex: KNOWN_REGEX_HTTP_HEADER_NAME}`, absent, same},
		{`string: {well_known_regex: KNOWN_REGEX_HTTP_HEADER_VALUE}`, same, same},
		{`enum: {in: [1]}`, absent, same},
		{`enum: {defined_only: true}`, same, same},
		{`repeated: {min_items: 1}`, absent, same},
		{`repeated: {items: {string: {min_len: 1}}}`, same, same},
		{`cel: {id: "a", expression: "x"}`, unclear, same},
	}
	for _, test := range tests {
		for optional, want := range map[bool]effect{false: test.plain, true: test.hasbit} {
			f, got := field(t, "x", test.rules, optional), same
			for _, u := range rulesOf(f, validate.E_Field) {
				got = max(got, u.effectOnAbsent(f))
			}
			if got != want {
				t.Errorf("new field with %s, optional %v, is %d, want %d", test.rules, optional, got, want)
			}
		}
	}
}

// TestEveryRule: each rule that buf.validate has, has a row.
func TestEveryRule(t *testing.T) {
	left := map[string]bool{}
	for name := range rows {
		left[name] = true
	}
	var walk func(m protoreflect.MessageDescriptor)
	walk = func(m protoreflect.MessageDescriptor) {
		for i := range m.Fields().Len() {
			switch fd := m.Fields().Get(i); {
			case fd.Name() == "example", fd.Name() == "items", fd.Name() == "keys", fd.Name() == "values":
			case nested(fd):
				walk(fd.Message())
			default:
				if _, ok := rows[fd.TextName()]; !ok {
					t.Errorf("%s has no row in effects.go", fd.FullName())
				}
				delete(left, fd.TextName())
			}
		}
	}
	for _, m := range []proto.Message{&validate.FieldRules{}, &validate.MessageRules{}, &validate.OneofRules{}} {
		walk(m.ProtoReflect().Descriptor())
	}
	for name := range left {
		t.Errorf("%q has a row and is no rule", name)
	}
}

// TestVerdicts: of all who send a message, whom the change hurts most decides.
func TestVerdicts(t *testing.T) {
	tests := []struct {
		effect effect
		by     sender
		want   Level
	}{
		{tighter, caller, Breaking}, {tighter, callee, Safe}, {tighter, operator, Breaking}, {tighter, caller | callee, Breaking},
		{looser, caller, Safe}, {looser, callee, Look}, {looser, operator, Safe}, {looser, caller | callee, Look},
		{other, caller, Breaking}, {other, callee, Look}, {other, caller | callee, Breaking},
		{unclear, caller, Look}, {unclear, callee, Look}, {unclear, operator, Look},
		{absent, caller, Breaking}, {absent, callee, Safe}, {absent, caller | callee, Breaking},
	}
	for _, test := range tests {
		if got := verdictOf(test.effect, test.by); got.level != test.want || got.reason == "" {
			t.Errorf("effect %d, sent by %d, is %v, want %s", test.effect, test.by, got, test.want)
		}
	}
}

// field makes a field with the rules. A plain one has no presence.
func field(t *testing.T, name, rules string, optional bool) protoreflect.FieldDescriptor {
	t.Helper()
	fd := &descriptorpb.FieldDescriptorProto{
		Name: proto.String(name), Number: proto.Int32(1),
		Label:   descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		Type:    descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(),
		Options: &descriptorpb.FieldOptions{},
	}
	set := new(validate.FieldRules)
	if err := prototext.Unmarshal([]byte(rules), set); err != nil {
		t.Fatalf("%s: %v", rules, err)
	}
	proto.SetExtension(fd.Options, validate.E_Field, set)
	m := &descriptorpb.DescriptorProto{Name: proto.String("M"), Field: []*descriptorpb.FieldDescriptorProto{fd}}
	if optional {
		fd.Proto3Optional, fd.OneofIndex = proto.Bool(true), proto.Int32(0)
		m.OneofDecl = []*descriptorpb.OneofDescriptorProto{{Name: proto.String("_" + name)}}
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("m.proto"), Syntax: proto.String("proto3"), MessageType: []*descriptorpb.DescriptorProto{m},
	}, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return file.Messages().Get(0).Fields().Get(0)
}

// TestMessageRules: a message and its oneofs have rules of their own.
func TestMessageRules(t *testing.T) {
	tests := []struct {
		kind, old, now string
		want           string
	}{
		{"message", ``, `oneof: {fields: ["a", "b"]}`, `(buf.validate.message).oneof["a", "b"]: none -> false: breaking`},
		{"message", `oneof: {fields: ["a", "b"]}`, `oneof: {fields: ["a", "b"], required: true}`, `(buf.validate.message).oneof["a", "b"]: false -> true: breaking`},
		{"message", `oneof: {fields: ["a", "b"]}`, ``, `(buf.validate.message).oneof["a", "b"]: false -> none: safe`},
		{"message", `cel: {id: "x", expression: "a"}`, `cel: {id: "x", expression: "b"}`, `(buf.validate.message).cel[x]: "a" -> "b": look`},
		{"message", ``, `cel_expression: "a"`, `(buf.validate.message).cel_expression: none -> "a": breaking`},
		{"oneof", ``, `required: true`, `(buf.validate.oneof).required: none -> true: breaking`},
		{"oneof", `required: true`, ``, `(buf.validate.oneof).required: true -> none: safe`},
	}
	for _, test := range tests {
		var got []string
		c := &ruleComparison{by: caller}
		c.message(withRules(t, test.kind, test.old), withRules(t, test.kind, test.now))
		for _, change := range c.changes {
			got = append(got, fmt.Sprintf("%s: %s", change.what(), change.Level))
			if change.Kind != test.kind {
				t.Errorf("kind is %s, want %s", change.Kind, test.kind)
			}
		}
		if !slices.Equal(got, []string{test.want}) {
			t.Errorf("from %s to %s is\n%s\nwant\n%s", test.old, test.now, strings.Join(got, "\n"), test.want)
		}
	}
}

func withRules(t *testing.T, kind, rules string) protoreflect.MessageDescriptor {
	t.Helper()
	m := &descriptorpb.DescriptorProto{Name: proto.String("M"), OneofDecl: []*descriptorpb.OneofDescriptorProto{{Name: proto.String("o")}}}
	for i, name := range []string{"a", "b"} {
		m.Field = append(m.Field, &descriptorpb.FieldDescriptorProto{
			Name: proto.String(name), Number: proto.Int32(int32(i + 1)), OneofIndex: proto.Int32(0),
			Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(), Type: descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(),
		})
	}
	read := func(into proto.Message) proto.Message {
		if err := prototext.Unmarshal([]byte(rules), into); err != nil {
			t.Fatalf("%s: %v", rules, err)
		}
		return into
	}
	if kind == "message" {
		m.Options = &descriptorpb.MessageOptions{}
		proto.SetExtension(m.Options, validate.E_Message, read(new(validate.MessageRules)))
	} else {
		m.OneofDecl[0].Options = &descriptorpb.OneofOptions{}
		proto.SetExtension(m.OneofDecl[0].Options, validate.E_Oneof, read(new(validate.OneofRules)))
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("m.proto"), Syntax: proto.String("proto3"), MessageType: []*descriptorpb.DescriptorProto{m},
	}, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return file.Messages().Get(0)
}
