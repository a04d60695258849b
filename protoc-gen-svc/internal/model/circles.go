package model

import (
	"slices"
	"strings"
)

// needs says that our code for one proto package imports that for another.
type needs struct {
	from, to string // proto packages
	because  Origin
}

// checkCircles refuses services whose packages would import each other, by their
// clients or their errors: Go compiles no such thing, and services that need each
// other are one service.
func (b *builder) checkCircles(system *System) {
	all := needsOf(system)
	for _, n := range all {
		if back := route(all, n.to, n.from, nil); back != nil {
			circle := strings.Join(append([]string{n.from}, back...), " needs ")
			b.fault(n.because, importCircle, circle)
		}
	}
}

func needsOf(system *System) []needs {
	var all []needs
	add := func(from *Service, to string, because Origin) {
		if n := (needs{from.protoPackage(), to, because}); n.from != n.to {
			all = append(all, n)
		}
	}
	for _, s := range system.Services {
		for _, c := range s.Callees {
			if c.Service != nil {
				add(s, c.Service.protoPackage(), c.first)
			}
		}
		for _, m := range s.Methods {
			for i, e := range m.Errors {
				add(s, string(e.Enum.proto.Desc.ParentFile().Package()), m.origin().at("errors", i))
			}
			for i, mapping := range m.MapErrors {
				add(s, string(mapping.From.Enum.proto.Desc.ParentFile().Package()), m.origin().at("map_errors", i))
			}
		}
	}
	return all
}

func (s *Service) protoPackage() string { return string(s.proto.Desc.ParentFile().Package()) }

// route returns the packages from one to another, both included; nil without a
// way.
func route(all []needs, from, to string, visited []string) []string {
	visited = append(visited, from)
	if from == to {
		return visited
	}
	for _, n := range all {
		if n.from == from && !slices.Contains(visited, n.to) {
			if found := route(all, n.to, to, slices.Clip(visited)); found != nil {
				return found
			}
		}
	}
	return nil
}
