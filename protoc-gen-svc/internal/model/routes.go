package model

import (
	"regexp"

	"google.golang.org/genproto/googleapis/api/annotations"
)

// variable is a {field} or {field=pattern} of a path.
var variable = regexp.MustCompile(`\{[^{}]*\}`)

// routes are the HTTP paths of a method. grpc-gateway generates the code; what
// nobody should want from it is refused here, in files that are written for us.
// Those of others get what grpc-gateway gives everybody.
func (b *builder) routes(m *Method) []Route {
	rule := extension[*annotations.HttpRule](m.proto.Desc, annotations.E_Http)
	if rule == nil {
		return nil
	}
	at := Origin{desc: m.proto.Desc, ext: annotations.E_Http}
	if m.proto.Desc.IsStreamingClient() && !b.file.foreign {
		b.fault(at, routeStream, m.Kind.Streams())
		return nil
	}
	var out []Route
	for _, r := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
		if route, ok := routeOf(r); ok {
			out = append(out, route)
		}
	}
	return out
}

func routeOf(r *annotations.HttpRule) (Route, bool) {
	switch p := r.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		return Route{"GET", p.Get}, true
	case *annotations.HttpRule_Put:
		return Route{"PUT", p.Put}, true
	case *annotations.HttpRule_Post:
		return Route{"POST", p.Post}, true
	case *annotations.HttpRule_Delete:
		return Route{"DELETE", p.Delete}, true
	case *annotations.HttpRule_Patch:
		return Route{"PATCH", p.Patch}, true
	case *annotations.HttpRule_Custom:
		return Route{p.Custom.GetKind(), p.Custom.GetPath()}, true
	}
	return Route{}, false
}

// checkRoutes refuses two methods of a service with one path: the gateway would
// never reach the first.
func (b *builder) checkRoutes(s *Service) {
	if b.file.foreign {
		return
	}
	first := map[Route]*Method{}
	for _, m := range s.Methods {
		for _, r := range m.Routes {
			shape := Route{r.Verb, variable.ReplaceAllString(r.Path, "{}")}
			if other := first[shape]; other != nil {
				at := Origin{desc: m.proto.Desc, ext: annotations.E_Http}
				b.fault(at, routeTwice, r.Verb, r.Path, other.Name)
				continue
			}
			first[shape] = m
		}
	}
}
