// Package rules turns the field rules of buf.validate into Go.
//
// [Build] reads the options of all messages that a request can reach, checks
// them, and decides what to generate. [Set.Emit] writes it: for each message
// that has something to check, one function of plain comparisons. The packages
// svc/validate and svc/validate/format have what they call.
//
// The meaning of each rule is that of protovalidate, which test/rules compares
// with. What cannot be generated is a fault with its position: CEL expressions,
// predefined rules, rules of the wrong type, and rules that no value can meet.
package rules

import (
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
)

// Set is the validators of one service.
type Set struct {
	messages []*message // that have something to check, as discovered
	roots    map[protoreflect.FullName]*message
	patterns []*pattern
	fields   map[protoreflect.FullName][]node // what is checked of each
	locals   locals

	// Unchecked are the rules that were left out, in words for people.
	Unchecked []string
}

// Build decides on the validators of messages that a service receives, with the
// messages in them. The prefix, the service's name, begins the names of all that
// will be generated, so that several services may share a Go package.
//
// Expressions in CEL are faults, but for files of others: whoever generates from
// them cannot change them, so they are left out and said to be. Nil: there are none.
//
// The set is of use only when there are no faults.
func Build(received []*protogen.Message, prefix string, ofOthers func(protoreflect.FileDescriptor) bool) (*Set, fault.List) {
	b := newBuilder()
	b.ofOthers = ofOthers
	for _, m := range received {
		b.message(m).root = true
	}
	b.prune()
	return b.finish(prefix), b.faults
}

// Validator returns the name of the function that validates a received message:
//
//	func validateOrderService_CreateOrderRequest(m *orderv1.CreateOrderRequest) error
//
// It reports false when the message has nothing to check.
func (s *Set) Validator(m *protogen.Message) (name string, ok bool) {
	root, ok := s.roots[m.Desc.FullName()]
	if !ok {
		return "", false
	}
	return root.validator(), true
}

// Names are all that Emit declares.
func (s *Set) Names() []string {
	var names []string
	for _, m := range s.messages {
		if m.root {
			names = append(names, m.validator())
		}
		if m.called {
			names = append(names, m.checker())
		}
	}
	for _, p := range s.patterns {
		names = append(names, p.name)
	}
	return names
}

// Empty reports whether there is nothing to generate, nor to say.
func (s *Set) Empty() bool { return len(s.messages) == 0 && len(s.Unchecked) == 0 }

// File is what is written to: a [protogen.GeneratedFile], or one that does as it does.
type File interface {
	P(parts ...any)
	QualifiedGoIdent(protogen.GoIdent) string
}

// Emit writes the functions, and the variables they use. The caller writes
// everything before: header, package clause.
func (s *Set) Emit(f File) {
	p := &printer{File: f, locals: s.locals}
	p.patterns(s.patterns)
	for _, m := range s.messages {
		p.message(m)
	}
}
