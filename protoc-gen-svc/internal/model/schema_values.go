package model

import (
	"encoding/json"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/jsonschema"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/rules"
)

// What the runtime takes for a value, as svc/internal/config reads it. Patterns are of
// the part that ECMA 262 and RE2 share, since validators have either.

const (
	durationPattern = `^[-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`
	timePattern     = `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{1,2}:[0-9]{2}:[0-9]{2}([.,][0-9]+)?(Z|[-+][0-9]{2}:[0-9]{2})$`
	levelPattern    = `^([Dd][Ee][Bb][Uu][Gg]|[Ii][Nn][Ff][Oo]|[Ww][Aa][Rr][Nn]|[Ee][Rr][Rr][Oo][Rr])([-+][0-9]+)?$`
	base64Pattern   = `^[A-Za-z0-9+/=\r\n]*$`

	maskField    = `([A-Za-z_][A-Za-z0-9_]*|\*)`
	maskOne      = `\s*` + maskField + `(\.` + maskField + `)*\s*`
	maskPattern  = `^(` + maskOne + `(,` + maskOne + `)*)?$`
	keyInteger   = `^[-+]?[0-9]+$`
	keyUnsigned  = `^[0-9]+$`
	minusPattern = `^-[0-9]*[1-9]` // of a duration below zero
	digitPattern = `[1-9]`         // in one that is not zero
)

func nullable(t string) jsonschema.Types { return jsonschema.Types{t, jsonschema.Null} }

func textSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: jsonschema.Types{jsonschema.String}}
}

func filledSchema() *jsonschema.Schema {
	out := textSchema()
	out.MinLength = 1
	return out
}

func patternSchema(pattern string) *jsonschema.Schema {
	out := textSchema()
	out.Pattern = pattern
	return out
}

func boolSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: jsonschema.Types{jsonschema.Boolean}}
}

func databaseURL() *jsonschema.Schema { return patternSchema(`^(postgres|postgresql|sqlite):`) }

// balanceSchema takes the empty text for the default.
func balanceSchema() *jsonschema.Schema {
	out := textSchema()
	out.Enum = []any{"round_robin", "least_request", "weighted", "pick_first", ""}
	return out
}

// levelSchema is a level of log/slog: in letters of either case, with an offset perhaps.
func levelSchema() *jsonschema.Schema {
	out := textSchema()
	out.AnyOf = []*jsonschema.Schema{{Enum: []any{"debug", "info", "warn", "error"}}, {Pattern: levelPattern}}
	return out
}

func countSchema() *jsonschema.Schema { return integerSchema("1", "9223372036854775807") }

// aboveZeroSchema is a number above zero.
func aboveZeroSchema() *jsonschema.Schema {
	out := numberSchema()
	out.ExclusiveMinimum = "0"
	return out
}

func integerSchema(least, most json.Number) *jsonschema.Schema {
	return &jsonschema.Schema{Type: jsonschema.Types{jsonschema.Integer}, Minimum: least, Maximum: most}
}

func numberSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: jsonschema.Types{jsonschema.Number}}
}

func ratioSchema() *jsonschema.Schema {
	out := numberSchema()
	out.Minimum, out.Maximum = "0", "1"
	return out
}

// sign is which durations a value may be, and the name of their schema. The marks are
// those that no name of protobuf has.
type sign string

const (
	anySign     sign = "duration-of-either-sign"
	notNegative sign = "duration-not-negative"
	aboveZero   sign = "duration-above-zero"
)

// durationSchema is a text with units, or a plain zero.
func durationSchema(s sign) *jsonschema.Schema {
	out := patternSchema(durationPattern)
	if s != anySign {
		out.Exclude(&jsonschema.Schema{Pattern: minusPattern})
	}
	if s == aboveZero {
		out.Match(digitPattern)
		return out
	}
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{out, {Const: json.Number("0")}}}
}

// limitsOf are the least and the greatest numbers of the kinds of integers.
var limitsOf = map[protoreflect.Kind][2]json.Number{
	protoreflect.Int32Kind:    {"-2147483648", "2147483647"},
	protoreflect.Sint32Kind:   {"-2147483648", "2147483647"},
	protoreflect.Sfixed32Kind: {"-2147483648", "2147483647"},
	protoreflect.Int64Kind:    {"-9223372036854775808", "9223372036854775807"},
	protoreflect.Sint64Kind:   {"-9223372036854775808", "9223372036854775807"},
	protoreflect.Sfixed64Kind: {"-9223372036854775808", "9223372036854775807"},
	protoreflect.Uint32Kind:   {"0", "4294967295"},
	protoreflect.Fixed32Kind:  {"0", "4294967295"},
	protoreflect.Uint64Kind:   {"0", "18446744073709551615"},
	protoreflect.Fixed64Kind:  {"0", "18446744073709551615"},
}

