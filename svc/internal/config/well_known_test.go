package config_test

import (
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/context/attribute_context"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"
	_ "google.golang.org/protobuf/types/known/emptypb"
	_ "google.golang.org/protobuf/types/known/fieldmaskpb"
	_ "google.golang.org/protobuf/types/known/structpb"

	"github.com/protosvc/protosvc/svc/internal/config"
)

// knownSchema has each well-known message that a contract may have among its settings.
const knownSchema = `
name: "test/v1/known.proto" package: "test.v1.known" syntax: "proto3"
dependency: "google/protobuf/duration.proto" dependency: "google/protobuf/timestamp.proto"
dependency: "google/protobuf/wrappers.proto" dependency: "google/protobuf/field_mask.proto"
dependency: "google/protobuf/struct.proto" dependency: "google/protobuf/empty.proto"
message_type { name: "Config"
	field { name: "duration" number: 1 type: TYPE_MESSAGE type_name: ".google.protobuf.Duration" label: LABEL_OPTIONAL }
	field { name: "timestamp" number: 2 type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" label: LABEL_OPTIONAL }
	field { name: "double" number: 3 type: TYPE_MESSAGE type_name: ".google.protobuf.DoubleValue" label: LABEL_OPTIONAL }
	field { name: "float" number: 4 type: TYPE_MESSAGE type_name: ".google.protobuf.FloatValue" label: LABEL_OPTIONAL }
	field { name: "int64" number: 5 type: TYPE_MESSAGE type_name: ".google.protobuf.Int64Value" label: LABEL_OPTIONAL }
	field { name: "uint64" number: 6 type: TYPE_MESSAGE type_name: ".google.protobuf.UInt64Value" label: LABEL_OPTIONAL }
	field { name: "int32" number: 7 type: TYPE_MESSAGE type_name: ".google.protobuf.Int32Value" label: LABEL_OPTIONAL }
	field { name: "uint32" number: 8 type: TYPE_MESSAGE type_name: ".google.protobuf.UInt32Value" label: LABEL_OPTIONAL }
	field { name: "bool" number: 9 type: TYPE_MESSAGE type_name: ".google.protobuf.BoolValue" label: LABEL_OPTIONAL }
	field { name: "string" number: 10 type: TYPE_MESSAGE type_name: ".google.protobuf.StringValue" label: LABEL_OPTIONAL }
	field { name: "bytes" number: 11 type: TYPE_MESSAGE type_name: ".google.protobuf.BytesValue" label: LABEL_OPTIONAL }
	field { name: "mask" number: 12 type: TYPE_MESSAGE type_name: ".google.protobuf.FieldMask" label: LABEL_OPTIONAL }
	field { name: "masks" number: 13 type: TYPE_MESSAGE type_name: ".google.protobuf.FieldMask" label: LABEL_REPEATED }
	field { name: "free" number: 14 type: TYPE_MESSAGE type_name: ".google.protobuf.Struct" label: LABEL_OPTIONAL }
	field { name: "value" number: 15 type: TYPE_MESSAGE type_name: ".google.protobuf.Value" label: LABEL_OPTIONAL }
	field { name: "list" number: 16 type: TYPE_MESSAGE type_name: ".google.protobuf.ListValue" label: LABEL_OPTIONAL }
	field { name: "empty" number: 17 type: TYPE_MESSAGE type_name: ".google.protobuf.Empty" label: LABEL_OPTIONAL }
	field { name: "structs" number: 18 type: TYPE_MESSAGE type_name: ".google.protobuf.Struct" label: LABEL_REPEATED }
	field { name: "by_name" number: 19 type: TYPE_MESSAGE type_name: ".test.v1.known.Config.ByNameEntry" label: LABEL_REPEATED }
	field { name: "null" number: 20 type: TYPE_ENUM type_name: ".google.protobuf.NullValue" label: LABEL_OPTIONAL }
	field { name: "durations" number: 21 type: TYPE_MESSAGE type_name: ".google.protobuf.Duration" label: LABEL_REPEATED }
	field { name: "nested" number: 22 type: TYPE_MESSAGE type_name: ".test.v1.known.Config" label: LABEL_OPTIONAL }
	field { name: "nested_mask" number: 23 type: TYPE_MESSAGE type_name: ".google.protobuf.Struct" label: LABEL_OPTIONAL }
	field { name: "port" number: 24 type: TYPE_MESSAGE type_name: ".google.protobuf.Struct" label: LABEL_OPTIONAL }
	field { name: "secret_free" number: 31 type: TYPE_MESSAGE type_name: ".google.protobuf.Struct" label: LABEL_OPTIONAL options { debug_redact: true } }
	field { name: "secret_value" number: 32 type: TYPE_MESSAGE type_name: ".google.protobuf.Value" label: LABEL_OPTIONAL options { debug_redact: true } }
	field { name: "secret_list" number: 33 type: TYPE_MESSAGE type_name: ".google.protobuf.ListValue" label: LABEL_OPTIONAL options { debug_redact: true } }
	field { name: "secret_mask" number: 34 type: TYPE_MESSAGE type_name: ".google.protobuf.FieldMask" label: LABEL_OPTIONAL options { debug_redact: true } }
	field { name: "secret_string" number: 35 type: TYPE_MESSAGE type_name: ".google.protobuf.StringValue" label: LABEL_OPTIONAL options { debug_redact: true } }
	nested_type { name: "ByNameEntry" options { map_entry: true }
		field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
		field { name: "value" number: 2 type: TYPE_MESSAGE type_name: ".google.protobuf.Value" label: LABEL_OPTIONAL } } }
`

