package model

import (
	"slices"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Deferred is a method of another service that is called through the outbox.
type Deferred struct {
	// Field is its name in the generated Outbox: that of the callee in Deps, then
	// that of the method.
	Field  string
	Callee *Callee
	Method string
	// Wire is its name on the wire, GoMethod that of the client's method, Type its
	// type in the callee's package.
	Wire, GoMethod string
	Type           protogen.GoIdent
}

// Deferrable reports whether calls of the method may go through an outbox, which
// makes them at least once and waits for nobody. The callee's package then has
// a type for it.
func (m *Method) Deferrable() bool { return m.Kind == Unary && m.Idempotent }

// DeferredType is the name of that type.
func (s *Service) DeferredType(m *Method) string { return deferredType(s.GoName, m.GoName) }

func deferredType(service, method string) string { return service + method + "Deferred" }

// deferred lists what the methods of a service defer, each once, by callee.
func (b *builder) deferred(s *Service) []*Deferred {
	var out []*Deferred
	for _, c := range s.Callees {
		service := identifier(goCamelCase(string(protoreflect.FullName(c.FullName).Name())))
		for _, name := range sorted(c.Deferred) {
			method := goCamelCase(name)
			out = append(out, &Deferred{
				Field:    c.Field + method,
				Callee:   c,
				Method:   name,
				Wire:     "/" + c.FullName + "/" + name,
				GoMethod: method,
				Type:     c.Dial.GoImportPath.Ident(deferredType(service, method)),
			})
		}
	}
	return out
}

// checkOutbox refuses deferred calls of a service that has nowhere to note them
// down.
func (b *builder) checkOutbox(s *Service) {
	for _, m := range s.Methods {
		for i, c := range m.Defers {
			if s.Database == nil {
				b.fault(m.place("defers", i), deferNoDatabase, c.Service+"/"+c.Method)
			}
		}
	}
}

// checkDeferred refuses deferred calls of methods that cannot be called twice.
// Those of services that this run does not see have no type to refer to, which
// the Go compiler says.
func (b *builder) checkDeferred(system *System, g *graph) {
	for _, s := range system.Services {
		for _, m := range s.Methods {
			b.checkCallees(m, "defers", m.Defers, g)
			b.checkDeferrable(m, g)
		}
	}
}

func (b *builder) checkDeferrable(m *Method, g *graph) {
	for i, c := range m.Defers {
		callee := g.method(c)
		at, name := m.place("defers", i), c.Service+"/"+c.Method
		switch {
		case callee == nil:
		case callee.Kind != Unary:
			b.fault(at, deferStream, name, callee.Kind.Streams())
		case !callee.Idempotent:
			b.fault(at, deferNotIdempotent, name)
		}
	}
}

// Defers reports whether any method defers a call of the callee's method.
func (c *Callee) Defers(method string) bool { return slices.Contains(c.Deferred, method) }

// described are the methods called, with a word about how.
func (c *Callee) described() []string {
	var out []string
	for _, name := range c.Methods {
		if c.Defers(name) {
			name += " (deferred)"
		}
		out = append(out, name)
	}
	return out
}
