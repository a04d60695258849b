package model

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/jsonschema"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/rules"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/timefmt"
)

// notation is how values are written.
type notation string

const (
	inConfig notation = "the YAML of a config"
	inJSON   notation = "proto3 JSON"
)

// name is what a field is called.
func (n notation) name(d protoreflect.FieldDescriptor) string {
	if n == inJSON {
		return d.JSONName()
	}
	return string(d.Name())
}

// isQuoted reports whether numbers of a kind are written as strings, which no keyword
// for numbers is about.
func (n notation) isQuoted(kind protoreflect.Kind) bool {
	return n == inJSON && longKinds[kind]
}

// longKinds are integers of 64 bits.
var longKinds = map[protoreflect.Kind]bool{
	protoreflect.Int64Kind: true, protoreflect.Sint64Kind: true, protoreflect.Sfixed64Kind: true,
	protoreflect.Uint64Kind: true, protoreflect.Fixed64Kind: true,
}

// constrain adds the rules of buf.validate to the schema of a value, of a list or a map
// as a whole. It returns, in words, those that the schema does not check. Zero is the
// schema of the zero value.
func (n notation) constrain(schema *jsonschema.Schema, f *protogen.Field, spec *rules.Spec, zero *jsonschema.Schema) []string {
	if len(spec.Rules) == 0 {
		return nil
	}
	r := &ruled{Schema: schema, as: n, field: f, spec: spec}
	if spec.ZeroIgnored {
		r.Schema = &jsonschema.Schema{}
	}
	var unchecked []string
	for _, rule := range spec.Rules {
		if !r.add(rule) {
			unchecked = append(unchecked, inWords(rule))
		}
	}
	r.ordered()
	if spec.ZeroIgnored && zero != nil {
		schema.And(&jsonschema.Schema{AnyOf: []*jsonschema.Schema{zero, r.Schema}})
	}
	return unchecked
}

// zeroOf is the schema of a field's zero value; nil where nothing is checked of values.
func (n notation) zeroOf(f *protogen.Field) *jsonschema.Schema {
	switch {
	case f.Desc.IsMap():
		return &jsonschema.Schema{Type: nullable(jsonschema.Object), MaxProperties: new(uint64)}
	case f.Desc.IsList():
		return &jsonschema.Schema{Type: nullable(jsonschema.Array), MaxItems: new(uint64)}
	}
	return n.zeroElement(f)
}

// zeroElement is that of a single value.
func (n notation) zeroElement(f *protogen.Field) *jsonschema.Schema {
	d := wrapped(f.Desc)
	switch {
	case d.Message() != nil, d.Kind() == protoreflect.BytesKind:
		return nil
	case d.Kind() == protoreflect.EnumKind:
		first := d.Enum().Values().Get(0).Number()
		return &jsonschema.Schema{Enum: n.enumNames(d.Enum(), func(n protoreflect.EnumNumber) bool { return n == first })}
	case d.Kind() == protoreflect.StringKind:
		return &jsonschema.Schema{Const: ""}
	case d.Kind() == protoreflect.BoolKind:
		return &jsonschema.Schema{Const: false}
	case n.isQuoted(d.Kind()):
		return &jsonschema.Schema{Const: "0"}
	default:
		return &jsonschema.Schema{Const: json.Number("0")}
	}
}

// ruled is a schema to which rules are added.
type ruled struct {
	*jsonschema.Schema
	as           notation
	field        *protogen.Field
	spec         *rules.Spec
	lower, upper *bound
}

// bound is one end of a range of numbers.
type bound struct {
	text      json.Number
	value     float64
	exclusive bool
}

// add adds a rule, or reports that it cannot.
func (r *ruled) add(rule rules.Rule) bool {
	d := wrapped(r.field.Desc)
	switch {
	case rule.Type == "repeated", rule.Type == "map":
		return r.size(rule)
	case rule.Type == "string":
		return r.text(rule)
	case rule.Type == "enum":
		return r.enum(d.Enum(), rule)
	case rule.Type == "duration":
		return signOf(r.spec) != anySign && strings.HasPrefix(rule.Name, "gt") && durationOf(rule) == 0
	case d.Message() != nil, d.Kind() == protoreflect.BytesKind:
		return false
	}
	return r.values(rule) || !r.as.isQuoted(d.Kind()) && r.number(rule)
}

