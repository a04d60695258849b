package model

import (
	"slices"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/jsonschema"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/openapi"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/rules"
)

// documentBuilder makes the schemas of one document.
type documentBuilder struct {
	rules   *rules.Set            // of the service at hand
	paths   map[string]servedPath // by what is the same to OpenAPI
	schemas map[string]*jsonschema.Schema
	reached map[reach]bool
}

// reach is that a message is part of what is sent, where its rules hold, or of what is
// answered, where nobody checks them.
type reach struct {
	message protoreflect.FullName
	checked bool
}

func newDocumentBuilder(services []*Service) *documentBuilder {
	b := &documentBuilder{
		paths:   map[string]servedPath{},
		schemas: map[string]*jsonschema.Schema{statusName: statusSchema()},
		reached: map[reach]bool{},
	}
	for _, s := range services {
		for _, m := range s.Routed() {
			b.reach(m.proto.Input, true)
			b.reach(m.proto.Output, false)
		}
	}
	return b
}

func (b *documentBuilder) reach(m *protogen.Message, checked bool) {
	at := reach{m.Desc.FullName(), checked}
	if b.reached[at] {
		return
	}
	b.reached[at] = true
	for _, f := range m.Fields {
		if f.Message != nil {
			b.reach(f.Message, checked && !rules.Ignored(f))
		}
	}
}

const (
	statusName                       = "google.rpc.Status"
	nullName   protoreflect.FullName = "google.protobuf.NullValue"
	valueName  protoreflect.FullName = "google.protobuf.Value"
)

func statusRef() *jsonschema.Schema { return &jsonschema.Schema{Ref: openapi.Schemas + statusName} }

// statusSchema is every error.
func statusSchema() *jsonschema.Schema {
	code, message := jsonScalar(protoreflect.Int32Kind), textSchema()
	code.Description = "The status code, one of google.rpc.Code."
	message.Description = "What went wrong, in English."
	return &jsonschema.Schema{
		Description: "An error.",
		Type:        jsonschema.Types{jsonschema.Object},
		Properties: jsonschema.Properties{
			{Name: "code", Schema: code},
			{Name: "message", Schema: message},
			{Name: "details", Schema: &jsonschema.Schema{
				Description: "More about it: a google.rpc.ErrorInfo has the reason, a google.rpc.BadRequest what is wrong with which field.",
				Type:        jsonschema.Types{jsonschema.Array}, Items: anySchema(),
			}},
		},
	}
}

// anySchema is a message with its type.
func anySchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		Type:       jsonschema.Types{jsonschema.Object},
		Properties: jsonschema.Properties{{Name: "@type", Schema: textSchema()}},
	}
}

// contentOf is a message as content: JSON, or whatever an HttpBody has.
func contentOf(m protoreflect.MessageDescriptor, schema func() *jsonschema.Schema) openapi.Map[openapi.MediaType] {
	if m != nil && m.FullName() == "google.api.HttpBody" {
		return openapi.Map[openapi.MediaType]{{Name: "*/*"}}
	}
	return jsonContent(schema())
}

// body is a request as a whole, without what is set elsewhere. The key may be.
func (b *documentBuilder) body(m *protogen.Message, elsewhere []string, key string) *jsonschema.Schema {
	if len(elsewhere) == 0 && key == "" {
		return b.message(m, true)
	}
	return b.object(m, true, elsewhere, key)
}

// message is a message: in its own form, or a reference to its fields. One that is sent
// and answered has two schemas where it has rules.
func (b *documentBuilder) message(m *protogen.Message, checked bool) *jsonschema.Schema {
	if schema := wellKnownJSON(m.Desc); schema != nil {
		return schema
	}
	name := string(m.Desc.FullName())
	if checked && b.reached[reach{m.Desc.FullName(), false}] && hasRules(m, map[*protogen.Message]bool{}) {
		name += "-request"
	}
	if b.schemas[name] == nil {
		schema := &jsonschema.Schema{}
		b.schemas[name] = schema // before its fields, which may be of its type
		*schema = *b.object(m, checked, nil, "")
		schema.Description = docOf(m.Desc, m.Comments)
		schema.Deprecated = deprecated(m.Desc)
	}
	return &jsonschema.Schema{Ref: openapi.Schemas + name}
}

// hasRules reports whether something in a message has rules.
func hasRules(m *protogen.Message, seen map[*protogen.Message]bool) bool {
	if seen[m] {
		return false
	}
	seen[m] = true
	return slices.ContainsFunc(m.Oneofs, needsOne) || slices.ContainsFunc(m.Fields, func(f *protogen.Field) bool {
		s := rules.SpecOf(f)
		return s.Required || len(s.Rules) > 0 || s.Items != nil || s.Keys != nil || s.Values != nil ||
			f.Desc.Cardinality() == protoreflect.Required || f.Message != nil && hasRules(f.Message, seen)
	})
}

