// Package jsonschema writes schemas of JSON Schema, draft 2020-12.
//
// It has the keywords that the schemas of a config.yaml and of HTTP/JSON need, in the order
// in which people read them, and knows nothing of contracts.
package jsonschema

import "encoding/json"

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
	Dialect     string
	Comment     string
	Title       string
	Description string
	Deprecated  bool
	WriteOnly   bool
	Ref         string
	Type        Types
	Format      string
	// Default, Const and the values of Enum are values of JSON; nil is none.
	Default any
	Const   any
	Enum    []any

	Minimum          json.Number
	ExclusiveMinimum json.Number
	Maximum          json.Number
	ExclusiveMaximum json.Number

	MinLength       uint64
	MaxLength       *uint64
	Pattern         string
	ContentEncoding string

	MinItems    uint64
	MaxItems    *uint64
	UniqueItems bool
	Items       *Schema

	MinProperties uint64
	MaxProperties *uint64
	PropertyNames *Schema
	Properties    Properties
	// AdditionalProperties is a *Schema, or false.
	AdditionalProperties any
	Required             []string

	AllOf []*Schema
	AnyOf []*Schema
	OneOf []*Schema
	Not   *Schema

	Defs Properties
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

// Property is a schema by its name.
type Property struct {
	Name   string
	Schema *Schema
}

// Properties are schemas by name, in an order of their own.
type Properties []Property

// Text is the schema as a file, indented by two spaces. What a reader would not see, or
// would see in another order, is escaped.
func (s *Schema) Text() (string, error) {
	w := new(writer)
	w.schema(s)
	return string(w.out), w.err
}

// Line is the same on one line, without what only people read: comments, titles and
// descriptions.
func (s *Schema) Line() (string, error) {
	w := &writer{brief: true}
	w.schema(s)
	return string(w.out), w.err
}

// MarshalJSON is the schema within a document that encoding/json writes.
func (s *Schema) MarshalJSON() ([]byte, error) {
	text, err := s.Text()
	return []byte(text), err
}

// MarshalJSON are the schemas as an object.
func (p Properties) MarshalJSON() ([]byte, error) {
	w := new(writer)
	w.properties(p)
	return w.out, w.err
}