func newKnown(t testing.TB) proto.Message {
	return dynamicpb.NewMessage(build(t, knownSchema).Messages().ByName("Config"))
}

// TestWellKnownInFiles: what each of them is in YAML, and that a dump of it loads.
func TestWellKnownInFiles(t *testing.T) {
	for _, c := range []struct{ yaml, want string }{
		{"duration: 1s", "duration {seconds: 1}"},
		{"timestamp: 1970-01-01T00:00:05Z", "timestamp {seconds: 5}"},
		{"double: 1e6", "double {value: 1e6}"},
		{"float: 0.5", "float {value: 0.5}"},
		{"int64: -1", "int64 {value: -1}"},
		{"uint64: 18446744073709551615", "uint64 {value: 18446744073709551615}"},
		{"int32: 0", "int32 {}"},
		{"uint32: 1", "uint32 {value: 1}"},
		{"bool: false", "bool {}"},
		{`string: ""`, "string {}"},
		{"bytes: AQI=", `bytes {value: "\001\002"}`},
		{"mask: 'name, address.postal_code,*'", `mask {paths: "name" paths: "address.postal_code" paths: "*"}`},
		{`mask: ""`, "mask {}"},
		{`masks: ["a,b", c]`, `masks {paths: "a" paths: "b"} masks {paths: "c"}`},
		{"free: {}", "free {}"},
		{"free:", ""},
		{"free: {maxItems: 1, a-b: x, fields: {a: {number_value: 1}}}", `free {
			fields {key: "maxItems" value {number_value: 1}}
			fields {key: "a-b" value {string_value: "x"}}
			fields {key: "fields" value {struct_value {fields {key: "a" value {struct_value {fields {key: "number_value" value {number_value: 1}}}}}}}}}`},
		{"free: {a: , b: [{c: {}}, []]}", `free {fields {key: "a" value {null_value: NULL_VALUE}} fields {key: "b" value {list_value {
			values {struct_value {fields {key: "c" value {struct_value {}}}}} values {list_value {}}}}}}`},
		{"value: 3", "value {number_value: 3}"},
		{"value: 1.5", "value {number_value: 1.5}"},
		{"value: 9007199254740992", "value {number_value: 9007199254740992}"},
		{`value: "3"`, `value {string_value: "3"}`},
		{"value: 2026-01-02", `value {string_value: "2026-01-02"}`},
		{"value: no", `value {string_value: "no"}`},
		{"value: true", "value {bool_value: true}"},
		{"value: null", "value {null_value: NULL_VALUE}"},
		{"value: [a]", `value {list_value {values {string_value: "a"}}}`},
		{"value: {a: 1}", `value {struct_value {fields {key: "a" value {number_value: 1}}}}`},
		{"list: [1, a, null, [true], {b: c}]", `list {values {number_value: 1} values {string_value: "a"} values {null_value: NULL_VALUE}
			values {list_value {values {bool_value: true}}} values {struct_value {fields {key: "b" value {string_value: "c"}}}}}`},
		{"list: []", "list {}"},
		{"empty: {}", "empty {}"},
		{"structs: [{a: 1}, {}]", `structs {fields {key: "a" value {number_value: 1}}} structs {}`},
		{"by_name: {a: 1, b: {c: 2}}", `by_name {key: "a" value {number_value: 1}}
			by_name {key: "b" value {struct_value {fields {key: "c" value {number_value: 2}}}}}`},
		{"null: NULL_VALUE", ""},
	} {
		m := newKnown(t)
		again := m.ProtoReflect().New().Interface()
		if err := config.Load(config.Source{Defaults: c.yaml}, nil, m); err != nil {
			t.Errorf("%s: %v", c.yaml, err)
			continue
		}
		expect(t, m, c.want)
		dumped := string(config.Dump(nil, m))
		in(t, map[string]string{"config.yaml": dumped})
		if err := config.Load(config.Source{Path: "config.yaml"}, nil, again); err != nil || !proto.Equal(m, again) {
			t.Errorf("%s: %v, got %v from\n%s", c.yaml, err, again, dumped)
		}
	}
}

