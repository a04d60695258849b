package model

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/rules"
)

// configDefault checks the default of a field, and returns it on one line and as
// the runtime will read it.
func (b *builder) configDefault(f *protogen.Field) (string, []protoreflect.Value) {
	text := extension[*svcv1.Field](f.Desc, svcv1.E_Field).GetDefault()
	if text == "" {
		return "", nil
	}
	at := defaultOrigin(f)
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil || len(doc.Content) != 1 {
		b.fault(at, defaultYAML, text)
		return "", nil
	}
	values, errs := readDefault(f.Desc, doc.Content[0])
	if len(errs) > 0 {
		for _, err := range errs {
			b.fault(at, defaultValue, text, err)
		}
		return "", nil
	}
	return oneLine(wrapped(f.Desc), doc.Content[0]), values
}

// checkDefaults refuses defaults with which the service would not start, since
// its validator refuses them.
func (b *builder) checkDefaults(fields []*ConfigField, set *rules.Set) {
	for _, f := range fields {
		if !rules.Ignored(f.proto) {
			b.checkDefaults(f.Fields, set)
		}
		if f.Default == "" {
			continue
		}
		text := extension[*svcv1.Field](f.proto.Desc, svcv1.E_Field).GetDefault()
		for _, broken := range set.Breaches(f.proto, f.values) {
			b.fault(defaultOrigin(f.proto), defaultBreaks, text, broken.Rule, strings.TrimSpace(broken.Item+" "+broken.Text))
		}
	}
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
	return d.Kind() == protoreflect.StringKind || d.Kind() == protoreflect.BytesKind || isMask(d)
}

func readDefault(d protoreflect.FieldDescriptor, n *yaml.Node) (values []protoreflect.Value, errs []error) {
	nodes := []*yaml.Node{n}
	switch {
	case isNested(d):
		return nil, []error{fmt.Errorf("a field of type %s cannot have a default (set the defaults of its fields)", typeName(d))}
	case d.IsMap(), !isScalar(d):
		return nil, []error{fmt.Errorf("a field of type %s cannot have a default (let the handler say what holds without a value)", typeName(d))}
	case d.IsList() && n.Kind != yaml.SequenceNode:
		return nil, []error{fmt.Errorf("not a list (want for example [a, b])")}
	case d.IsList():
		nodes = n.Content
	}
	for _, node := range nodes {
		value, err := readScalar(wrapped(d), node)
		if err != nil {
			errs = append(errs, err)
		}
		values = append(values, value)
	}
	return values, errs
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

// readScalar reads a value of the kind of its field, as strictly as the runtime.
func readScalar(d protoreflect.FieldDescriptor, n *yaml.Node) (protoreflect.Value, error) {
	if n.Kind != yaml.ScalarNode {
		return protoreflect.Value{}, fmt.Errorf("not a single value")
	}
	value, err := readText(d, n.Value)
	if types := yamlTypes[d.Kind()]; n.Tag == "!!null" || types != nil && !slices.Contains(types, n.Tag) {
		err = errType
	}
	if err != nil && d.Enum() != nil {
		return value, fmt.Errorf("%q is not a value of %s%s", n.Value, d.Enum().FullName(), didYouMean(n.Value, valueNames(d.Enum())))
	}
	if err != nil {
		return value, fmt.Errorf("%q is not a value of type %s", n.Value, singleName(d))
	}
	return value, nil
}

var errType = errors.New("another type")

func valueNames(e protoreflect.EnumDescriptor) []string {
	names := make([]string, e.Values().Len())
	for i := range names {
		names[i] = string(e.Values().Get(i).Name())
	}
	return names
}

// readText takes every text for a string.
func readText(d protoreflect.FieldDescriptor, text string) (protoreflect.Value, error) {
	switch d.Kind() {
	case protoreflect.BoolKind:
		return valueOf(text == "true", boolError(text))
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		n, err := strconv.ParseInt(text, 10, 32)
		return valueOf(int32(n), err)
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return valueOf(strconv.ParseInt(text, 10, 64))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		n, err := strconv.ParseUint(text, 10, 32)
		return valueOf(uint32(n), err)
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return valueOf(strconv.ParseUint(text, 10, 64))
	case protoreflect.FloatKind:
		f, err := readFloat(text, 32)
		return valueOf(float32(f), err)
	case protoreflect.DoubleKind:
		return valueOf(readFloat(text, 64))
	case protoreflect.BytesKind:
		return valueOf(base64.StdEncoding.DecodeString(text))
	case protoreflect.EnumKind:
		v := d.Enum().Values().ByName(protoreflect.Name(text))
		if v == nil {
			return protoreflect.Value{}, errType
		}
		return protoreflect.ValueOfEnum(v.Number()), nil
	case protoreflect.MessageKind:
		return readMessage(d.Message().FullName(), text)
	default:
		return protoreflect.ValueOfString(text), nil
	}
}

func valueOf[T any](v T, err error) (protoreflect.Value, error) { return protoreflect.ValueOf(v), err }

func boolError(text string) error {
	if text != "true" && text != "false" {
		return errType
	}
	return nil
}

func readFloat(text string, bits int) (float64, error) {
	f, err := strconv.ParseFloat(text, bits)
	if math.IsInf(f, 0) || math.IsNaN(f) {
		err = errType
	}
	return f, err
}

func readMessage(name protoreflect.FullName, text string) (protoreflect.Value, error) {
	switch name {
	case "google.protobuf.Duration":
		d, err := time.ParseDuration(text)
		return valueOf(durationpb.New(d).ProtoReflect(), err)
	case "google.protobuf.Timestamp":
		at, err := time.Parse(time.RFC3339Nano, text)
		return valueOf(timestamppb.New(at).ProtoReflect(), err)
	case maskName:
		return protoreflect.ValueOfString(text), maskError(text)
	default:
		return protoreflect.Value{}, errType
	}
}

// maskPath is what the runtime takes for the path of a field.
var maskPath = regexp.MustCompile(`^([A-Za-z_]\w*|\*)(\.([A-Za-z_]\w*|\*))*$`)

func maskError(text string) error {
	for path := range strings.SplitSeq(text, ",") {
		if text != "" && !maskPath.MatchString(strings.TrimSpace(path)) {
			return errType
		}
	}
	return nil
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