func (r *ruled) size(rule rules.Rule) bool {
	switch rule.Name {
	case "min_items":
		r.MinItems = rule.Value.Uint()
	case "max_items":
		r.MaxItems = new(rule.Value.Uint())
	case "unique":
		r.UniqueItems = rule.Value.Bool()
	case "max_pairs":
		r.MaxProperties = new(rule.Value.Uint())
	case "min_pairs":
		if r.as == inConfig {
			return false // other layers add to a map
		}
		r.MinProperties = rule.Value.Uint()
	default:
		return false
	}
	return true
}

func (r *ruled) text(rule rules.Rule) bool {
	if r.values(rule) {
		return true
	}
	switch rule.Name {
	case "len":
		r.MinLength, r.MaxLength = rule.Value.Uint(), new(rule.Value.Uint())
	case "min_len":
		r.MinLength = rule.Value.Uint()
	case "max_len":
		r.MaxLength = new(rule.Value.Uint())
	case "pattern":
		if !portable(rule.Value.String()) {
			return false
		}
		r.Match(rule.Value.String())
	case "prefix":
		r.Match("^" + literal(rule.Value.String()))
	case "suffix":
		r.Match(literal(rule.Value.String()) + "$")
	case "contains":
		r.Match(literal(rule.Value.String()))
	case "not_contains":
		r.Exclude(&jsonschema.Schema{Pattern: literal(rule.Value.String())})
	default:
		return r.format(rule)
	}
	return true
}

// formats are those of JSON Schema, by the rule that wants them. To most validators they
// are remarks, so the schema of a config leaves them out and says them in words.
var formats = map[string]string{
	"email": "email", "uuid": "uuid", "uri": "uri", "uri_ref": "uri-reference",
	"hostname": "hostname", "ipv4": "ipv4", "ipv6": "ipv6",
}

func (r *ruled) format(rule rules.Rule) bool {
	format, known := formats[rule.Name]
	if !known || r.as == inConfig {
		return false
	}
	if rule.Value.Bool() {
		r.Format = format
	}
	return true
}

// values adds the rules that list values.
func (r *ruled) values(rule rules.Rule) bool {
	switch rule.Name {
	case "const":
		r.Const = r.constant(rule.Value)
	case "in":
		r.Enum = r.constants(rule.Value.List())
	case "not_in":
		r.Exclude(&jsonschema.Schema{Enum: r.constants(rule.Value.List())})
	default:
		return false
	}
	return true
}

func (r *ruled) number(rule rules.Rule) bool {
	switch rule.Name {
	case "gt", "gte":
		r.lower = newBound(rule)
	case "lt", "lte":
		r.upper = newBound(rule)
	case "finite": // no setting is anything else
	default:
		return false
	}
	return true
}

func newBound(rule rules.Rule) *bound {
	text, ok := constant(rule.Value).(json.Number)
	if !ok {
		return nil // infinity
	}
	value, _ := text.Float64()
	return &bound{text, value, rule.Name == "gt" || rule.Name == "lt"}
}

// ordered adds the range. One whose ends are the wrong way round is what is outside.
func (r *ruled) ordered() {
	low, high := &jsonschema.Schema{}, &jsonschema.Schema{}
	outside := r.lower != nil && r.upper != nil && (r.lower.value > r.upper.value || r.lower.value == r.upper.value && (r.lower.exclusive || r.upper.exclusive))
	if !outside {
		low, high = r.Schema, r.Schema
	}
	switch {
	case r.lower == nil:
	case r.lower.exclusive:
		low.Minimum, low.ExclusiveMinimum = "", r.lower.text
	default:
		low.Minimum = r.lower.text
	}
	switch {
	case r.upper == nil:
	case r.upper.exclusive:
		high.Maximum, high.ExclusiveMaximum = "", r.upper.text
	default:
		high.Maximum = r.upper.text
	}
	if outside {
		r.And(&jsonschema.Schema{AnyOf: []*jsonschema.Schema{low, high}})
	}
}

// enum leaves the names of the values that a rule allows.
func (r *ruled) enum(e protoreflect.EnumDescriptor, rule rules.Rule) bool {
	has := func(n protoreflect.EnumNumber) bool {
		list := rule.Value.List()
		for i := range list.Len() {
			if list.Get(i).Int() == int64(n) {
				return true
			}
		}
		return false
	}
	var keep func(protoreflect.EnumNumber) bool
	switch rule.Name {
	case "const":
		keep = func(n protoreflect.EnumNumber) bool { return rule.Value.Int() == int64(n) }
	case "in":
		keep = has
	case "not_in":
		keep = func(n protoreflect.EnumNumber) bool { return !has(n) }
	default: // defined_only, as all names are
		return true
	}
	names := r.as.enumNames(e, keep)
	if r.Enum != nil {
		names = slices.DeleteFunc(slices.Clone(r.Enum), func(name any) bool { return !slices.Contains(names, name) })
	}
	if len(names) > 0 { // a schema without any would be none
		r.Enum = names
	}
	return true
}