// TestWellKnownAcrossLayers: mappings grow, all else is replaced.
func TestWellKnownAcrossLayers(t *testing.T) {
	in(t, map[string]string{
		"config.yaml":      "service: {free: {a: 1, b: {c: 1, d: 2}, e: x}, value: {a: 1}, list: [1, 2], mask: 'a,b'}\n",
		"config.prod.yaml": "service: {free: {b: {d: 3}, e: {f: 1}}, value: y, list: [3], mask: c}\n",
	})
	m := newKnown(t)
	if err := config.Load(config.Source{Path: "config.yaml", Env: "prod"}, nil, m); err != nil {
		t.Fatal(err)
	}
	expect(t, m, `free {
			fields {key: "a" value {number_value: 1}}
			fields {key: "b" value {struct_value {fields {key: "c" value {number_value: 1}} fields {key: "d" value {number_value: 3}}}}}
			fields {key: "e" value {struct_value {fields {key: "f" value {number_value: 1}}}}}}
		value {string_value: "y"} list {values {number_value: 3}} mask {paths: "c"}`)
}

func TestWellKnownFaults(t *testing.T) {
	in(t, map[string]string{"config.yaml": `service:
  mask: [a]
  masks: ["a..b", "a b", true]
  free: [1]
  value: 9007199254740993
  list: {a: 1}
  empty: {a: 1}
  structs: [{a: 1, a: 2}]
  by_name: {a: .inf, b: !!binary AA==}
  secret_value: .nan
`})
	err := config.Load(config.Source{Path: "config.yaml"}, nil, newKnown(t))
	faults(t, err, []string{
		`config.yaml:2:9: service.mask: want a single value, got a list`,
		`config.yaml:3:11: service.masks[0]: want the paths of fields such as "name,address.postal_code", got "a..b"`,
		`config.yaml:3:19: service.masks[1]: want the paths of fields such as "name,address.postal_code", got "a b"`,
		`config.yaml:3:26: service.masks[2]: want the paths of fields such as "name,address.postal_code", got true`,
		`config.yaml:4:9: service.free: want a mapping, got a list`,
		`config.yaml:5:10: service.value: want a number from -9007199254740992 to 9007199254740992 (in quotes it is a string), got 9007199254740993`,
		`config.yaml:6:9: service.list: want a list, got a mapping`,
		`config.yaml:7:11: unknown key "a"`,
		`config.yaml:8:20: key "a" is given twice, first in line 8`,
		`config.yaml:9:16: service.by_name.a: want a number, got .inf`,
		`config.yaml:9:25: service.by_name.b: want null, true, false, a number, a string, a list or a mapping, got "AA=="`,
		`config.yaml:10:17: service.secret_value: the value has a wrong type or form (not shown, it is a secret)`,
	})
}

