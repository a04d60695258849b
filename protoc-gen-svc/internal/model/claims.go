package model

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
)

// checkNames refuses names that would write the same file, object, variable or Go
// identifier twice.
func (b *builder) checkNames(s *System) {
	deployables := map[string]*Service{}
	var alone []*Service
	for _, svc := range s.Services {
		if first := deployables[svc.Name]; first != nil {
			b.fault(svc.origin().in("name"), nameTwice, svc.Name, whereIs(first.proto.Desc))
			continue
		}
		deployables[svc.Name] = svc
		alone = append(alone, svc)
	}
	b.checkHandlers(s)
	b.checkPackages(s)
	b.checkVariables(alone)
	claims := newClaims(&b.faults)
	for _, f := range b.plugin.Files {
		claims.messages(f.Messages)
		claims.enums(f.Enums)
	}
	for _, svc := range s.Services {
		claims.add(svc.proto.Desc, Package{Path: svc.Server.GoImportPath}, svc.besideMessages())
		claims.add(svc.proto.Desc, svc.Package, append(svc.Identifiers(), svc.Snake+"_service.go"))
		claims.add(svc.proto.Desc, svc.Fakes, []string{svc.GoName, svc.Snake + "_fake.go"})
	}
	for _, enum := range s.Errors {
		claims.add(enum.proto.Desc, enum.Package, []string{enum.Table().GoName, enum.Snake + "_errors.go"})
		for _, e := range enum.Errors {
			claims.add(e.proto.Desc, enum.Package, e.Identifiers())
		}
	}
}

// checkHandlers refuses names that differ in what a Go package cannot be called.
func (b *builder) checkHandlers(s *System) {
	handlers := map[Package]*Service{}
	for _, svc := range s.Services {
		if svc.Handler.Path == "" {
			continue
		}
		first := handlers[svc.Handler]
		if first != nil && first.Name != svc.Name {
			b.fault(svc.origin().in("name"), handlerTwice, svc.Name, svc.Handler.Path, first.Name, whereIs(first.proto.Desc))
			continue
		}
		handlers[svc.Handler] = svc
	}
}

// checkVariables refuses settings that one environment variable would set: of one
// service, or of two that may run in one environment. Prefixes may begin with
// each other, as ORDER and ORDER_ITEM do; whole variables must differ.
func (b *builder) checkVariables(services []*Service) {
	type setting struct {
		path string
		of   *Service
	}
	taken := map[string]setting{}
	for _, svc := range services {
		refused := map[*Service]bool{}
		for _, own := range svc.Settings() {
			first, twice := taken[own.Env]
			if twice && !refused[first.of] && own.Env != "" {
				b.fault(svc.origin(), variableTwice, own.Path, own.Env, first.path, whereIs(first.of.proto.Desc))
				refused[first.of] = true
			}
			if !twice {
				taken[own.Env] = setting{own.Path, svc}
			}
		}
	}
}

// claims are what is taken in all packages, identifiers and files, with the
// declarations that take it.
type claims struct {
	taken   map[string]protoreflect.Descriptor
	refused map[[2]protoreflect.Descriptor]bool
	faults  *fault.List
}

func newClaims(faults *fault.List) claims {
	return claims{map[string]protoreflect.Descriptor{}, map[[2]protoreflect.Descriptor]bool{}, faults}
}

// add claims what a declaration becomes. One fault says enough about two
// declarations, whatever the number of names they share.
func (c claims) add(d protoreflect.Descriptor, in Package, names []string) {
	for _, name := range names {
		key := key(in.Path, name)
		first, taken := c.taken[key]
		pair := [2]protoreflect.Descriptor{first, d}
		if taken && !c.refused[pair] {
			c.faults.Add(fault.At(d), diagnostics[goNameTwice], "", name, inGo(name), whereIs(first))
			c.refused[pair] = true
		}
		if !taken {
			c.taken[key] = d
		}
	}
}

func inGo(name string) string {
	if strings.HasSuffix(name, ".go") {
		return ""
	}
	return " in Go"
}

// whereIs names a declaration and its place, for the other of two that clash.
func whereIs(d protoreflect.Descriptor) string {
	return fmt.Sprintf("%s (%s)", d.FullName(), fault.At(d).Place())
}

// Identifiers are all that the service declares in its package.
func (s *Service) Identifiers() []string {
	names := []string{s.GoName}
	absent := map[string]bool{
		"%sMetrics": len(s.Metrics) == 0, "New%sMetrics": len(s.Metrics) == 0,
		"%sIdempotency": len(s.Storing()) == 0, "%sOutbox": len(s.Deferred) == 0,
	}
	for _, form := range serviceIdentifiers.exported {
		if !absent[form] {
			names = append(names, fmt.Sprintf(form, s.GoName))
		}
	}
	for _, c := range s.Callees {
		names = append(names, c.Client)
	}
	names = append(names, s.caseClaims()...)
	for _, form := range serviceIdentifiers.unexported {
		names = append(names, lowerFirst(fmt.Sprintf(form, s.GoName)))
	}
	return append(names, s.Rules.Names()...)
}

// Identifiers are all that the error declares in the package of its enum.
func (e *Error) Identifiers() []string {
	if len(e.Parameters) == 0 {
		return []string{e.GoName, e.New}
	}
	return []string{e.GoName, e.New, e.Params(), e.As()}
}