// object is a message as an object, without the fields that are set elsewhere.
func (b *documentBuilder) object(m *protogen.Message, checked bool, elsewhere []string, key string) *jsonschema.Schema {
	out := &jsonschema.Schema{Type: jsonschema.Types{jsonschema.Object}}
	for _, f := range m.Fields {
		name := string(f.Desc.Name())
		if slices.Contains(elsewhere, name) {
			continue
		}
		out.Properties = append(out.Properties, jsonschema.Property{
			Name: f.Desc.JSONName(), Schema: b.field(f, checked, below(elsewhere, name)),
		})
	}
	exclude(out, m, inJSON)
	if checked {
		out.Required = b.needed(m, elsewhere, key)
		b.choose(out, m, elsewhere)
	}
	return out
}

// choose wants a field of each oneof that has to have one.
func (b *documentBuilder) choose(schema *jsonschema.Schema, m *protogen.Message, elsewhere []string) {
	for _, o := range m.Oneofs {
		if !needsOne(o) {
			continue
		}
		var each []*jsonschema.Schema
		for _, f := range o.Fields {
			each = append(each, &jsonschema.Schema{Required: []string{f.Desc.JSONName()}})
			if name := string(f.Desc.Name()); slices.Contains(elsewhere, name) || len(below(elsewhere, name)) > 0 {
				return
			}
		}
		schema.And(&jsonschema.Schema{AnyOf: each})
	}
}

func needsOne(o *protogen.Oneof) bool {
	return !o.Desc.IsSynthetic() && extension[*validate.OneofRules](o.Desc, validate.E_Oneof).GetRequired()
}

// below are the paths within a field.
func below(paths []string, field string) []string {
	var out []string
	for _, path := range paths {
		if rest, ok := strings.CutPrefix(path, field+"."); ok {
			out = append(out, rest)
		}
	}
	return out
}

// needed are the fields that have to be there, as they are called in JSON.
func (b *documentBuilder) needed(m *protogen.Message, elsewhere []string, key string) []string {
	if wellKnownJSON(m.Desc) != nil {
		return nil
	}
	var out []string
	for _, f := range m.Fields {
		name := string(f.Desc.Name())
		if b.needs(f) && name != key && !slices.Contains(elsewhere, name) && len(below(elsewhere, name)) == 0 {
			out = append(out, f.Desc.JSONName())
		}
	}
	return out
}

// needs reports whether a request without the field is refused.
func (b *documentBuilder) needs(f *protogen.Field) bool {
	return f.Desc.Cardinality() == protoreflect.Required || b.rules.NeedsValue(f)
}

// field is a field of an object, with what is said of it. One that tracks presence and
// is not optional may be null, as it is in an answer that does not have it.
func (b *documentBuilder) field(f *protogen.Field, checked bool, elsewhere []string) *jsonschema.Schema {
	spec := specOf(f, !checked)
	if len(elsewhere) > 0 {
		return b.object(f.Message, !spec.Ignored, elsewhere, "")
	}
	schema, description := b.described(f, spec)
	if f.Desc.HasPresence() && f.Desc.ContainingOneof() == nil && !(checked && b.needs(f)) && !isValue(f.Message) {
		schema = orNull(schema)
	}
	schema.Description, schema.Deprecated = description, deprecated(f.Desc)
	return schema
}

// described is the schema of a field, and what is said of it: its comment, and the rules
// for which there is no keyword.
func (b *documentBuilder) described(f *protogen.Field, spec *rules.Spec) (*jsonschema.Schema, string) {
	schema, unchecked := b.value(f, spec)
	text := docOf(f.Desc, f.Comments)
	if len(unchecked) > 0 {
		text = strings.TrimSpace(text + "\n\nRules: " + strings.Join(unchecked, ", ") + ".")
	}
	return schema, text
}

// value is what a field may have, with its rules, and the rules that are not checked.
func (b *documentBuilder) value(f *protogen.Field, spec *rules.Spec) (*jsonschema.Schema, []string) {
	schema := b.shape(f, spec)
	unchecked := inJSON.constrain(schema, f, spec, inJSON.zeroOf(f))
	if spec.Required && !f.Desc.HasPresence() {
		fill(schema, f)
	}
	return schema, unchecked
}

// fill refuses the zero value.
func fill(schema *jsonschema.Schema, f *protogen.Field) {
	switch {
	case f.Desc.IsMap():
		schema.MinProperties = max(schema.MinProperties, 1)
	case f.Desc.IsList():
		schema.MinItems = max(schema.MinItems, 1)
	case f.Desc.Kind() == protoreflect.StringKind, f.Desc.Kind() == protoreflect.BytesKind:
		schema.MinLength = max(schema.MinLength, 1)
	default:
		schema.Exclude(inJSON.zeroElement(f))
	}
}

