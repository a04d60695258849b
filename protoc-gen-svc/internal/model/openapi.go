package model

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/protosvc/protosvc/internal/httprule"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/jsonschema"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/openapi"
)

// Document is the OpenAPI of one proto file: the HTTP/JSON of its services.
type Document struct {
	// Source is the path of the proto file, Path that of the document.
	Source, Path string
	// Services are those of the file that have routes.
	Services []*Service
}

// Documents are the OpenAPI documents of a system: of files with routes, where they are
// asked for.
func (s *System) Documents() []*Document {
	if !s.Options.OpenAPI {
		return nil
	}
	var out []*Document
	for _, service := range s.Services {
		if len(service.Routed()) == 0 {
			continue
		}
		if len(out) == 0 || out[len(out)-1].Source != service.Source {
			out = append(out, &Document{Source: service.Source, Path: strings.TrimSuffix(service.Source, ".proto") + ".openapi.json"})
		}
		last := out[len(out)-1]
		last.Services = append(last.Services, service)
	}
	return out
}

// Text is the document: the routes that the services serve, and what goes in and out.
func (d *Document) Text() (string, error) {
	b := newDocumentBuilder(d.Services)
	doc := &openapi.Document{
		OpenAPI: openapi.Version,
		Info:    openapi.Info{Title: strings.TrimSuffix(path.Base(d.Source), ".proto"), Version: "1.0.0"},
	}
	for _, s := range d.Services {
		b.rules = s.Rules
		doc.Tags = append(doc.Tags, openapi.Tag{Name: s.tag(), Description: string(s.Comment)})
		for _, m := range s.Routed() {
			for i, r := range m.Routes {
				b.add(&doc.Paths, s, m, r, i)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.schemas)) {
		doc.Components.Schemas = append(doc.Components.Schemas, jsonschema.Property{Name: name, Schema: b.schemas[name]})
	}
	return doc.Text()
}

// tag is the name of the service without its package.
func (s *Service) tag() string { return s.FullName[strings.LastIndexByte(s.FullName, '.')+1:] }

// add adds a route to the paths. A method of HTTP for which OpenAPI has no place is left
// out; a route for all methods stands under each that no other route of the path has.
func (b *documentBuilder) add(paths *openapi.Map[*openapi.PathItem], s *Service, m *Method, r Route, binding int) {
	p := b.pathOf(r.template)
	id := s.tag() + "_" + m.Name
	if binding > 0 {
		id += "_" + strconv.Itoa(binding)
	}
	for _, verb := range b.verbs(s, r) {
		if new(openapi.PathItem).Operation(verb) == nil {
			continue
		}
		at := itemAt(paths, p.text).Operation(verb)
		if *at != nil {
			continue
		}
		own := id
		if r.Verb == httprule.AnyMethod {
			own += "_" + strings.ToLower(verb)
		}
		*at = b.operation(s, m, r, p, own)
	}
}

// verbs are the methods of HTTP that a route is shown under.
func (b *documentBuilder) verbs(s *Service, r Route) []string {
	if r.Verb != httprule.AnyMethod {
		return []string{r.Verb}
	}
	taken := map[string]bool{"GET": r.Body != ""}
	for _, m := range s.Methods {
		for _, other := range m.Routes {
			if httprule.Overlap(r.template, other.template) {
				taken[other.Verb] = true
			}
		}
	}
	return slices.DeleteFunc([]string{"GET", "PUT", "POST", "DELETE", "PATCH"}, func(verb string) bool { return taken[verb] })
}

// itemAt is the item of a path, made at its end where there is none.
func itemAt(paths *openapi.Map[*openapi.PathItem], text string) *openapi.PathItem {
	for _, member := range *paths {
		if member.Name == text {
			return member.Value
		}
	}
	item := &openapi.PathItem{}
	*paths = append(*paths, openapi.Member[*openapi.PathItem]{Name: text, Value: item})
	return item
}

func (b *documentBuilder) operation(s *Service, m *Method, r Route, p servedPath, id string) *openapi.Operation {
	o := &openapi.Operation{
		Tags:        []string{s.tag()},
		Summary:     m.Comment.Sentence(),
		OperationID: id,
		Deprecated:  m.Deprecated || s.Deprecated,
		Parameters:  append(b.inPath(m, p), b.inQuery(m, r)...),
		RequestBody: b.requestBody(m, r),
		Responses:   b.responses(m, r),
	}
	if text := string(m.Comment); strings.TrimSuffix(text, ".") != o.Summary {
		o.Description = text
	}
	if m.IdempotencyKey != "" {
		o.Parameters = append(o.Parameters, keyParameter(m.IdempotencyKey))
	}
	return o
}

// keyParameter is the header that a client may send instead of the field of the
// idempotency key.
func keyParameter(field string) openapi.Parameter {
	return openapi.Parameter{
		Name: "Idempotency-Key", In: openapi.InHeader,
		Description: fmt.Sprintf("Sets the field %s where the request does not: a second request with the same value has no second effect. A string in quotes, as of RFC 9651, or bare text.", field),
		Schema:      textSchema(),
	}
}

// requestBody is what a route takes as its body; nil: it takes none.
func (b *documentBuilder) requestBody(m *Method, r Route) *openapi.RequestBody {
	input, elsewhere := m.proto.Input, r.variables()
	switch r.Body {
	case "":
		return nil
	case "*":
		body := &openapi.RequestBody{Description: string(commentOf(input.Comments)), Content: contentOf(input.Desc, func() *jsonschema.Schema {
			return b.body(input, elsewhere, m.IdempotencyKey)
		})}
		body.Required = len(b.needed(input, elsewhere, m.IdempotencyKey)) > 0
		return body
	}
	f := fieldNamed(input, r.Body)
	spec := specOf(f, false)
	within := below(elsewhere, r.Body)
	required := b.needs(f) && r.Body != m.IdempotencyKey
	if len(within) > 0 {
		required = len(b.needed(f.Message, within, "")) > 0
	}
	return &openapi.RequestBody{
		Description: string(commentOf(f.Comments)),
		Content: contentOf(singular(f.Desc), func() *jsonschema.Schema {
			if len(within) > 0 {
				return b.object(f.Message, !spec.Ignored, within, "")
			}
			schema, _ := b.value(f, spec)
			return schema
		}),
		Required: required,
	}
}

// responses are the answers of a route: the message, the errors by their status, and
// whatever else goes wrong.
func (b *documentBuilder) responses(m *Method, r Route) openapi.Map[*openapi.Response] {
	output := m.proto.Output
	answer, schema := output.Desc, func() *jsonschema.Schema { return b.message(output, false) }
	if r.ResponseBody != "" {
		f := fieldNamed(output, r.ResponseBody)
		answer, schema = singular(f.Desc), func() *jsonschema.Schema {
			value, _ := b.value(f, specOf(f, true))
			if f.Desc.HasPresence() && f.Message == nil {
				return orNull(value)
			}
			return value
		}
	}
	content := contentOf(answer, schema)
	if m.Kind == ServerStream && content[0].Value.Schema != nil {
		line := openapi.MediaType{Schema: &jsonschema.Schema{
			Title: "One line of the stream", Type: jsonschema.Types{jsonschema.Object},
			Properties: jsonschema.Properties{{Name: "result", Schema: content[0].Value.Schema}, {Name: "error", Schema: statusRef()}},
		}}
		content = openapi.Map[openapi.MediaType]{{Name: "application/x-ndjson", Value: line}, {Name: "text/event-stream", Value: line}}
	}
	out := openapi.Map[*openapi.Response]{{Name: "200", Value: &openapi.Response{
		Description: cmp.Or(string(commentOf(output.Comments)), string(output.Desc.FullName())+"."), Content: content,
	}}}
	for _, status := range statusesOf(m.Errors) {
		out = append(out, openapi.Member[*openapi.Response]{Name: strconv.Itoa(int(status)), Value: errorResponse(status, m.Errors)})
	}
	return append(out, openapi.Member[*openapi.Response]{Name: "default", Value: &openapi.Response{
		Description: "Any other error.", Content: jsonContent(statusRef()),
	}})
}

func statusesOf(errors []*Error) []uint32 {
	var out []uint32
	for _, e := range errors {
		out = append(out, e.HTTP)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func errorResponse(status uint32, errors []*Error) *openapi.Response {
	r := &openapi.Response{Content: jsonContent(statusRef())}
	var lines []string
	for _, e := range errors {
		if e.HTTP == status {
			r.Reasons = append(r.Reasons, e.Reason)
			lines = append(lines, "- "+e.Reason+": "+string(e.Comment.Or(e.Message)))
		}
	}
	r.Description = strings.Join(lines, "\n")
	return r
}

func jsonContent(schema *jsonschema.Schema) openapi.Map[openapi.MediaType] {
	return openapi.Map[openapi.MediaType]{{Name: "application/json", Value: openapi.MediaType{Schema: schema}}}
}
