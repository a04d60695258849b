package model

import (
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/encoding/prototext"
)

// Each rule by itself decides whether the empty string is refused.
func TestStringRefusesEmpty(t *testing.T) {
	for rules, want := range map[string]bool{
		``:                  false,
		`min_len: 0`:        false,
		`min_len: 1`:        true,
		`len: 0`:            false,
		`len: 1`:            true,
		`min_bytes: 0`:      false,
		`min_bytes: 1`:      true,
		`len_bytes: 0`:      false,
		`len_bytes: 1`:      true,
		`max_len: 1`:        false,
		`const: ""`:         false,
		`const: "a"`:        true,
		`prefix: "a"`:       true,
		`suffix: "a"`:       true,
		`contains: "a"`:     true,
		`not_contains: "a"`: false,
		`in: "a"`:           true,
		`in: ["a", ""]`:     false,
		`not_in: "a"`:       false,
		`not_in: ["a", ""]`: true,
		`uuid: true`:        true,
		`uuid: false`:       false,
		`uri_ref: true`:     false,
		`pattern: "^a*$"`:   false,
		`pattern: "^a+$"`:   true,
		`pattern: "^[a+$"`:  false, // package rules says so
		`well_known_regex: KNOWN_REGEX_HTTP_HEADER_NAME`:  true,
		`well_known_regex: KNOWN_REGEX_HTTP_HEADER_VALUE`: false,
	} {
		r := new(validate.StringRules)
		if err := prototext.Unmarshal([]byte(rules), r); err != nil {
			t.Fatalf("%s: %v", rules, err)
		}
		if got := stringRefusesEmpty(r); got != want {
			t.Errorf("string rules {%s} refuse the empty string: %t, want %t", rules, got, want)
		}
	}
}
