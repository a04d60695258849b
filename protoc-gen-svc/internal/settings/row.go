package settings

import (
	"google.golang.org/protobuf/reflect/protoreflect"
)

// row says of one annotation how the model has it and where it goes. It has a
// value, or parts with annotations of their own.
type row struct {
	// outputs are the templates that the value reaches.
	outputs []string
	// value is the effective value, as svc.proto would have it.
	value func(part any) string
	// elements are the parts that the fields of a message are about.
	elements func(part any, set protoreflect.Value) []element
	// derived is the setting that the value follows where its own is not set, empty
	// for a plain default. That of a message holds for its fields.
	derived func(part any) string
}

// by is the row of a setting that follows another one while it is not set.
func (r row) by(option string) row {
	r.derived = func(any) string { return option }
	return r
}

// element is one part, with its annotation, which is empty if it has none.
type element struct {
	part       any
	annotation protoreflect.Message
	// index and name are those of an element of a list; index is -1 where the
	// list has no annotation for it.
	index int
	name  string
}

// value is a row about a value of the part T.
func value[T any](outputs []string, f func(T) string) row {
	return row{outputs: outputs, value: func(part any) string { return f(part.(T)) }}
}

// part is a row about a message whose fields are about the part U of T. Without
// such a part the setting has no value.
func part[T, U any](outputs []string, f func(T) (U, bool)) row {
	return row{outputs: outputs, elements: func(p any, set protoreflect.Value) []element {
		inner, ok := f(p.(T))
		if !ok {
			return nil
		}
		return []element{{part: inner, annotation: set.Message()}}
	}}
}

// same is a row about a message that only groups settings of T.
func same[T any](outputs []string) row {
	return part(outputs, func(t T) (T, bool) { return t, true })
}

// list is a row about a list of messages, each of which is about one part U of T.
// find tells which part an annotation is about.
func list[T, U any](outputs []string, parts func(T) []U, name func(U) string, find func(protoreflect.Message) func(U) bool) row {
	return row{outputs: outputs, elements: func(p any, set protoreflect.Value) []element {
		var out []element
		for _, u := range parts(p.(T)) {
			e := element{part: u, annotation: set.List().NewElement().Message(), index: -1, name: name(u)}
			for i := range set.List().Len() {
				if m := set.List().Get(i).Message(); find(m)(u) {
					e.annotation, e.index = m, i
				}
			}
			out = append(out, e)
		}
		return out
	}}
}

// text returns the text field of an annotation.
func text(m protoreflect.Message, field protoreflect.Name) string {
	return m.Get(m.Descriptor().Fields().ByName(field)).String()
}
