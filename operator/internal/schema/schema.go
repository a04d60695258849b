// Package schema holds config files against the JSON Schema that is generated for a
// service, before any pod sees them.
package schema

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/protosvc/protosvc/internal/reload"
)

// Schema is that of one service.
type Schema struct{ compiled *jsonschema.Schema }

// Parse reads a schema.
func Parse(text string) (*Schema, error) {
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	const name = "config.schema.json"
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name, document); err != nil {
		return nil, err
	}
	compiled, err := c.Compile(name)
	if err != nil {
		return nil, err
	}
	return &Schema{compiled}, nil
}

// Faults are what is wrong with a file, in the order of its lines.
func (s *Schema) Faults(name, text string) []reload.Fault {
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(text), &root); err != nil {
		return []reload.Fault{{File: name, Message: strings.TrimPrefix(err.Error(), "yaml: ")}}
	}
	var value any
	if err := root.Decode(&value); err != nil {
		return []reload.Fault{{File: name, Message: strings.TrimPrefix(err.Error(), "yaml: ")}}
	}
	var invalid *jsonschema.ValidationError
	if err := s.compiled.Validate(value); !errors.As(err, &invalid) {
		if err != nil {
			return []reload.Fault{{File: name, Message: err.Error()}}
		}
		return nil
	}
	var faults []reload.Fault
	fault := func(path []string, text string) {
		at := place(&root, path)
		faults = append(faults, reload.Fault{File: name, Line: at.Line, Column: at.Column, Message: text})
	}
	for _, leaf := range leaves(invalid) {
		path := leaf.InstanceLocation
		if unknown, ok := leaf.ErrorKind.(*kind.AdditionalProperties); ok {
			for _, key := range unknown.Properties {
				fault(append(slices.Clone(path), key), fmt.Sprintf("unknown key %q", key))
			}
			continue
		}
		text := leaf.ErrorKind.LocalizedString(message.NewPrinter(language.English))
		if len(path) > 0 {
			text = strings.Join(path, ".") + ": " + text
		}
		fault(path, text)
	}
	slices.SortStableFunc(faults, func(a, b reload.Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(faults)
}

// leaves are the errors that have no others below them.
func leaves(e *jsonschema.ValidationError) (all []*jsonschema.ValidationError) {
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	for _, cause := range e.Causes {
		all = append(all, leaves(cause)...)
	}
	return all
}

// place finds the node that a path leads to, as far as there is one.
func place(n *yaml.Node, path []string) *yaml.Node {
	if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
		n = n.Content[0]
	}
	at := n
	for _, key := range path {
		name, value := child(n, key)
		if value == nil {
			return at
		}
		at, n = name, value
	}
	return at
}

// child is what a key leads to, and where it is: the key of a mapping, the item of a list.
func child(n *yaml.Node, key string) (name, value *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return n.Content[i], n.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(key); err == nil && i < len(n.Content) {
			return n.Content[i], n.Content[i]
		}
	}
	return nil, nil
}
