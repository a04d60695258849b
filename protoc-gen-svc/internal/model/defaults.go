package model

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// configDefault checks the default of a field and returns it on one line.
func (b *builder) configDefault(f *protogen.Field) string {
	text := extension[*svcv1.Field](f.Desc, svcv1.E_Field).GetDefault()
	if text == "" {
		return ""
	}
	at := defaultOrigin(f)
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil || len(doc.Content) != 1 {
		b.fault(at, defaultYAML, text)
		return ""
	}
	if errs := checkDefault(f.Desc, doc.Content[0]); len(errs) > 0 {
		for _, err := range errs {
			b.fault(at, defaultValue, text, err)
		}
		return ""
	}
	return oneLine(f.Desc, doc.Content[0])
}

// plainScalar are the types that stand unquoted, plainText what they are made of.
var (
	plainScalar = map[string]bool{"!!int": true, "!!float": true, "!!bool": true}
	plainText   = regexp.MustCompile(`^[-+.\w]+$`)
)

// oneLine prints a value so that it fits behind its key, quoted where plain text
// would be read as something else: 42 for a string is "42".
func oneLine(d protoreflect.FieldDescriptor, n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		if !isText(d) && plainScalar[n.Tag] && plainText.MatchString(n.Value) {
			return n.Value
		}
		return strconv.Quote(n.Value)
	}
	items := ""
	for i, c := range n.Content {
		if i > 0 {
			items += ", "
		}
		items += oneLine(d, c)
	}
	return "[" + items + "]"
}

func isText(d protoreflect.FieldDescriptor) bool {
	return d.Kind() == protoreflect.StringKind || d.Kind() == protoreflect.BytesKind
}

func checkDefault(d protoreflect.FieldDescriptor, n *yaml.Node) (errs []error) {
	values := []*yaml.Node{n}
	switch {
	case d.IsMap(), d.Message() != nil && scalarNames[d.Message().FullName()] == "":
		return []error{fmt.Errorf("a field of type %s cannot have a default (set the defaults of its fields)", typeName(d))}
	case d.IsList() && n.Kind != yaml.SequenceNode:
		return []error{fmt.Errorf("not a list (want for example [a, b])")}
	case d.IsList():
		values = n.Content
	}
	for _, value := range values {
		if err := checkScalar(d, value); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// yamlTypes are the types that a value of a kind may have in YAML; any, where
// there are none.
var yamlTypes = map[protoreflect.Kind][]string{
	protoreflect.BoolKind:  {"!!bool"},
	protoreflect.Int32Kind: {"!!int"}, protoreflect.Sint32Kind: {"!!int"}, protoreflect.Sfixed32Kind: {"!!int"},
	protoreflect.Int64Kind: {"!!int"}, protoreflect.Sint64Kind: {"!!int"}, protoreflect.Sfixed64Kind: {"!!int"},
	protoreflect.Uint32Kind: {"!!int"}, protoreflect.Fixed32Kind: {"!!int"},
	protoreflect.Uint64Kind: {"!!int"}, protoreflect.Fixed64Kind: {"!!int"},
	protoreflect.FloatKind: {"!!float", "!!int"}, protoreflect.DoubleKind: {"!!float", "!!int"},
}

// checkScalar holds a value against the kind of its field, as strictly as the
// runtime reads it.
func checkScalar(d protoreflect.FieldDescriptor, n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf("not a single value")
	}
	err := checkText(d, n.Value)
	if types := yamlTypes[d.Kind()]; n.Tag == "!!null" || types != nil && !slices.Contains(types, n.Tag) {
		err = errType
	}
	if err != nil && d.Enum() != nil {
		return fmt.Errorf("%q is not a value of %s%s", n.Value, d.Enum().FullName(), didYouMean(n.Value, valueNames(d.Enum())))
	}
	if err != nil {
		return fmt.Errorf("%q is not a value of type %s", n.Value, singleName(d))
	}
	return nil
}

var errType = errors.New("another type")

func valueNames(e protoreflect.EnumDescriptor) []string {
	names := make([]string, e.Values().Len())
	for i := range names {
		names[i] = string(e.Values().Get(i).Name())
	}
	return names
}

var floatBits = map[protoreflect.Kind]int{protoreflect.FloatKind: 32, protoreflect.DoubleKind: 64}

// checkText leaves strings alone: every text is one.
func checkText(d protoreflect.FieldDescriptor, text string) (err error) {
	switch d.Kind() {
	case protoreflect.BoolKind:
		if text != "true" && text != "false" {
			err = errType
		}
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		_, err = strconv.ParseInt(text, 10, 32)
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		_, err = strconv.ParseInt(text, 10, 64)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		_, err = strconv.ParseUint(text, 10, 32)
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		_, err = strconv.ParseUint(text, 10, 64)
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		var f float64
		if f, err = strconv.ParseFloat(text, floatBits[d.Kind()]); math.IsInf(f, 0) || math.IsNaN(f) {
			err = errType
		}
	case protoreflect.BytesKind:
		_, err = base64.StdEncoding.DecodeString(text)
	case protoreflect.EnumKind:
		if d.Enum().Values().ByName(protoreflect.Name(text)) == nil {
			err = errType
		}
	case protoreflect.MessageKind:
		err = checkMessageText(d.Message().FullName(), text)
	}
	return err
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

// checkOneofDefaults refuses defaults of which only one could hold.
func (b *builder) checkOneofDefaults(m *protogen.Message) {
	for _, o := range m.Oneofs {
		var first *protogen.Field
		for _, f := range o.Fields {
			if extension[*svcv1.Field](f.Desc, svcv1.E_Field).GetDefault() == "" {
				continue
			}
			if first != nil {
				b.fault(defaultOrigin(f), defaultOneof, first.Desc.Name(), o.Desc.Name())
				continue
			}
			first = f
		}
	}
}

func defaultOrigin(f *protogen.Field) Origin {
	return Origin{desc: f.Desc, ext: svcv1.E_Field}.in("default")
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
