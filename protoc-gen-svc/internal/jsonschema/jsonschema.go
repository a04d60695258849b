// Package jsonschema writes schemas of JSON Schema, draft 2020-12.
//
// It has the keywords that the schema of a config.yaml needs, in the order in which
// people read them, and knows nothing of contracts.
package jsonschema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
)

// Draft is the dialect, for the keyword $schema of a root.
const Draft = "https://json-schema.org/draft/2020-12/schema"

// Types of values.
const (
	Object  = "object"
	Array   = "array"
	String  = "string"
	Integer = "integer"
	Number  = "number"
	Boolean = "boolean"
	Null    = "null"
)

// Schema is one schema. Keywords with their zero value are left out.
type Schema struct {
	Dialect     string `json:"$schema,omitempty"`
	Comment     string `json:"$comment,omitempty"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	WriteOnly   bool   `json:"writeOnly,omitempty"`
	Ref         string `json:"$ref,omitempty"`
	Type        Types  `json:"type,omitempty"`
	Default     any    `json:"default,omitempty"`
	Const       any    `json:"const,omitempty"`
	Enum        []any  `json:"enum,omitempty"`

	Minimum          json.Number `json:"minimum,omitempty"`
	ExclusiveMinimum json.Number `json:"exclusiveMinimum,omitempty"`
	Maximum          json.Number `json:"maximum,omitempty"`
	ExclusiveMaximum json.Number `json:"exclusiveMaximum,omitempty"`

	MinLength       uint64  `json:"minLength,omitempty"`
	MaxLength       *uint64 `json:"maxLength,omitempty"`
	Pattern         string  `json:"pattern,omitempty"`
	ContentEncoding string  `json:"contentEncoding,omitempty"`

	MinItems    uint64  `json:"minItems,omitempty"`
	MaxItems    *uint64 `json:"maxItems,omitempty"`
	UniqueItems bool    `json:"uniqueItems,omitempty"`
	Items       *Schema `json:"items,omitempty"`

	MaxProperties *uint64    `json:"maxProperties,omitempty"`
	PropertyNames *Schema    `json:"propertyNames,omitempty"`
	Properties    Properties `json:"properties,omitempty"`
	// AdditionalProperties is a *Schema, or false.
	AdditionalProperties any      `json:"additionalProperties,omitempty"`
	Required             []string `json:"required,omitempty"`

	AllOf []*Schema `json:"allOf,omitempty"`
	AnyOf []*Schema `json:"anyOf,omitempty"`
	OneOf []*Schema `json:"oneOf,omitempty"`
	Not   *Schema   `json:"not,omitempty"`

	Defs Properties `json:"$defs,omitempty"`
}

// And wants another schema to hold too.
func (s *Schema) And(other *Schema) { s.AllOf = append(s.AllOf, other) }

// Match wants a pattern to match too.
func (s *Schema) Match(pattern string) {
	if s.Pattern == "" {
		s.Pattern = pattern
		return
	}
	s.And(&Schema{Pattern: pattern})
}

// Exclude wants another schema not to hold.
func (s *Schema) Exclude(other *Schema) {
	if s.Not == nil {
		s.Not = other
		return
	}
	s.And(&Schema{Not: other})
}

// Types are the types that a value may have. One stands alone, several in a list.
type Types []string

// MarshalJSON implements [json.Marshaler].
func (t Types) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

// Property is a schema by its name.
type Property struct {
	Name   string
	Schema *Schema
}

// Properties are schemas by name, in an order of their own.
type Properties []Property

// MarshalJSON implements [json.Marshaler].
func (p Properties) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, one := range p {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := marshal(one.Name)
		if err != nil {
			return nil, err
		}
		value, err := marshal(one.Schema)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	return append(out, '}'), nil
}

// Text is the schema as a file, indented by two spaces. What a reader would not see, or
// would see in another order, is escaped.
func (s *Schema) Text() (string, error) {
	compact, err := marshal(s)
	if err != nil {
		return "", err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, compact, "", "  "); err != nil {
		return "", err
	}
	var out strings.Builder
	for _, r := range indented.String() {
		if r == '\n' || unicode.IsPrint(r) {
			out.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&out, `\u%04x`, unit)
		}
	}
	return out.String(), nil
}

// marshal leaves <, > and & as people write them, unlike json.Marshal.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}
