package jsonschema_test

import (
	"encoding/json"
	"testing"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/jsonschema"
)

// TestText: properties in their own order, text as people write it, and nothing hidden
// that turns the order in which one reads.
func TestText(t *testing.T) {
	s := &jsonschema.Schema{
		Description: "a < b & µ \u202e\x1b\U000e0001",
		Type:        jsonschema.Types{jsonschema.Object, jsonschema.Null},
		Minimum:     "9223372036854775807",
		Properties: jsonschema.Properties{
			{Name: "z", Schema: &jsonschema.Schema{Type: jsonschema.Types{jsonschema.Boolean}, Default: false}},
			{Name: "a", Schema: &jsonschema.Schema{}},
			{Name: "ü", Schema: &jsonschema.Schema{Default: []any{"x\ty", 1, []any{}}, Description: "two\nlines of \"\\\""}},
		},
		AdditionalProperties: false,
	}
	s.Match("a")
	s.Match("b")
	s.Exclude(&jsonschema.Schema{Const: "c"})
	s.Exclude(&jsonschema.Schema{Const: "d"})
	const want = `{
  "description": "a < b & µ \u202e\u001b\udb40\udc01",
  "type": [
    "object",
    "null"
  ],
  "minimum": 9223372036854775807,
  "pattern": "a",
  "properties": {
    "z": {
      "type": "boolean",
      "default": false
    },
    "a": {},
    "ü": {
      "description": "two\nlines of \"\\\"",
      "default": [
        "x\ty",
        1,
        []
      ]
    }
  },
  "additionalProperties": false,
  "allOf": [
    {
      "pattern": "b"
    },
    {
      "not": {
        "const": "d"
      }
    }
  ],
  "not": {
    "const": "c"
  }
}`
	got, err := s.Text()
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var document struct{ Description string }
	if err := json.Unmarshal([]byte(got), &document); err != nil || document.Description != s.Description {
		t.Errorf("reads back as %q, %v", document.Description, err)
	}
}