// TestWellKnownVariables: what fits on one line has a variable, and for the others
// one is a fault.
func TestWellKnownVariables(t *testing.T) {
	m := newKnown(t)
	err := config.Load(config.Source{Prefix: "X", Environ: []string{
		"X_SERVICE_DURATION=1s", "X_SERVICE_TIMESTAMP=1970-01-01T00:00:05Z", "X_SERVICE_DOUBLE=1.5", "X_SERVICE_FLOAT=0.5",
		"X_SERVICE_INT64=-1", "X_SERVICE_UINT64=1", "X_SERVICE_INT32=2", "X_SERVICE_UINT32=3", "X_SERVICE_BOOL=true",
		"X_SERVICE_STRING=s", "X_SERVICE_BYTES=AQI=", "X_SERVICE_MASK=a,b.c", "X_SERVICE_DURATIONS=1s,2s",
		"X_SERVICE_NESTED_MASK=a", // not the Struct nested_mask
		"X_SERVICE_PORT=80",       // from Kubernetes
	}}, nil, m)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, m, `duration {seconds: 1} timestamp {seconds: 5} double {value: 1.5} float {value: 0.5} int64 {value: -1}
		uint64 {value: 1} int32 {value: 2} uint32 {value: 3} bool {value: true} string {value: "s"} bytes {value: "\001\002"}
		mask {paths: "a" paths: "b.c"} durations {seconds: 1} durations {seconds: 2}
		nested {mask {paths: "a"}}`)

	err = config.Load(config.Source{Prefix: "X", Defaults: "free: {a: 1}", Environ: []string{
		"X_SERVICE_FREE={}", "X_SERVICE_FREE_A=2", "X_SERVICE_LIST=1,2", "X_SERVICE_MASK=a;b", "X_SERVICE_MASKS=a,b", "X_SERVICE_VALUE=3",
		"X_SERVICE_FRE=1",
	}}, nil, newKnown(t))
	faults(t, err, []string{
		`environment variable X_SERVICE_FREE: service.free: a file can set this, a variable cannot`,
		`environment variable X_SERVICE_FREE_A: service.free.a: a file can set this, a variable cannot`,
		`environment variable X_SERVICE_LIST: service.list: a file can set this, a variable cannot`,
		`environment variable X_SERVICE_MASK: service.mask: want the paths of fields such as "name,address.postal_code", got "a;b"`,
		`environment variable X_SERVICE_MASKS: service.masks: a file can set this, a variable cannot`,
		`environment variable X_SERVICE_VALUE: service.value: a file can set this, a variable cannot`,
	})
}

// TestWellKnownSecrets looks for a secret in faults and dumps.
func TestWellKnownSecrets(t *testing.T) {
	for _, shape := range []string{
		"secret_free: {hunter2: 1}", "secret_free: {a: hunter2}", "secret_free: {a: {hunter2: [hunter2]}}", "secret_free: {hunter2: 1, hunter2: 2}",
		"secret_free: hunter2", "secret_free: [hunter2]", "secret_free: {hunter2: !!binary hunter2}", "secret_free: {a: {hunter2: .inf}}",
		"secret_value: hunter2", "secret_value: {hunter2: 1}", "secret_value: [hunter2, {hunter2: hunter2}]", "secret_value: !!binary hunter2",
		"secret_list: [hunter2]", "secret_list: hunter2", "secret_list: [[hunter2], {hunter2: x}]",
		"secret_mask: hunter2", "secret_mask: hunter2..", "secret_mask: [hunter2]", "secret_string: hunter2", "secret_string: [hunter2]",
		"free: {a: 'http://u:hunter2@h'}", "value: ['http://u:hunter2@h']", "free: {'http://u:hunter2@h': {}}", "mask: 'http://u:hunter2@h'",
	} {
		m := newKnown(t)
		var shown string
		if err := config.Load(config.Source{Defaults: shape}, nil, m); err != nil {
			shown = err.Error()
		} else {
			shown = string(config.Dump(nil, m))
		}
		if strings.Contains(shown, canary) || shown == "" {
			t.Errorf("%s\n=> %s", shape, shown)
		}
	}
}

// TestGeneratedStruct: dynamic messages above, generated ones here.
func TestGeneratedStruct(t *testing.T) {
	m := &attribute_context.AttributeContext{}
	const text = "service:\n  request:\n    auth:\n      claims:\n        admin: true\n        groups:\n          - a\n          - level: 1000000\n"
	in(t, map[string]string{"config.yaml": text})
	if err := config.Load(config.Source{Path: "config.yaml"}, nil, m); err != nil {
		t.Fatal(err)
	}
	claims := m.GetRequest().GetAuth().GetClaims().AsMap()
	if claims["admin"] != true || claims["groups"].([]any)[1].(map[string]any)["level"] != 1e6 {
		t.Errorf("got %v", claims)
	}
	if dumped := string(config.Dump(nil, m)); !strings.Contains(dumped, "          - level: 1000000\n") {
		t.Errorf("dump:\n%s", dumped)
	}
}