// shape is what a field is made of.
func (b *documentBuilder) shape(f *protogen.Field, spec *rules.Spec) *jsonschema.Schema {
	switch {
	case f.Desc.IsMap():
		key, value := f.Message.Fields[0], f.Message.Fields[1]
		return &jsonschema.Schema{
			Type:                 jsonschema.Types{jsonschema.Object},
			PropertyNames:        inJSON.keySchema(key, within(spec, spec.Keys)),
			AdditionalProperties: b.element(value, within(spec, spec.Values)),
		}
	case f.Desc.IsList():
		return &jsonschema.Schema{Type: jsonschema.Types{jsonschema.Array}, Items: b.element(f, within(spec, spec.Items))}
	}
	return b.single(f, spec)
}

func (b *documentBuilder) element(f *protogen.Field, spec *rules.Spec) *jsonschema.Schema {
	out := b.single(f, spec)
	inJSON.constrain(out, f, spec, inJSON.zeroElement(f))
	return out
}

// single is one value: that of a scalar, an enum or a message.
func (b *documentBuilder) single(f *protogen.Field, spec *rules.Spec) *jsonschema.Schema {
	switch {
	case f.Message != nil:
		return b.message(f.Message, !spec.Ignored)
	case f.Enum != nil:
		return b.enum(f.Enum)
	}
	return jsonScalar(f.Desc.Kind())
}

func (b *documentBuilder) enum(e *protogen.Enum) *jsonschema.Schema {
	if e.Desc.FullName() == nullName {
		return &jsonschema.Schema{Type: jsonschema.Types{jsonschema.Null}}
	}
	name := string(e.Desc.FullName())
	b.schemas[name] = &jsonschema.Schema{
		Description: docOf(e.Desc, e.Comments),
		Deprecated:  deprecated(e.Desc),
		Type:        jsonschema.Types{jsonschema.String},
		Enum:        inJSON.enumNames(e.Desc, func(protoreflect.EnumNumber) bool { return true }),
	}
	return &jsonschema.Schema{Ref: openapi.Schemas + name}
}

// isValue reports whether a message is any JSON, null too.
func isValue(m *protogen.Message) bool { return m != nil && m.Desc.FullName() == valueName }

func orNull(schema *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{schema, {Type: jsonschema.Types{jsonschema.Null}}}}
}

// fieldNamed is the field at a path, which the checks of routes have found.
func fieldNamed(m *protogen.Message, path string) *protogen.Field {
	name, rest, more := strings.Cut(path, ".")
	f := m.Fields[m.Desc.Fields().ByName(protoreflect.Name(name)).Index()]
	if more {
		return fieldNamed(f.Message, rest)
	}
	return f
}

// singular is the message that a field is; nil for scalars, lists and maps.
func singular(fd protoreflect.FieldDescriptor) protoreflect.MessageDescriptor {
	if fd.IsList() || fd.IsMap() {
		return nil
	}
	return fd.Message()
}

// jsonScalar is a value of a kind in proto3 JSON, as it is written in answers.
func jsonScalar(kind protoreflect.Kind) *jsonschema.Schema {
	out := textSchema()
	switch kind {
	case protoreflect.BoolKind:
		return boolSchema()
	case protoreflect.StringKind:
	case protoreflect.BytesKind:
		out.ContentEncoding = "base64"
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		out.Pattern, out.Format = "^-?[0-9]+$", "int64"
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		out.Pattern, out.Format = "^[0-9]+$", "uint64"
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		number := numberSchema()
		number.Format = kind.String()
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{number, {Enum: []any{"NaN", "Infinity", "-Infinity"}}}}
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		out = integerSchema("0", "4294967295")
	default:
		out = integerSchema("", "")
		out.Format = "int32"
	}
	return out
}

// wellKnownJSON is a message that has a form of its own in JSON; nil: it has not.
func wellKnownJSON(m protoreflect.MessageDescriptor) *jsonschema.Schema {
	if isWrapper(m) {
		return jsonScalar(m.Fields().ByName("value").Kind())
	}
	switch m.FullName() {
	case "google.protobuf.Timestamp":
		out := textSchema()
		out.Format = "date-time"
		return out
	case durationName:
		return patternSchema(`^-?[0-9]+(\.[0-9]{1,9})?s$`)
	case maskName:
		return textSchema()
	case anyName:
		return anySchema()
	case "google.protobuf.Struct":
		return &jsonschema.Schema{Type: jsonschema.Types{jsonschema.Object}}
	case "google.protobuf.ListValue":
		return &jsonschema.Schema{Type: jsonschema.Types{jsonschema.Array}}
	case valueName:
		return &jsonschema.Schema{}
	}
	return nil
}

// docOf is what a contract says of something. Compilers bring comments of protobuf's own
// files, each in words of its version.
func docOf(d protoreflect.Descriptor, c protogen.CommentSet) string {
	if strings.HasPrefix(d.ParentFile().Path(), "google/protobuf/") {
		return ""
	}
	return string(commentOf(c))
}
