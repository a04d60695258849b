package model

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/internal/httprule"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/jsonschema"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/openapi"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/rules"
)

// servedPath is a template as OpenAPI has it, where a parameter is one segment: literals
// stand for themselves, so that two variables with other literals are two paths.
type servedPath struct {
	text       string
	parameters []pathParameter
}

// pathParameter is a segment that a template leaves open, or all that are left.
type pathParameter struct {
	name string
	kind httprule.Kind
	// variable is that of the template which it belongs to, if it does; form is what the
	// variable takes, where it takes more than the segment.
	variable, form string
}

// pathOf is a template as OpenAPI has it. To OpenAPI two paths that differ in the names of
// parameters alone are the same, so a path has the names of the first one that is like it.
func (b *documentBuilder) pathOf(t httprule.Template) servedPath {
	var p servedPath
	shape := ""
	for i, s := range t.Segments {
		p.text += "/"
		shape += "/"
		if s.Kind == httprule.Literal {
			text := httprule.Template{Segments: []httprule.Segment{s}}.String()
			p.text, shape = p.text+text[1:], shape+text[1:]
			continue
		}
		one := parameterAt(t, i)
		p.parameters = append(p.parameters, one)
		p.text, shape = p.text+"{"+one.name+"}", shape+[]string{"", "*", "**"}[s.Kind]
	}
	end := httprule.Template{Verb: t.Verb}.String()
	if len(t.Segments) > 0 {
		end = end[1:]
	}
	p.text, shape = p.text+end, shape+end
	if first, known := b.paths[shape]; known {
		for i := range p.parameters {
			p.parameters[i].name = first.parameters[i].name
		}
		p.text = first.text
		return p
	}
	b.paths[shape] = p
	return p
}

// parameterAt is the parameter that a segment is. It has the name of its variable, and its
// place where the variable has several.
func parameterAt(t httprule.Template, at int) pathParameter {
	p := pathParameter{name: fmt.Sprintf("segment.%d", at+1), kind: t.Segments[at].Kind}
	for _, v := range t.Variables {
		if at < v.First || at >= v.First+v.Count {
			continue
		}
		segments := t.Segments[v.First : v.First+v.Count]
		p.variable, p.name = v.Field, v.Field
		if len(segments) > 1 || p.kind == httprule.Multi {
			p.form = httprule.Template{Segments: segments}.String()[1:]
		}
		if open := openOf(segments); open > 1 {
			p.name = fmt.Sprintf("%s.%d", v.Field, openOf(t.Segments[v.First:at+1]))
		}
	}
	return p
}

// openOf is how many segments are not literals.
func openOf(segments []httprule.Segment) (n int) {
	for _, s := range segments {
		if s.Kind != httprule.Literal {
			n++
		}
	}
	return n
}

// inPath are the parameters of the path. The rules of a field are about all that its
// variable takes.
func (b *documentBuilder) inPath(m *Method, p servedPath) []openapi.Parameter {
	var out []openapi.Parameter
	for _, one := range p.parameters {
		param := openapi.Parameter{Name: one.name, In: openapi.InPath, Required: true, Schema: patternSchema("^[^/]+$")}
		if one.kind == httprule.Multi {
			param.Schema, param.Description = textSchema(), "Any number of segments."
		}
		if one.variable != "" {
			f := fieldNamed(m.proto.Input, one.variable)
			schema, description := b.described(f, specOf(f, false))
			param.Description, param.Deprecated = description, deprecated(f.Desc)
			if one.form == "" {
				param.Schema = schema
			} else {
				param.Description = strings.TrimSpace(fmt.Sprintf("%s\nA part of %s, which is %s.", description, one.variable, one.form))
			}
		}
		out = append(out, param)
	}
	return out
}

// inQuery are the parameters of the query: the fields that neither the path nor the body
// sets.
func (b *documentBuilder) inQuery(m *Method, r Route) []openapi.Parameter {
	if r.Body == "*" {
		return nil
	}
	q := queryBuilder{documentBuilder: b, taken: r.variables(), optional: m.IdempotencyKey}
	if r.Body != "" {
		q.taken = append(q.taken, r.Body)
		if f := fieldNamed(m.proto.Input, r.Body); r.Verb == "PATCH" && singular(f.Desc) != nil {
			q.mask = true
		}
	}
	q.fields(m.proto.Input, "", "", true, true)
	return q.out
}

// queryBuilder collects the parameters of a query.
type queryBuilder struct {
	*documentBuilder
	taken    []string // paths of fields that something else sets
	optional string   // the field that a header may set
	mask     bool     // a mask that is not sent is made of the body
	around   []*protogen.Message
	out      []openapi.Parameter
}

// fields adds the fields of a message. The prefixes are the way to it in names of the
// contract and of JSON. A message within itself has no end, and is left out.
func (q *queryBuilder) fields(m *protogen.Message, prefix, jsonPrefix string, checked, needed bool) {
	if slices.Contains(q.around, m) {
		return
	}
	q.around = append(q.around, m)
	for _, f := range m.Fields {
		name, jsonName := prefix+string(f.Desc.Name()), jsonPrefix+f.Desc.JSONName()
		spec := specOf(f, !checked)
		switch {
		case slices.Contains(q.taken, name):
		case !hasText(f.Desc) && singular(f.Desc) != nil:
			q.fields(f.Message, name+".", jsonName+".", !spec.Ignored, needed && spec.Required)
		case hasText(f.Desc):
			q.out = append(q.out, q.parameter(f, jsonName, spec, needed && checked && name != q.optional))
		}
	}
	q.around = q.around[:len(q.around)-1]
}

func (q *queryBuilder) parameter(f *protogen.Field, name string, spec *rules.Spec, needed bool) openapi.Parameter {
	schema, description := q.described(f, spec)
	p := openapi.Parameter{Name: name, In: openapi.InQuery, Description: description, Deprecated: deprecated(f.Desc), Schema: schema}
	p.Required = needed && q.needs(f) && !(q.mask && f.Desc.Name() == "update_mask")
	if f.Enum != nil && f.Enum.Desc.FullName() == nullName {
		p.Schema = &jsonschema.Schema{Enum: []any{"NULL_VALUE"}} // which is no null in a query
	}
	if f.Desc.IsMap() {
		p.Style, p.Explode = openapi.DeepObject, true
	}
	return p
}

// hasText reports whether one text can be a field, an element of it or a value in it.
func hasText(fd protoreflect.FieldDescriptor) bool {
	if fd.IsMap() {
		fd = fd.MapValue()
	}
	return fd.Message() == nil || isOneText(fd.Message())
}

// variables are the paths of the fields that the path sets.
func (r Route) variables() []string {
	var out []string
	for _, v := range r.template.Variables {
		out = append(out, v.Field)
	}
	return out
}
