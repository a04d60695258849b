package model

import (
	"strings"
	"unicode"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
)

// checkNames refuses names that would write the same file, object or Go
// identifier twice.
func (b *builder) checkNames(s *System) {
	deployables := map[string]*Service{}
	for _, svc := range s.Services {
		if first := deployables[svc.Name]; first != nil {
			b.fault(svc.origin().in("name"), nameTwice, svc.Name, first.FullName)
			continue
		}
		deployables[svc.Name] = svc
	}
	b.checkHandlers(s)
	claims := claims{taken: map[string]string{}, faults: &b.faults}
	for _, svc := range s.Services {
		claims.add(svc.proto.Desc, svc.Package, svc.claims()...)
	}
	for _, enum := range s.Errors {
		claims.add(enum.proto.Desc, enum.Package, enum.GoName+"Table", enum.Snake+"_errors.go")
		for _, e := range enum.Errors {
			claims.add(e.proto.Desc, enum.Package, e.GoName, e.New)
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
			b.fault(svc.origin().in("name"), handlerTwice, svc.Name, svc.Handler.Path, first.Name, first.FullName)
			continue
		}
		handlers[svc.Handler] = svc
	}
}

// checkGoPackage refuses Go packages that code of ours cannot import.
func (b *builder) checkGoPackage(f *protogen.File, s *Service) {
	at := Origin{desc: s.proto.Desc}
	if f.GoPackageName == "main" {
		b.fault(at, packageMain, f.Desc.Options().(*descriptorpb.FileOptions).GetGoPackage())
	}
	if f.GoImportPath == s.Package.Path {
		b.fault(at, packageTaken, string(f.GoImportPath))
	}
}

// checkImportPaths refuses import paths that Go does not accept.
func (b *builder) checkImportPaths() {
	for _, f := range b.plugin.Files {
		if strings.ContainsFunc(string(f.GoImportPath), notInImportPath) {
			b.fault(Origin{desc: f.Desc}, importPath, string(f.GoImportPath), "example.com/shop/order/v1")
		}
	}
}

// notInImportPath is the rule of Go's specification for what a compiler may
// refuse, and the one that we have does.
func notInImportPath(r rune) bool {
	return !unicode.IsGraphic(r) || unicode.IsSpace(r) || strings.ContainsRune("!\"#$%&'()*,:;<=>?[\\]^{|}`\ufffd", r)
}

// claims are what is taken in all packages, identifiers and files, with the
// declarations that take it.
type claims struct {
	taken  map[string]string
	faults *fault.List
}

// add claims what a declaration becomes. One fault says enough about two
// declarations, whatever the number of names they share.
func (c claims) add(d protoreflect.Descriptor, in Package, names ...string) {
	refused := map[string]bool{}
	for _, name := range names {
		key := in.Dir + "/" + name
		first, taken := c.taken[key]
		if taken && !refused[first] {
			c.faults.Add(fault.At(d), diagnostics[goNameTwice], "", name, inGo(name), first)
			refused[first] = true
		}
		if !taken {
			c.taken[key] = string(d.FullName())
		}
	}
}

func inGo(name string) string {
	if strings.HasSuffix(name, ".go") {
		return ""
	}
	return " in Go"
}

// claims are what the service becomes in its package.
func (s *Service) claims() []string {
	names := []string{
		s.GoName, s.GoName + "Name", s.GoName + "Client", s.GoName + "Deps", s.GoName + "Policy",
		"Dial" + s.GoName, "Unimplemented" + s.GoName,
		s.Snake + "_service.go",
	}
	if len(s.Keeping()) > 0 {
		names = append(names, s.GoName+"Idempotency")
	}
	if len(s.Deferred) > 0 {
		names = append(names, s.GoName+"Outbox")
	}
	for _, m := range s.Methods {
		if m.Deferrable() {
			names = append(names, s.DeferredType(m))
		}
	}
	if len(s.Metrics) > 0 {
		names = append(names, s.GoName+"Metrics", "New"+s.GoName+"Metrics")
	}
	return append(names, s.caseClaims()...)
}