// signOf is what rules say about the sign of a duration. No keyword compares the rest.
func signOf(spec *rules.Spec) sign {
	for _, rule := range spec.Rules {
		if spec.ZeroIgnored || rule.Type != "duration" || rule.Name != "gt" && rule.Name != "gte" {
			continue
		}
		if reversed(spec.Rules) {
			return anySign
		}
		switch least := durationOf(rule); {
		case least > 0, least == 0 && rule.Name == "gt":
			return aboveZero
		case least == 0:
			return notNegative
		}
	}
	return anySign
}

func durationOf(rule rules.Rule) time.Duration {
	return rule.Value.Message().Interface().(*durationpb.Duration).AsDuration()
}

// reversed reports whether rules about a duration have a range whose ends are the wrong
// way round, which is what is outside.
func reversed(all []rules.Rule) bool {
	for _, low := range all {
		for _, high := range all {
			if strings.HasPrefix(low.Name, "gt") && strings.HasPrefix(high.Name, "lt") && durationOf(low) >= durationOf(high) {
				return true
			}
		}
	}
	return false
}

// constant is a value of a rule in JSON. Infinity is none, and nil.
func constant(v protoreflect.Value) any {
	switch x := v.Interface().(type) {
	case int32, int64, uint32, uint64:
		return json.Number(fmt.Sprint(x))
	case float32:
		return float(float64(x), 32)
	case float64:
		return float(x, 64)
	default:
		return x
	}
}

// constant is a value as it is written.
func (r *ruled) constant(v protoreflect.Value) any {
	value := constant(v)
	if number, ok := value.(json.Number); ok && r.as.isQuoted(wrapped(r.field.Desc).Kind()) {
		return number.String()
	}
	return value
}

func (r *ruled) constants(l protoreflect.List) []any {
	var out []any
	for i := range l.Len() {
		out = append(out, r.constant(l.Get(i)))
	}
	return out
}

func float(f float64, bits int) any {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil
	}
	return json.Number(strconv.FormatFloat(f, 'g', -1, bits))
}

// literal is a pattern for a text. regexp.QuoteMeta leaves nothing that ECMA 262 reads
// otherwise, but for the slash, which is a mark of a literal and no operator.
func literal(s string) string { return regexp.QuoteMeta(s) }

// portablePattern is of what RE2 and ECMA 262, with the flag u, read alike.
var portablePattern = regexp.MustCompile(`^(?:` +
	"[\\w \\-/:@,;=!~#%&'\"<>^$|()*+?]" +
	`|\\[dDwWbBnrtfv.*+?()|{}^$/\\\[\]]` +
	`|\{[0-9]+(?:,[0-9]*)?\}` +
	// A class: of characters, ranges of letters or digits, and escapes. To ECMA 262 no
	// range begins with an escape like \d.
	"|\\[\\^?-?(?:[A-Za-z0-9]-[A-Za-z0-9]|[\\w /:@,;=!~#%&'\"<>.*+?()|{}$]|" + `\\[dDwWnrtfv.*+?(){}|^$/\\\-\[\]])+-?\]` +
	`)*$`)

// portable reports whether a pattern of RE2 means the same to ECMA 262.
func portable(pattern string) bool {
	return portablePattern.MatchString(pattern) && !strings.Contains(strings.ReplaceAll(pattern, "(?:", "("), "(?")
}

// inWords is a rule as the contract has it: "duration.gte: 10ms".
func inWords(rule rules.Rule) string {
	name := rule.Type + "." + rule.Name
	if on, ok := rule.Value.Interface().(bool); ok && on {
		return name
	}
	return name + ": " + valueInWords(rule.Value)
}

func valueInWords(v protoreflect.Value) string {
	switch x := v.Interface().(type) {
	case protoreflect.List:
		var each []string
		for i := range x.Len() {
			each = append(each, valueInWords(x.Get(i)))
		}
		return "[" + strings.Join(each, ", ") + "]"
	case protoreflect.Message:
		switch m := x.Interface().(type) {
		case *durationpb.Duration:
			return timefmt.Short(m.AsDuration())
		case *fieldmaskpb.FieldMask:
			return strings.Join(m.GetPaths(), ",")
		case *timestamppb.Timestamp:
			return m.AsTime().Format(time.RFC3339Nano)
		}
		return fmt.Sprint(x.Interface())
	case []byte:
		return strconv.Quote(string(x))
	default:
		return fmt.Sprint(x)
	}
}
