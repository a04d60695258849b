package jsonschema

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode"
	"unicode/utf16"
)

// writer writes schemas as indented JSON in one pass. encoding/json would read what a
// Marshaler returns again at each level, and there is one for every service.
type writer struct {
	out    []byte
	indent []byte
	first  bool // nothing stands in the present object or list yet
	brief  bool // on one line, without what only people read
	err    error
}

// schema writes the keywords in the order in which people read them.
func (w *writer) schema(s *Schema) {
	w.open('{')
	keyword(w, "$schema", s.Dialect, w.string)
	if !w.brief {
		keyword(w, "$comment", s.Comment, w.string)
		keyword(w, "title", s.Title, w.string)
		keyword(w, "description", s.Description, w.string)
	}
	keyword(w, "deprecated", s.Deprecated, w.bool)
	keyword(w, "writeOnly", s.WriteOnly, w.bool)
	keyword(w, "$ref", s.Ref, w.string)
	list(w, "type", s.Type, w.types)
	keyword(w, "format", s.Format, w.string)
	keyword(w, "default", s.Default, w.value)
	keyword(w, "const", s.Const, w.value)
	list(w, "enum", s.Enum, elements(w, w.value))
	keyword(w, "minimum", s.Minimum, w.number)
	keyword(w, "exclusiveMinimum", s.ExclusiveMinimum, w.number)
	keyword(w, "maximum", s.Maximum, w.number)
	keyword(w, "exclusiveMaximum", s.ExclusiveMaximum, w.number)
	keyword(w, "minLength", s.MinLength, w.count)
	keyword(w, "maxLength", s.MaxLength, w.bound)
	keyword(w, "pattern", s.Pattern, w.string)
	keyword(w, "contentEncoding", s.ContentEncoding, w.string)
	keyword(w, "minItems", s.MinItems, w.count)
	keyword(w, "maxItems", s.MaxItems, w.bound)
	keyword(w, "uniqueItems", s.UniqueItems, w.bool)
	keyword(w, "items", s.Items, w.schema)
	keyword(w, "minProperties", s.MinProperties, w.count)
	keyword(w, "maxProperties", s.MaxProperties, w.bound)
	keyword(w, "propertyNames", s.PropertyNames, w.schema)
	list(w, "properties", s.Properties, w.properties)
	keyword(w, "additionalProperties", s.AdditionalProperties, w.value)
	list(w, "required", s.Required, elements(w, w.string))
	list(w, "allOf", s.AllOf, elements(w, w.schema))
	list(w, "anyOf", s.AnyOf, elements(w, w.schema))
	list(w, "oneOf", s.OneOf, elements(w, w.schema))
	keyword(w, "not", s.Not, w.schema)
	list(w, "$defs", s.Defs, w.properties)
	w.close('}')
}

// keyword writes a keyword unless its value is zero.
func keyword[T comparable](w *writer, name string, value T, write func(T)) {
	if value != *new(T) {
		w.name(name)
		write(value)
	}
}

// list writes a keyword unless its value is empty.
func list[S ~[]T, T any](w *writer, name string, values S, write func(S)) {
	if len(values) > 0 {
		w.name(name)
		write(values)
	}
}

// elements writes a list, each element in the same way.
func elements[T any](w *writer, write func(T)) func([]T) {
	return func(values []T) {
		w.open('[')
		for _, v := range values {
			w.next()
			write(v)
		}
		w.close(']')
	}
}

func (w *writer) open(bracket byte) {
	w.out = append(w.out, bracket)
	w.indent = append(w.indent, "  "...)
	w.first = true
}

func (w *writer) close(bracket byte) {
	w.indent = w.indent[:len(w.indent)-2]
	if !w.first {
		w.line()
	}
	w.out = append(w.out, bracket)
	w.first = false
}

func (w *writer) line() {
	if !w.brief {
		w.out = append(append(w.out, '\n'), w.indent...)
	}
}

// next begins an element.
func (w *writer) next() {
	if !w.first {
		w.out = append(w.out, ',')
	}
	w.line()
	w.first = false
}

func (w *writer) name(name string) {
	w.next()
	w.string(name)
	w.out = append(w.out, ": "...)
}

func (w *writer) properties(p Properties) {
	w.open('{')
	for _, one := range p {
		w.name(one.Name)
		w.schema(one.Schema)
	}
	w.close('}')
}

func (w *writer) types(t Types) {
	if len(t) == 1 {
		w.string(t[0])
		return
	}
	elements(w, w.string)(t)
}

func (w *writer) bool(v bool)          { w.out = strconv.AppendBool(w.out, v) }
func (w *writer) number(v json.Number) { w.out = append(w.out, v...) }
func (w *writer) count(v uint64)       { w.out = strconv.AppendUint(w.out, v, 10) }
func (w *writer) bound(v *uint64)      { w.count(*v) }

// string writes text. Nearly all of it is lines of ASCII and needs no encoder.
func (w *writer) string(s string) {
	start := len(w.out)
	w.out = append(w.out, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\n':
			w.out = append(w.out, `\n`...)
		case c == '"', c == '\\':
			w.out = append(w.out, '\\', c)
		case c < ' ', c > '~':
			w.out = w.out[:start]
			w.other(s)
			return
		default:
			w.out = append(w.out, c)
		}
	}
	w.out = append(w.out, '"')
}

func (w *writer) value(v any) {
	switch v := v.(type) {
	case *Schema:
		w.schema(v)
	case string:
		w.string(v)
	case bool:
		w.bool(v)
	default:
		w.other(v)
	}
}

// other writes a value that needs an encoder.
func (w *writer) other(v any) {
	indent := "  "
	if w.brief {
		indent = ""
	}
	text, err := Encode(v, string(w.indent), indent)
	w.err = cmp.Or(w.err, err)
	w.out = append(w.out, text...)
}

// Encode writes a value as encoding/json does, but leaves <, > and & as people write
// them, and escapes what is not printed. Without an indent it is on one line.
func Encode(v any, prefix, indent string) ([]byte, error) {
	var compact, indented bytes.Buffer
	encoder := json.NewEncoder(&compact)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	if indent == "" {
		indented.Write(bytes.TrimSpace(compact.Bytes()))
	} else if err == nil {
		err = json.Indent(&indented, bytes.TrimSpace(compact.Bytes()), prefix, indent)
	}
	var out []byte
	for _, r := range indented.String() {
		if r == '\n' || unicode.IsPrint(r) {
			out = append(out, string(r)...)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			out = fmt.Appendf(out, `\u%04x`, unit)
		}
	}
	return out, err
}
