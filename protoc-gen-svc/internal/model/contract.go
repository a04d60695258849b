package model

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// Contract is which errors a method may end with, as the runtime is told.
type Contract struct {
	Declared []*Error
	Mapped   []ErrorMapping
	// Strict says that what is not declared becomes INTERNAL.
	Strict bool
}

// ErrorMapping turns an error of a callee into one of the method. To is nil where
// the handler deals with the error itself, and it goes no further.
type ErrorMapping struct{ From, To *Error }

// Handled reports whether the handler deals with the error.
func (e ErrorMapping) Handled() bool { return e.To == nil }

// Contract is nil for a method that declares nothing and is not held to that.
func (m *Method) Contract() *Contract {
	if len(m.Errors) == 0 && !m.StrictErrors {
		return nil
	}
	return &Contract{m.Errors, slices.DeleteFunc(slices.Clone(m.MapErrors), ErrorMapping.Handled), m.StrictErrors}
}

// StrictErrors reports whether what a method does not declare becomes INTERNAL.
func (s *Service) StrictErrors() bool { return s.strictErrors }

// Sentinel is the variable of the error.
func (e *Error) Sentinel() protogen.GoIdent { return e.Enum.Package.Ident(e.GoName) }

func (b *builder) strictErrors(s *Service, o *svcv1.Service) bool {
	if _, known := svcv1.ErrorContract_name[int32(o.GetErrorContract())]; !known {
		b.fault(s.origin().in("error_contract"), errorContract, o.GetErrorContract())
	}
	return o.GetErrorContract() == svcv1.ErrorContract_ERROR_CONTRACT_STRICT
}

// mapErrors is read after the declared errors, which it maps to.
func (b *builder) mapErrors(m *Method, o *svcv1.Method) []ErrorMapping {
	var out []ErrorMapping
	mapped := map[*Error]bool{}
	for i, mapping := range o.GetMapErrors() {
		at := m.origin().at("map_errors", i)
		from := b.calleeError(at.in("from"), mapping.GetFrom())
		to := b.mappedTo(at, mapping)
		if to != nil && !slices.Contains(m.Errors, to) {
			b.fault(at.in("to"), mapUndeclared, mapping.GetTo())
		}
		if from != nil && slices.Contains(m.Errors, from) {
			b.fault(at.in("from"), mapDeclared, mapping.GetFrom())
		}
		if from == nil {
			continue
		}
		if mapped[from] {
			b.fault(at.in("from"), mapTwice, mapping.GetFrom())
		}
		mapped[from] = true
		if to != nil {
			b.checkPlaceholders(at.in("to"), mapping, from, to)
		}
		m.keep("map_errors", at)
		out = append(out, ErrorMapping{from, to})
	}
	return out
}

// mappedTo is the error of the method that one of a callee becomes, or nil. Which
// of the two it is has to be said, since a forgotten error looks like a handled one.
func (b *builder) mappedTo(at Origin, o *svcv1.ErrorMapping) *Error {
	switch named := o.GetTo() != ""; {
	case named && o.GetHandled():
		b.fault(at.in("to"), mapToAndHandled, o.GetTo())
	case named:
		return b.namedError(at.in("to"), o.GetTo())
	case !o.GetHandled():
		b.fault(at, mapNowhere, o.GetFrom())
	}
	return nil
}

func (b *builder) checkPlaceholders(at Origin, o *svcv1.ErrorMapping, from, to *Error) {
	if missing := missingFrom(from.Parameters, to.Parameters); missing != "" {
		b.fault(at, mapPlaceholder, o.GetTo(), missing, o.GetFrom())
	}
	for _, p := range differing(from.Parameters, to.Parameters) {
		if p.wanted.Type != placeholderTypes[0].Type { // any value is a string
			b.fault(at, mapType, o.GetTo(), p.wanted.Key, p.wanted.Type, o.GetFrom(), p.there.Type)
		}
	}
}

// calleeError finds an error of a callee. As with calls, its file need not be
// imported, so a name that is not in sight is taken as full.
func (b *builder) calleeError(at Origin, name string) *Error {
	if _, inSight := resolve(b.file.values, b.file.pkg, name); inSight {
		return b.namedError(at, name)
	}
	e := b.errorByFullName(name)
	if e == nil {
		b.fault(at, errorUnknown, name, orDefault(suggestion(b.errors, b.file.pkg, name), " (want the full name of an error whose file is in this run)"))
	}
	return e
}

// errorByFullName finds an error of the whole run.
func (b *builder) errorByFullName(name string) *Error {
	return b.errors[protoreflect.FullName(strings.TrimPrefix(name, "."))]
}

// namedError finds an error by its name in the file that is being read.
func (b *builder) namedError(at Origin, name string) *Error {
	v, found := resolve(b.file.values, b.file.pkg, name)
	if !found {
		hint := suggestion(b.errorNames(), b.file.pkg, name)
		if e := b.errorByFullName(name); e != nil {
			hint = ` (import "` + e.Enum.Source + `", which declares it)`
		}
		b.fault(at, errorUnknown, name, hint)
		return nil
	}
	e := b.errors[v.Desc.FullName()]
	if e == nil {
		b.fault(at, errorNotAnnotated, name)
	}
	return e
}

// missingFrom lists the wanted placeholders that are not among those there.
func missingFrom(there, wanted []Parameter) string {
	var missing []string
	for _, w := range wanted {
		if !slices.ContainsFunc(there, func(p Parameter) bool { return p.Key == w.Key }) {
			missing = append(missing, "{"+w.Key+"}")
		}
	}
	return strings.Join(missing, ", ")
}

// differing are the wanted placeholders that are there with another type.
func differing(there, wanted []Parameter) (out []struct{ there, wanted Parameter }) {
	for _, w := range wanted {
		i := slices.IndexFunc(there, func(p Parameter) bool { return p.Key == w.Key })
		if i >= 0 && !w.agrees(there[i]) {
			out = append(out, struct{ there, wanted Parameter }{there[i], w})
		}
	}
	return out
}

// checkMappings refuses the mapping of an error that no method under calls
// returns. Methods under defers are called when the caller has its answer, so
// their errors never reach it.
func (b *builder) checkMappings(m *Method, g *graph) {
	for i, mapping := range m.MapErrors {
		if !g.mayReturn(m.Calls, mapping.From) {
			b.fault(m.place("map_errors", i).in("from"), mapNotFromCallee, mapping.From.Reason)
		}
	}
}

// checkUndeclared refuses a call whose errors a strict contract would make INTERNAL:
// whoever wrote it has to say what becomes of each.
func (b *builder) checkUndeclared(m *Method, g *graph) {
	if !m.StrictErrors {
		return
	}
	for i, call := range m.Calls {
		callee := g.method(call)
		if callee == nil {
			continue
		}
		var missing []string
		for _, e := range callee.Errors {
			mapped := slices.ContainsFunc(m.MapErrors, func(mapping ErrorMapping) bool { return mapping.From == e })
			if !mapped && !slices.Contains(m.Errors, e) {
				missing = append(missing, e.Reason)
			}
		}
		if len(missing) > 0 {
			b.fault(m.place("calls", i), callUndeclared, call.Service+"/"+call.Method, strings.Join(missing, ", "))
		}
	}
}
