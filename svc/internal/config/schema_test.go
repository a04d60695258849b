package config_test

import (
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	_ "google.golang.org/protobuf/types/known/durationpb"
	_ "google.golang.org/protobuf/types/known/timestamppb"
	_ "google.golang.org/protobuf/types/known/wrapperspb"
)

// schema is what a contract may hold, a field of every kind that matters.
const schema = `
name: "test/v1/config.proto" package: "test.v1" syntax: "proto3"
dependency: "google/protobuf/duration.proto"
dependency: "google/protobuf/timestamp.proto"
dependency: "google/protobuf/wrappers.proto"
enum_type { name: "Mode"
	value { name: "MODE_UNSPECIFIED" number: 0 }
	value { name: "MODE_FAST" number: 1 }
	value { name: "MODE_SAFE" number: 2 } }
message_type { name: "Config"
	field { name: "max_items" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL }
	field { name: "total" number: 2 type: TYPE_UINT64 label: LABEL_OPTIONAL }
	field { name: "ratio" number: 3 type: TYPE_DOUBLE label: LABEL_OPTIONAL }
	field { name: "name" number: 4 type: TYPE_STRING label: LABEL_OPTIONAL }
	field { name: "strict" number: 5 type: TYPE_BOOL label: LABEL_OPTIONAL }
	field { name: "salt" number: 6 type: TYPE_BYTES label: LABEL_OPTIONAL }
	field { name: "mode" number: 7 type: TYPE_ENUM type_name: ".test.v1.Mode" label: LABEL_OPTIONAL }
	field { name: "timeout" number: 8 type: TYPE_MESSAGE type_name: ".google.protobuf.Duration" label: LABEL_OPTIONAL }
	field { name: "since" number: 9 type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" label: LABEL_OPTIONAL }
	field { name: "limit" number: 10 type: TYPE_MESSAGE type_name: ".google.protobuf.UInt32Value" label: LABEL_OPTIONAL }
	field { name: "token" number: 11 type: TYPE_STRING label: LABEL_OPTIONAL options { debug_redact: true } }
	field { name: "pin" number: 12 type: TYPE_INT32 label: LABEL_OPTIONAL options { debug_redact: true } }
	field { name: "maybe" number: 13 type: TYPE_INT64 label: LABEL_OPTIONAL proto3_optional: true oneof_index: 1 }
	field { name: "countries" number: 14 type: TYPE_STRING label: LABEL_REPEATED }
	field { name: "modes" number: 15 type: TYPE_ENUM type_name: ".test.v1.Mode" label: LABEL_REPEATED }
	field { name: "steps" number: 16 type: TYPE_MESSAGE type_name: ".test.v1.Step" label: LABEL_REPEATED }
	field { name: "prices" number: 17 type: TYPE_MESSAGE type_name: ".test.v1.Config.PricesEntry" label: LABEL_REPEATED }
	field { name: "by_id" number: 18 type: TYPE_MESSAGE type_name: ".test.v1.Config.ByIdEntry" label: LABEL_REPEATED }
	field { name: "disk" number: 19 type: TYPE_MESSAGE type_name: ".test.v1.Disk" label: LABEL_OPTIONAL oneof_index: 0 }
	field { name: "bucket" number: 20 type: TYPE_STRING label: LABEL_OPTIONAL oneof_index: 0 }
	field { name: "child" number: 21 type: TYPE_MESSAGE type_name: ".test.v1.Config" label: LABEL_OPTIONAL }
	field { name: "child_name" number: 22 type: TYPE_STRING label: LABEL_OPTIONAL }
	field { name: "secrets" number: 23 type: TYPE_STRING label: LABEL_REPEATED options { debug_redact: true } }
	field { name: "delays" number: 24 type: TYPE_MESSAGE type_name: ".google.protobuf.Duration" label: LABEL_REPEATED }
	field { name: "share" number: 25 type: TYPE_FLOAT label: LABEL_OPTIONAL }
	field { name: "tokens" number: 26 type: TYPE_MESSAGE type_name: ".test.v1.Config.TokensEntry" label: LABEL_REPEATED options { debug_redact: true } }
	field { name: "login" number: 27 type: TYPE_MESSAGE type_name: ".test.v1.Disk" label: LABEL_OPTIONAL options { debug_redact: true } }
	field { name: "logins" number: 28 type: TYPE_MESSAGE type_name: ".test.v1.Disk" label: LABEL_REPEATED options { debug_redact: true } }
	oneof_decl { name: "store" }
	oneof_decl { name: "_maybe" }
	nested_type { name: "PricesEntry" options { map_entry: true }
		field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
		field { name: "value" number: 2 type: TYPE_INT64 label: LABEL_OPTIONAL } }
	nested_type { name: "TokensEntry" options { map_entry: true }
		field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
		field { name: "value" number: 2 type: TYPE_INT64 label: LABEL_OPTIONAL } }
	nested_type { name: "ByIdEntry" options { map_entry: true }
		field { name: "key" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL }
		field { name: "value" number: 2 type: TYPE_MESSAGE type_name: ".test.v1.Step" label: LABEL_OPTIONAL } } }
message_type { name: "Step"
	field { name: "name" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
	field { name: "wait" number: 2 type: TYPE_MESSAGE type_name: ".google.protobuf.Duration" label: LABEL_OPTIONAL } }
message_type { name: "Disk"
	field { name: "path" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
	field { name: "size" number: 2 type: TYPE_INT64 label: LABEL_OPTIONAL } }
`

func descriptor(t testing.TB) protoreflect.MessageDescriptor {
	t.Helper()
	return build(t, schema).Messages().ByName("Config")
}

func build(t testing.TB, text string) protoreflect.FileDescriptor {
	t.Helper()
	var file descriptorpb.FileDescriptorProto
	if err := prototext.Unmarshal([]byte(text), &file); err != nil {
		t.Fatal(err)
	}
	built, err := protodesc.NewFile(&file, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return built
}

func newConfig(t testing.TB) proto.Message { return dynamicpb.NewMessage(descriptor(t)) }

// expect compares a message with its text form.
func expect(t *testing.T, got proto.Message, want string) {
	t.Helper()
	wanted := got.ProtoReflect().New().Interface()
	if err := prototext.Unmarshal([]byte(want), wanted); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(got, wanted) {
		t.Errorf("got  %v\nwant %v", got, wanted)
	}
}
