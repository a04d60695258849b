package model

import (
	"strings"
)

// needs says that our code for one proto package imports that for another.
type needs struct {
	from, to string // proto packages
	because  Origin
}

// checkServiceCycles refuses services whose packages would import each other, by their
// clients or their errors: Go compiles no such thing, and services that need each
// other are one service. Cycles that meet are reported once, at the first of
// their needs.
func (b *builder) checkServiceCycles(system *System) {
	ends := func(n needs) (from, to string) { return n.from, n.to }
	eachCycle(needsOf(system), ends, func(n needs, way []string) {
		b.fault(n.because, importCycle, strings.Join(way, " needs "))
	})
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
				add(s, string(e.Enum.proto.Desc.ParentFile().Package()), m.place("errors", i))
			}
			for i, mapping := range m.MapErrors {
				if mapping.Handled() {
					continue // no generated code names it
				}
				add(s, string(mapping.From.Enum.proto.Desc.ParentFile().Package()), m.place("map_errors", i))
			}
		}
	}
	return all
}

func (s *Service) protoPackage() string { return string(s.proto.Desc.ParentFile().Package()) }