// scalarSchema is a value of a kind, or of a message that has a form of its own.
func scalarSchema(d protoreflect.FieldDescriptor) *jsonschema.Schema {
	if d.Message() != nil {
		return wellKnown(d.Message().FullName())
	}
	switch d.Kind() {
	case protoreflect.BoolKind:
		return boolSchema()
	case protoreflect.EnumKind:
		return &jsonschema.Schema{Enum: inConfig.enumNames(d.Enum(), func(protoreflect.EnumNumber) bool { return true })}
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return numberSchema()
	case protoreflect.BytesKind:
		out := patternSchema(base64Pattern)
		out.ContentEncoding = "base64"
		return out
	case protoreflect.StringKind:
		return textSchema()
	default:
		limits := limitsOf[d.Kind()]
		return integerSchema(limits[0], limits[1])
	}
}

func wellKnown(name protoreflect.FullName) *jsonschema.Schema {
	switch name {
	case "google.protobuf.Timestamp":
		return patternSchema(timePattern)
	case maskName:
		return patternSchema(maskPattern)
	case "google.protobuf.Struct":
		return &jsonschema.Schema{Type: nullable(jsonschema.Object)}
	case "google.protobuf.ListValue":
		return &jsonschema.Schema{Type: nullable(jsonschema.Array)}
	default: // google.protobuf.Value
		return &jsonschema.Schema{}
	}
}

// yamlBool are the names that YAML takes for a boolean without quotes.
var yamlBool = map[string]bool{"true": true, "True": true, "TRUE": true, "false": false, "False": false, "FALSE": false}

// enumNames are the names of the numbers that are kept. Of a config the runtime looks at
// the text of a value and not at its type in YAML.
func (n notation) enumNames(e protoreflect.EnumDescriptor, keep func(protoreflect.EnumNumber) bool) []any {
	var out []any
	for i := range e.Values().Len() {
		v := e.Values().Get(i)
		if !keep(v.Number()) {
			continue
		}
		out = append(out, string(v.Name()))
		if b, ambiguous := yamlBool[string(v.Name())]; ambiguous && n == inConfig {
			out = append(out, b)
		}
	}
	return out
}

// keySchema is the key of a map, which is text in JSON; nil: any. Rules about keys that
// are numbers would need numbers.
func (n notation) keySchema(f *protogen.Field, spec *rules.Spec) *jsonschema.Schema {
	switch f.Desc.Kind() {
	case protoreflect.StringKind:
		if len(spec.Rules) == 0 {
			return nil
		}
		out := &jsonschema.Schema{}
		n.constrain(out, f, spec, n.zeroElement(f))
		return out
	case protoreflect.BoolKind:
		return &jsonschema.Schema{Enum: []any{"true", "false"}}
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.Fixed32Kind, protoreflect.Fixed64Kind:
		return &jsonschema.Schema{Pattern: keyUnsigned}
	default:
		return &jsonschema.Schema{Pattern: keyInteger}
	}
}

// defaultOf is a default, YAML on one line, as a value of its schema.
func defaultOf(schema *jsonschema.Schema, value string) any {
	if len(schema.Type) > 0 {
		// Of these, YAML has the text itself.
		switch schema.Type[0] {
		case jsonschema.Boolean, jsonschema.Integer, jsonschema.Number:
			return scalarValue(schema.Type[0], value)
		}
	}
	if text, ok := oneScalar(value); ok {
		return jsonValue(schema, &yaml.Node{Kind: yaml.ScalarNode, Value: text})
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(value), &doc); err != nil || len(doc.Content) != 1 {
		return nil // not reached: the value was read before
	}
	return jsonValue(schema, doc.Content[0])
}

// oneScalar reads what nearly all defaults are, without a parser: a word, or text in
// quotes, which oneLine writes as Go has them.
func oneScalar(value string) (text string, ok bool) {
	if plainWord(value) {
		return value, true
	}
	if !strings.HasPrefix(value, `"`) {
		return "", false
	}
	text, err := strconv.Unquote(value)
	return text, err == nil
}

// plainWord reports whether YAML has the text itself for its value.
func plainWord(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_':
		case i > 0 && (c == '.' || c == '-' || c == '+'):
		default:
			return false
		}
	}
	return s != ""
}

func jsonValue(schema *jsonschema.Schema, n *yaml.Node) any {
	if n.Kind == yaml.SequenceNode {
		out := []any{}
		for _, item := range n.Content {
			out = append(out, jsonValue(schema.Items, item))
		}
		return out
	}
	if len(schema.Type) == 0 {
		return n.Value
	}
	return scalarValue(schema.Type[0], n.Value)
}

func scalarValue(typ, text string) any {
	switch typ {
	case jsonschema.Boolean:
		return text == "true"
	case jsonschema.Integer:
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			return i
		}
		u, _ := strconv.ParseUint(text, 10, 64)
		return u
	case jsonschema.Number:
		f, _ := strconv.ParseFloat(text, 64)
		return f
	default:
		return text
	}
}
