package transcode_test

import (
	"strings"
	"testing"

	"go.uber.org/goleak"
	_ "google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	_ "google.golang.org/protobuf/types/known/durationpb"
	_ "google.golang.org/protobuf/types/known/fieldmaskpb"
	_ "google.golang.org/protobuf/types/known/structpb"
	_ "google.golang.org/protobuf/types/known/timestamppb"
	_ "google.golang.org/protobuf/types/known/wrapperspb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// file is a contract of all kinds of fields. Each line of a message is a field, and its
// number that of the line. What follows "=" is its name in JSON.
var file = contract(map[string]string{
	"Kinds": `
		bool bool
		int32 int32
		sint32 sint32
		sfixed32 sfixed32
		int64 int64
		sint64 sint64
		sfixed64 sfixed64
		uint32 uint32
		fixed32 fixed32
		uint64 uint64
		fixed64 fixed64
		float float
		double double
		string string
		bytes bytes
		.t.Color color
		string reset
		explicit int32 maybe
		repeated int32 numbers
		repeated .t.Color colors
		repeated string words
		map string string labels
		map int32 int64 counts
		map bool .google.protobuf.Timestamp times
		map string .t.Money prices
		.t.Money money
		repeated .t.Money items
		choice string left
		choice int32 right
		choice .t.Money cash
		.google.protobuf.Timestamp time
		.google.protobuf.Duration duration
		.google.protobuf.FieldMask update_mask
		.google.protobuf.Int64Value int64_value
		.google.protobuf.StringValue string_value
		.google.protobuf.BytesValue bytes_value
		.google.protobuf.BoolValue bool_value
		.google.protobuf.Struct struct
		repeated .google.protobuf.Duration waits
		.t.Node node
		.t.Shade shade
		.t.Lists lists
		map uint64 string sizes
		.google.protobuf.NullValue nothing`,
	"Lists": `
		repeated string names
		repeated .t.Lists all`,
	"Money": `
		string currency_code
		int64 amount_minor`,
	"Node": `
		.t.Node next
		string name
		string odd=odd.name`,
	"Upload": `
		string name
		.google.api.HttpBody file`,
	"Required": `
		required string id
		string note`,
	"Masks": `
		.t.Money money
		.google.protobuf.FieldMask update_mask
		.google.protobuf.FieldMask other_mask`,
})

func contract(messages map[string]string) protoreflect.FileDescriptor {
	open := &descriptorpb.FeatureSet{
		FieldPresence: descriptorpb.FeatureSet_IMPLICIT.Enum(),
	}
	closed := &descriptorpb.EnumOptions{Features: &descriptorpb.FeatureSet{EnumType: descriptorpb.FeatureSet_CLOSED.Enum()}}
	fd := &descriptorpb.FileDescriptorProto{
		Name: proto.String("t.proto"), Package: proto.String("t"), Syntax: proto.String("editions"),
		Edition: descriptorpb.Edition_EDITION_2023.Enum(),
		Options: &descriptorpb.FileOptions{Features: open},
		Dependency: []string{
			"google/protobuf/timestamp.proto", "google/protobuf/duration.proto", "google/protobuf/field_mask.proto",
			"google/protobuf/wrappers.proto", "google/protobuf/struct.proto", "google/api/httpbody.proto",
		},
		EnumType: []*descriptorpb.EnumDescriptorProto{
			enum("Color", nil, "COLOR_UNSPECIFIED", "COLOR_RED"),
			enum("Shade", closed, "SHADE_UNSPECIFIED", "SHADE_DARK"),
		},
	}
	for name, fields := range messages {
		fd.MessageType = append(fd.MessageType, messageOf(name, strings.Split(strings.TrimSpace(fields), "\n")))
	}
	built, err := protodesc.NewFile(fd, protoregistry.GlobalFiles)
	if err != nil {
		panic(err)
	}
	return built
}

func enum(name string, options *descriptorpb.EnumOptions, values ...string) *descriptorpb.EnumDescriptorProto {
	e := &descriptorpb.EnumDescriptorProto{Name: &name, Options: options}
	for i, value := range values {
		e.Value = append(e.Value, &descriptorpb.EnumValueDescriptorProto{Name: proto.String(value), Number: proto.Int32(int32(i))})
	}
	return e
}

func messageOf(name string, lines []string) *descriptorpb.DescriptorProto {
	m := &descriptorpb.DescriptorProto{Name: &name}
	for i, line := range lines {
		words := strings.Fields(line)
		fieldName, jsonName, hasJSONName := strings.Cut(words[len(words)-1], "=")
		field := &descriptorpb.FieldDescriptorProto{
			Name: &fieldName, Number: proto.Int32(int32(i + 1)),
			Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		}
		if hasJSONName {
			field.JsonName = &jsonName
		}
		presence := descriptorpb.FeatureSet_FIELD_PRESENCE_UNKNOWN
		switch words[0] {
		case "repeated":
			field.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
		case "choice":
			field.OneofIndex = proto.Int32(0)
			if m.OneofDecl == nil {
				m.OneofDecl = []*descriptorpb.OneofDescriptorProto{{Name: proto.String("choice")}}
			}
		case "explicit":
			presence = descriptorpb.FeatureSet_EXPLICIT
		case "required":
			presence = descriptorpb.FeatureSet_LEGACY_REQUIRED
		case "map":
			field.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
			entry := strings.ToUpper(words[3][:1]) + words[3][1:] + "Entry"
			nested := messageOf(entry, []string{words[1] + " key", words[2] + " value"})
			nested.Options = &descriptorpb.MessageOptions{MapEntry: proto.Bool(true)}
			m.NestedType = append(m.NestedType, nested)
			words[2] = ".t." + name + "." + entry
		}
		if words[len(words)-2] == ".t.Shade" {
			presence = descriptorpb.FeatureSet_EXPLICIT
		}
		if presence != 0 {
			field.Options = &descriptorpb.FieldOptions{Features: &descriptorpb.FeatureSet{FieldPresence: &presence}}
		}
		typeOf(field, words[len(words)-2])
		m.Field = append(m.Field, field)
	}
	return m
}

func typeOf(field *descriptorpb.FieldDescriptorProto, name string) {
	switch {
	case name == ".t.Color" || name == ".t.Shade" || name == ".google.protobuf.NullValue":
		field.TypeName, field.Type = &name, descriptorpb.FieldDescriptorProto_TYPE_ENUM.Enum()
	case name[0] == '.':
		field.TypeName, field.Type = &name, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum()
	default:
		number := descriptorpb.FieldDescriptorProto_Type_value["TYPE_"+strings.ToUpper(name)]
		field.Type = descriptorpb.FieldDescriptorProto_Type(number).Enum()
	}
}

func message(name protoreflect.Name) *dynamicpb.Message {
	return dynamicpb.NewMessage(file.Messages().ByName(name))
}
