package model

import (
	"regexp"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/internal/httprule"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
)

// routes are the HTTP paths of a method. What cannot work is refused here, in
// files that are written for us. In those of others it is left out.
func (b *builder) routes(m *Method) []Route {
	rule := extension[*annotations.HttpRule](m.proto.Desc, annotations.E_Http)
	if rule == nil {
		return nil
	}
	at := Origin{desc: m.proto.Desc, ext: annotations.E_Http}
	if m.proto.Desc.IsStreamingClient() {
		if !b.file.foreign {
			b.fault(at, routeStream, m.Kind.Streams())
		}
		return nil
	}
	out := b.route(m, rule, at)
	for i, more := range rule.GetAdditionalBindings() {
		at := at.at("additional_bindings", i)
		out = append(out, b.route(m, more, at)...)
		if len(more.GetAdditionalBindings()) > 0 && !b.file.foreign {
			b.fault(at.in("additional_bindings"), bindingNested)
		}
	}
	return out
}

// route is the path of one binding; none where it cannot be served.
func (b *builder) route(m *Method, r *annotations.HttpRule, at Origin) []Route {
	if !b.file.foreign {
		return b.checkedRoute(m, r, at)
	}
	faults := b.faults
	b.faults = fault.List{}
	routes := b.checkedRoute(m, r, at)
	if !b.faults.Empty() {
		routes = nil
	}
	b.faults = faults
	return routes
}

// checkedRoute is the path of one binding, which may have been refused.
func (b *builder) checkedRoute(m *Method, r *annotations.HttpRule, at Origin) []Route {
	verb, path, field := pattern(r)
	if field == "" {
		b.fault(at.in("pattern"), routeMissing) // the oneof
		return nil
	}
	b.checkKind(r, at)
	b.checkBodies(m, r, at)
	template, err := httprule.Parse(path)
	if err != nil {
		b.fault(at.in(field), routeForm, path, err)
		return nil
	}
	route := Route{verb, path, r.GetBody(), r.GetResponseBody(), template, at.in(field)}
	b.checkPathVariables(m, route, at.in("body"))
	return []Route{route}
}

// pattern is the HTTP method of a binding, its path, and the field that has it.
func pattern(r *annotations.HttpRule) (verb, path, field string) {
	switch p := r.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		return "GET", p.Get, "get"
	case *annotations.HttpRule_Put:
		return "PUT", p.Put, "put"
	case *annotations.HttpRule_Post:
		return "POST", p.Post, "post"
	case *annotations.HttpRule_Delete:
		return "DELETE", p.Delete, "delete"
	case *annotations.HttpRule_Patch:
		return "PATCH", p.Patch, "patch"
	case *annotations.HttpRule_Custom:
		return p.Custom.GetKind(), p.Custom.GetPath(), "custom.path"
	}
	return "", "", ""
}

// checkRoutes refuses two paths of a service that one request matches equally
// well. Of paths that have some requests in common, the more specific one wins.
func (b *builder) checkRoutes(s *Service) {
	if b.file.foreign {
		return
	}
	type owned struct {
		Route
		method *Method
	}
	var seen []owned
	for _, m := range s.Methods {
		for _, r := range m.Routes {
			for _, first := range seen {
				if first.Verb == r.Verb && httprule.Overlap(first.template, r.template) {
					b.fault(r.at, routeTwice, r.Path, first.Path, first.method.Name, first.at.position().Place())
					break
				}
			}
			seen = append(seen, owned{r, m})
		}
	}
}

var httpToken = regexp.MustCompile("^[-!#$%&'*+.^_`|~0-9A-Za-z]+$")

// checkKind wants a method of HTTP, which is a token of RFC 9110; "*" is one.
func (b *builder) checkKind(r *annotations.HttpRule, at Origin) {
	if custom := r.GetCustom(); custom != nil && !httpToken.MatchString(custom.GetKind()) {
		b.fault(at.in("custom.kind"), routeKind, custom.GetKind())
	}
}

// checkPathVariables wants fields that a piece of text can be the value of. The
// field of the body has its value from there.
func (b *builder) checkPathVariables(m *Method, r Route, body Origin) {
	for _, v := range r.template.Variables {
		b.checkPathVariable(m.proto.Input.Desc, r, v.Field)
		if v.Field == r.Body {
			b.fault(body, bodyBound, r.Body, r.Path)
		}
	}
}

func (b *builder) checkPathVariable(message protoreflect.MessageDescriptor, r Route, variable string) {
	names := strings.Split(variable, ".")
	for i, name := range names {
		fd := message.Fields().ByName(protoreflect.Name(name))
		last := i == len(names)-1
		switch {
		case fd == nil:
			b.fault(r.at, variableUnknown, variable, name, message.FullName(), didYouMean(name, fieldNames(message.Fields())))
			return
		case last && !fromText(fd):
			b.fault(r.at, variableType, variable, typeName(fd))
		case !last && (fd.Message() == nil || fd.Cardinality() == protoreflect.Repeated):
			b.fault(r.at, variableThrough, variable, name, typeName(fd))
			return
		}
		message = fd.Message()
	}
}

// fromText reports whether a field has a form that can stand in a path: that of
// its JSON, where it is no object and no list.
func fromText(fd protoreflect.FieldDescriptor) bool {
	if fd.Cardinality() == protoreflect.Repeated {
		return false
	}
	return fd.Message() == nil || isOneText(fd.Message())
}

// isOneText reports whether a message is a text in JSON.
func isOneText(m protoreflect.MessageDescriptor) bool {
	switch m.FullName() {
	case "google.protobuf.Timestamp", "google.protobuf.Duration", "google.protobuf.FieldMask":
		return true
	}
	return isWrapper(m)
}

// checkBodies wants fields of the messages themselves.
func (b *builder) checkBodies(m *Method, r *annotations.HttpRule, at Origin) {
	if body := r.GetBody(); body != "" && body != "*" {
		b.checkBody(m.proto.Input.Desc, body, at.in("body"))
	}
	if r.GetGet() != "" && r.GetBody() != "" {
		b.fault(at.in("body"), bodyGet, r.GetBody())
	}
	if body := r.GetResponseBody(); body != "" {
		b.checkBody(m.proto.Output.Desc, body, at.in("response_body"))
	}
}

func (b *builder) checkBody(message protoreflect.MessageDescriptor, body string, at Origin) {
	fields := message.Fields()
	switch {
	case strings.Contains(body, "."):
		b.fault(at, bodyNested, body, message.FullName())
	case fields.ByName(protoreflect.Name(body)) == nil:
		b.fault(at, bodyUnknown, body, message.FullName(), didYouMean(body, fieldNames(fields)))
	}
}
