// Package openapi is what a document of OpenAPI 3.1 is made of.
//
// It has the objects that the HTTP/JSON of a service needs, their members in the order in
// which people read them, and knows nothing of contracts.
package openapi

import (
	"bytes"
	"encoding/json"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/jsonschema"
)

// Version is that of the specification.
const Version = "3.1.0"

// Document is a whole document. Its schemas are of JSON Schema, draft 2020-12.
type Document struct {
	OpenAPI    string         `json:"openapi"`
	Comment    string         `json:"x-comment"` // who wrote it, which JSON has no other place for
	Info       Info           `json:"info"`
	Tags       []Tag          `json:"tags,omitempty"`
	Paths      Map[*PathItem] `json:"paths"`
	Components Components     `json:"components"`
}

// Info is what the document is about.
type Info struct {
	Title   string `json:"title"`
	Version string `json:"version"`
}

// Tag groups operations.
type Tag struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// PathItem has the operations of a path.
type PathItem struct {
	Get     *Operation `json:"get,omitempty"`
	Put     *Operation `json:"put,omitempty"`
	Post    *Operation `json:"post,omitempty"`
	Delete  *Operation `json:"delete,omitempty"`
	Options *Operation `json:"options,omitempty"`
	Head    *Operation `json:"head,omitempty"`
	Patch   *Operation `json:"patch,omitempty"`
	Trace   *Operation `json:"trace,omitempty"`
}

// Operation returns where the operation of a method of HTTP stands; nil: there is no
// place for it.
func (p *PathItem) Operation(verb string) **Operation {
	switch verb {
	case "GET":
		return &p.Get
	case "PUT":
		return &p.Put
	case "POST":
		return &p.Post
	case "DELETE":
		return &p.Delete
	case "OPTIONS":
		return &p.Options
	case "HEAD":
		return &p.Head
	case "PATCH":
		return &p.Patch
	case "TRACE":
		return &p.Trace
	}
	return nil
}

// Operation is one method of HTTP on one path.
type Operation struct {
	Tags        []string       `json:"tags,omitempty"`
	Summary     string         `json:"summary,omitempty"`
	Description string         `json:"description,omitempty"`
	OperationID string         `json:"operationId"`
	Deprecated  bool           `json:"deprecated,omitempty"`
	Parameters  []Parameter    `json:"parameters,omitempty"`
	RequestBody *RequestBody   `json:"requestBody,omitempty"`
	Responses   Map[*Response] `json:"responses"`
}

// Places of parameters.
const (
	InPath   = "path"
	InQuery  = "query"
	InHeader = "header"
)

// DeepObject is the style of a parameter whose name has the keys of an object in brackets.
const DeepObject = "deepObject"

// Parameter is a value in the path, the query or the header.
type Parameter struct {
	Name        string             `json:"name"`
	In          string             `json:"in"`
	Description string             `json:"description,omitempty"`
	Required    bool               `json:"required,omitempty"`
	Deprecated  bool               `json:"deprecated,omitempty"`
	Style       string             `json:"style,omitempty"`
	Explode     bool               `json:"explode,omitempty"`
	Schema      *jsonschema.Schema `json:"schema"`
}

// RequestBody is what is sent.
type RequestBody struct {
	Description string         `json:"description,omitempty"`
	Content     Map[MediaType] `json:"content"`
	Required    bool           `json:"required,omitempty"`
}

// MediaType is content of one type. Without a schema it is bytes.
type MediaType struct {
	Schema *jsonschema.Schema `json:"schema,omitempty"`
}

// Response is what is answered with one status. The extension is for programs, which
// find the reason of an error that they got there.
type Response struct {
	Description string         `json:"description"`
	Content     Map[MediaType] `json:"content,omitempty"`
	Reasons     []string       `json:"x-error-reasons,omitempty"`
}

// Components are what references refer to.
type Components struct {
	Schemas jsonschema.Properties `json:"schemas,omitempty"`
}

// Schemas is what references to schemas begin with.
const Schemas = "#/components/schemas/"

// Map is an object whose members are in an order of their own.
type Map[V any] []Member[V]

// Member is one of a Map.
type Member[V any] struct {
	Name  string
	Value V
}

// MarshalJSON is the object.
func (m Map[V]) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	for i, member := range m {
		name, err := json.Marshal(member.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(member.Value)
		if err != nil {
			return nil, err
		}
		out.WriteByte("{,"[min(i, 1)])
		out.Write(name)
		out.WriteByte(':')
		out.Write(value)
	}
	if len(m) == 0 {
		out.WriteByte('{')
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// Text is the document as a file.
func (d *Document) Text() (string, error) {
	text, err := jsonschema.Encode(d, "", "  ")
	return string(text), err
}
