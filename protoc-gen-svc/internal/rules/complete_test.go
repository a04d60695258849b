package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/rules"
)

// noChecks are the settings that alone check nothing.
var noChecks = map[string]bool{"strict": true, "example": true}

// TestComplete sets each rule that buf.validate has, one at a time. Each must
// generate something: a rule that a later version adds must not be dropped in
// silence.
func TestComplete(t *testing.T) {
	types := (&validate.FieldRules{}).ProtoReflect().Descriptor().Oneofs().ByName("type").Fields()
	for i := range types.Len() {
		kind := types.Get(i)
		settings := kind.Message().Fields()
		for j := range settings.Len() {
			setting := settings.Get(j)
			t.Run(fmt.Sprintf("%s.%s", kind.Name(), setting.Name()), func(t *testing.T) {
				options := &validate.FieldRules{}
				specific := options.ProtoReflect().Mutable(kind).Message()
				set(specific, setting)
				got, faults := rules.Build(messageWith(t, string(kind.Name()), options), "Test", nil)
				if err := faults.Err(); err != nil {
					t.Fatal(err)
				}
				if got.Empty() != noChecks[string(setting.Name())] {
					t.Errorf("checks nothing: %v, want %v", got.Empty(), !got.Empty())
				}
			})
		}
	}
}

// set gives a setting a value that some values meet.
func set(m protoreflect.Message, setting protoreflect.FieldDescriptor) {
	value := sample(m, setting)
	if setting.IsList() {
		m.Mutable(setting).List().Append(value)
		return
	}
	m.Set(setting, value)
}

func sample(m protoreflect.Message, setting protoreflect.FieldDescriptor) protoreflect.Value {
	switch setting.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.StringKind:
		return protoreflect.ValueOfString("a")
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte("a"))
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(1)
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(3)
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(3)
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(3)
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(3)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(3)
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(3)
	default:
		return protoreflect.ValueOfMessage(sampleMessage(setting.Message().FullName()).ProtoReflect())
	}
}

func sampleMessage(name protoreflect.FullName) proto.Message {
	switch name {
	case "google.protobuf.Duration":
		return durationpb.New(1)
	case "google.protobuf.Timestamp":
		return &timestamppb.Timestamp{Seconds: 1}
	case "google.protobuf.FieldMask":
		return &fieldmaskpb.FieldMask{Paths: []string{"a"}}
	default: // the rules of elements, keys and values, which are strings
		return validate.FieldRules_builder{
			String: validate.StringRules_builder{MinLen: proto.Uint64(1)}.Build(),
		}.Build()
	}
}

// messageWith returns a message with one field of the type that the rules are
// for.
func messageWith(t *testing.T, kind string, options *validate.FieldRules) []*protogen.Message {
	t.Helper()
	field := &descriptorpb.FieldDescriptorProto{
		Name:    proto.String("field"),
		Number:  proto.Int32(1),
		Label:   descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		Options: &descriptorpb.FieldOptions{},
	}
	proto.SetExtension(field.Options, validate.E_Field, options)
	message := &descriptorpb.DescriptorProto{Name: proto.String("M"), Field: []*descriptorpb.FieldDescriptorProto{field}}
	typed(message, field, kind)
	file := &descriptorpb.FileDescriptorProto{
		Name:        proto.String("m.proto"),
		Package:     proto.String("test"),
		Syntax:      proto.String("proto3"),
		Options:     &descriptorpb.FileOptions{GoPackage: proto.String("example.com/test")},
		MessageType: []*descriptorpb.DescriptorProto{message},
		EnumType: []*descriptorpb.EnumDescriptorProto{{
			Name:  proto.String("E"),
			Value: []*descriptorpb.EnumValueDescriptorProto{{Name: proto.String("ZERO"), Number: proto.Int32(0)}},
		}},
	}
	request := &pluginpb.CodeGeneratorRequest{FileToGenerate: []string{"m.proto"}}
	for _, known := range []proto.Message{&anypb.Any{}, &durationpb.Duration{}, &timestamppb.Timestamp{}, &fieldmaskpb.FieldMask{}} {
		imported := known.ProtoReflect().Descriptor().ParentFile()
		file.Dependency = append(file.Dependency, imported.Path())
		request.ProtoFile = append(request.ProtoFile, protodesc.ToFileDescriptorProto(imported))
	}
	request.ProtoFile = append(request.ProtoFile, file)
	gen, err := protogen.Options{}.New(request)
	if err != nil {
		t.Fatal(err)
	}
	return gen.FilesByPath["m.proto"].Messages
}

// knownTypes are the messages that have rules.
var knownTypes = map[string]string{
	"any":        ".google.protobuf.Any",
	"duration":   ".google.protobuf.Duration",
	"timestamp":  ".google.protobuf.Timestamp",
	"field_mask": ".google.protobuf.FieldMask",
}

// typed gives the field the type that the rules are for.
func typed(message *descriptorpb.DescriptorProto, field *descriptorpb.FieldDescriptorProto, kind string) {
	asMessage := func(name string) {
		field.Type = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum()
		field.TypeName = proto.String(name)
	}
	repeated := descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
	switch kind {
	case "enum":
		field.Type = descriptorpb.FieldDescriptorProto_TYPE_ENUM.Enum()
		field.TypeName = proto.String(".test.E")
	case "repeated":
		field.Label = repeated
		field.Type = descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum()
	case "map":
		field.Label = repeated
		asMessage(".test.M.FieldEntry")
		entry := &descriptorpb.DescriptorProto{
			Name:    proto.String("FieldEntry"),
			Options: &descriptorpb.MessageOptions{MapEntry: proto.Bool(true)},
		}
		for i, name := range []string{"key", "value"} {
			entry.Field = append(entry.Field, &descriptorpb.FieldDescriptorProto{
				Name:   proto.String(name),
				Number: proto.Int32(int32(i + 1)),
				Label:  descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
				Type:   descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(),
			})
		}
		message.NestedType = append(message.NestedType, entry)
	default:
		if name, ok := knownTypes[kind]; ok {
			asMessage(name)
			return
		}
		number := descriptorpb.FieldDescriptorProto_Type_value["TYPE_"+strings.ToUpper(kind)]
		field.Type = descriptorpb.FieldDescriptorProto_Type(number).Enum()
	}
}
