package model

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// config resolves the config message and reads it. It returns the message, nil
// without one.
func (b *builder) config(s *Service, o *svcv1.Service) *protogen.Message {
	if o.GetConfig() == "" {
		return nil
	}
	message, ok := resolve(b.file.messages, b.file.pkg, o.GetConfig())
	if !ok {
		b.faultf(s.origin().in("config"), "%q is not a known message%s", o.GetConfig(), suggestion(b.file.messages, b.file.pkg, o.GetConfig()))
		return nil
	}
	s.Config = &Config{
		FullName: string(message.Desc.FullName()),
		Message:  message.GoIdent,
		Fields:   b.configFields(message, s.EnvPrefix+"_SERVICE", nil),
	}
	return message
}

// configFields reads the fields of a message, nested messages included.
// Variables set single values and lists of them, nothing below a list or a map.
func (b *builder) configFields(m *protogen.Message, prefix string, above []protoreflect.FullName) []*ConfigField {
	if slices.Contains(above, m.Desc.FullName()) {
		return nil // a message within itself has no finite form
	}
	above = append(slices.Clone(above), m.Desc.FullName())
	var out []*ConfigField
	for _, f := range m.Fields {
		field := &ConfigField{
			Name:    string(f.Desc.Name()),
			Env:     prefix + "_" + envName(string(f.Desc.Name())),
			Comment: commentOf(f.Comments),
			Type:    typeName(f.Desc),
			Secret:  f.Desc.Options().(*descriptorpb.FieldOptions).GetDebugRedact(),
			Default: b.configDefault(f),
		}
		if isNested(f.Desc) {
			field.Fields = b.configFields(f.Message, field.Env, above)
		}
		if isNested(f.Desc) || f.Desc.IsMap() || f.Desc.IsList() && f.Message != nil {
			field.Env = ""
		}
		out = append(out, field)
	}
	return out
}

// isNested reports whether a field is a section of settings: a single message
// that is not written as one value.
func isNested(d protoreflect.FieldDescriptor) bool {
	return d.Message() != nil && !d.IsList() && !d.IsMap() && d.Message().FullName().Parent() != "google.protobuf"
}

var scalarNames = map[protoreflect.FullName]string{
	"google.protobuf.Duration":  "duration",
	"google.protobuf.Timestamp": "time (RFC 3339)",
}

func typeName(d protoreflect.FieldDescriptor) string {
	single := d.Kind().String()
	switch {
	case d.IsMap():
		return "map of " + typeName(d.MapKey()) + " to " + typeName(d.MapValue())
	case d.Enum() != nil:
		single = string(d.Enum().Name())
	case d.Message() != nil:
		single = orDefault(scalarNames[d.Message().FullName()], string(d.Message().Name()))
	}
	if d.IsList() {
		return "list of " + single
	}
	return single
}

// configDefault checks the default of a field and returns it on one line.
func (b *builder) configDefault(f *protogen.Field) string {
	text := extension[*svcv1.Field](f.Desc, svcv1.E_Field).GetDefault()
	if text == "" {
		return ""
	}
	at := Origin{desc: f.Desc, ext: svcv1.E_Field}.in("default")
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil || len(doc.Content) != 1 {
		b.faultf(at, "%q is not YAML", text)
		return ""
	}
	if err := checkDefault(f.Desc, doc.Content[0]); err != nil {
		b.faultf(at, "%q: %v", text, err)
		return ""
	}
	return oneLine(doc.Content[0])
}

// plainScalar are the types that stand unquoted, plainText what they are made of.
var (
	plainScalar = map[string]bool{"!!int": true, "!!float": true, "!!bool": true}
	plainText   = regexp.MustCompile(`^[-+.\w]+$`)
)

// oneLine prints a value so that it fits behind its key, quoted where plain text
// would be read as something else.
func oneLine(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		if plainScalar[n.Tag] && plainText.MatchString(n.Value) {
			return n.Value
		}
		return strconv.Quote(n.Value)
	}
	items := ""
	for i, c := range n.Content {
		if i > 0 {
			items += ", "
		}
		items += oneLine(c)
	}
	return "[" + items + "]"
}

func checkDefault(d protoreflect.FieldDescriptor, n *yaml.Node) error {
	switch {
	case d.IsMap(), d.Message() != nil && scalarNames[d.Message().FullName()] == "":
		return fmt.Errorf("a field of type %s cannot have a default (set the defaults of its fields)", typeName(d))
	case d.IsList() && n.Kind != yaml.SequenceNode:
		return fmt.Errorf("not a list (want for example [a, b])")
	case !d.IsList():
		return checkScalar(d, n)
	}
	for _, item := range n.Content {
		if err := checkScalar(d, item); err != nil {
			return err
		}
	}
	return nil
}

// checkScalar holds a value against the kind of its field.
func checkScalar(d protoreflect.FieldDescriptor, n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf("not a single value")
	}
	var err error
	switch d.Kind() {
	case protoreflect.BoolKind:
		_, err = strconv.ParseBool(n.Value)
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		_, err = strconv.ParseInt(n.Value, 10, 32)
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		_, err = strconv.ParseInt(n.Value, 10, 64)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		_, err = strconv.ParseUint(n.Value, 10, 32)
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		_, err = strconv.ParseUint(n.Value, 10, 64)
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		_, err = strconv.ParseFloat(n.Value, 64)
	case protoreflect.EnumKind:
		if d.Enum().Values().ByName(protoreflect.Name(n.Value)) == nil {
			return fmt.Errorf("%q is not a value of %s", n.Value, d.Enum().FullName())
		}
	case protoreflect.MessageKind:
		err = checkMessageText(d.Message().FullName(), n.Value)
	}
	if err != nil {
		return fmt.Errorf("%q is not a value of type %s", n.Value, typeName(d))
	}
	return nil
}

func checkMessageText(name protoreflect.FullName, text string) (err error) {
	switch name {
	case "google.protobuf.Duration":
		_, err = time.ParseDuration(text)
	case "google.protobuf.Timestamp":
		_, err = time.Parse(time.RFC3339Nano, text)
	}
	return err
}

// Defaults is the YAML of the defaults that the contract names, nested as the
// message is, and empty without any.
func (c *Config) Defaults() string { return defaultsOf(c.Fields, "") }

func defaultsOf(fields []*ConfigField, indent string) string {
	var out string
	for _, f := range fields {
		if f.Default != "" {
			out += indent + f.Name + ": " + f.Default + "\n"
		} else if nested := defaultsOf(f.Fields, indent+"  "); nested != "" {
			out += indent + f.Name + ":\n" + nested
		}
	}
	return out
}
