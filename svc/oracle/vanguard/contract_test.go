package vanguard_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

const messages = `
syntax = "proto3";
package beside.v1;
import "google/api/annotations.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";

enum Color {
  COLOR_UNSPECIFIED = 0;
  COLOR_RED = 1;
  COLOR_DEEP_BLUE = 7;
  COLOR_BELOW = -1;
}
message Leaf {
  string text = 1;
  int64 big_number = 2;
  repeated bool flags = 3;
  Color color = 4;
  google.protobuf.Timestamp time = 5;
}
message Branch {
  Leaf leaf = 1;
  double weight = 2;
  repeated string words = 3;
}
message Kinds {
  bool a_bool = 1;
  int32 an_int32 = 2;
  sint32 a_sint32 = 3;
  sfixed32 a_sfixed32 = 4;
  int64 an_int64 = 5;
  sint64 a_sint64 = 6;
  sfixed64 a_sfixed64 = 7;
  uint32 a_uint32 = 8;
  fixed32 a_fixed32 = 9;
  uint64 a_uint64 = 10;
  fixed64 a_fixed64 = 11;
  float a_float = 12;
  double a_double = 13;
  string a_string = 14;
  bytes a_bytes = 15;
  Color a_color = 16;
  optional int32 maybe_int32 = 17;
  optional string maybe_string = 18;
  Leaf leaf = 19;
  Branch branch = 20;
  repeated int32 numbers = 21;
  repeated Color colors = 22;
  repeated string words = 23;
  repeated bytes blobs = 24;
  repeated double weights = 25;
  repeated Leaf leaves = 26;
  map<string, string> labels = 27;
  map<int32, Leaf> by_number = 28;
  map<bool, Color> by_truth = 29;
  oneof choice {
    string left = 30;
    int64 right = 31;
    Leaf chosen = 32;
  }
  google.protobuf.BoolValue bool_value = 33;
  google.protobuf.Int32Value int32_value = 34;
  google.protobuf.Int64Value int64_value = 35;
  google.protobuf.UInt32Value uint32_value = 36;
  google.protobuf.UInt64Value uint64_value = 37;
  google.protobuf.FloatValue float_value = 38;
  google.protobuf.DoubleValue double_value = 39;
  google.protobuf.StringValue string_value = 40;
  google.protobuf.BytesValue bytes_value = 41;
  google.protobuf.Timestamp time = 42;
  google.protobuf.Duration duration = 43;
  google.protobuf.FieldMask mask = 44;
  repeated google.protobuf.Timestamp times = 45;
  repeated google.protobuf.Int32Value int32_values = 46;
  google.protobuf.Struct struct = 47;
  string name = 48;
}
`

// Fields that a path may have, and those that a body or an answer may be.
var (
	variables = strings.Fields(`a_bool an_int32 a_sint32 a_sfixed32 an_int64 a_sint64 a_sfixed64 a_uint32 a_fixed32 a_uint64 a_fixed64
		a_float a_double a_string a_bytes a_color maybe_int32 maybe_string leaf.text leaf.big_number leaf.color leaf.time branch.weight
		branch.leaf.text left right bool_value int32_value int64_value uint32_value uint64_value float_value double_value string_value
		bytes_value time duration mask`)
	bodies = strings.Fields(`a_bool an_int64 a_float a_string a_bytes a_color maybe_int32 leaf branch numbers colors words blobs leaves
		labels by_number by_truth left chosen bool_value int64_value string_value bytes_value time duration mask times struct`)
)

// contract is a service with so many random routes.
func contract(r *rand.Rand, service string, routes int) string {
	var out strings.Builder
	fmt.Fprintf(&out, "service %s {\n", service)
	for i := range routes {
		fmt.Fprintf(&out, "  rpc M%d(Kinds) returns (Kinds) { option (google.api.http) = {%s}; }\n", i, rule(r, fmt.Sprintf("/%s/r%d", strings.ToLower(service), i)))
	}
	return out.String() + "}\n"
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func rule(r *rand.Rand, path string) string {
	method := pick(r, []string{"get", "get", "delete", "post", "put", "patch"})
	free := slices.Clone(variables)
	for range r.IntN(3) {
		switch r.IntN(5) {
		case 0:
			path += pick(r, []string{"/lit", "/a-b", "/c.d", "/*"})
		default:
			i := r.IntN(len(free))
			path += "/{" + free[i] + pick(r, []string{"", "=*"}) + "}"
			free = slices.Delete(free, i, i+1)
			free = slices.DeleteFunc(free, func(v string) bool { return v == "left" || v == "right" }) // members of one oneof
		}
	}
	switch r.IntN(6) {
	case 0:
		path += "/{name=x/*/y/*}"
	case 1:
		path += "/{name=**}"
	case 2:
		path += "/{name=z/**}"
	}
	path += pick(r, []string{"", "", ":go"})
	out := fmt.Sprintf("%s: %q", method, path)
	if method != "get" && method != "delete" {
		switch r.IntN(3) {
		case 0:
			out += ` body: "*"`
		case 1:
			out += fmt.Sprintf(" body: %q", pick(r, bodies))
		}
	}
	if r.IntN(3) == 0 {
		out += fmt.Sprintf(" response_body: %q", pick(r, bodies))
	}
	return out
}
