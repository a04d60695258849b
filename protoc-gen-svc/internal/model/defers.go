package model

import "google.golang.org/protobuf/reflect/protoreflect"

// Deferred is a method of another service that is called through the outbox.
type Deferred struct {
	*Called
	Callee *Callee
	// Field is its name in the generated Outbox: that of the callee in Deps, then
	// that of the method.
	Field string
}

// deferred lists what the methods of a service defer, each once, by callee.
func deferred(callees []*Callee) []*Deferred {
	var out []*Deferred
	for _, c := range callees {
		for _, m := range c.Methods {
			if m.Deferred {
				out = append(out, &Deferred{Called: m, Callee: c, Field: c.Field + m.GoName})
			}
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

// checkDeferrable refuses deferred calls of methods that cannot be called twice.
func (b *builder) checkDeferrable(m *Method, g *graph) {
	for i, c := range m.Defers {
		at, name := m.place("defers", i), c.Service+"/"+c.Method
		p, callee := methodOf(b.services[protoreflect.FullName(c.Service)], c.Method), g.method(c)
		switch {
		case p != nil && kindOf(p.Desc) != Unary:
			b.fault(at, deferStream, name, kindOf(p.Desc).Streams())
		case callee != nil && !callee.Idempotent:
			b.fault(at, deferNotIdempotent, name)
		}
	}
}

// names are the methods that are called.
func (c *Callee) names() []string {
	var out []string
	for _, m := range c.Methods {
		out = append(out, m.Name)
	}
	return out
}

// described are the methods called, with a word about how.
func (c *Callee) described() []string {
	var out []string
	for _, m := range c.Methods {
		name := m.Name
		if m.Deferred {
			name += " (deferred)"
		}
		out = append(out, name)
	}
	return out
}
