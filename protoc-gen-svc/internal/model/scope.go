package model

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
)

// scope is what a file can name: its own declarations and those of its imports,
// public imports of imports included.
type scope struct {
	pkg protoreflect.FullName
	// foreign says that the file does not import the annotations: nobody wrote
	// it for us, and who generates from it can often not change it.
	foreign  bool
	messages map[protoreflect.FullName]*protogen.Message
	services map[protoreflect.FullName]*protogen.Service
	values   map[protoreflect.FullName]*protogen.EnumValue
}

func newScope(p *protogen.Plugin, f *protogen.File) scope {
	s := scope{
		pkg:      f.Desc.Package(),
		messages: map[protoreflect.FullName]*protogen.Message{},
		services: map[protoreflect.FullName]*protogen.Service{},
		values:   map[protoreflect.FullName]*protogen.EnumValue{},
	}
	eachInSight(p, f, func(file *protogen.File) bool {
		s.addFile(file)
		return true
	})
	s.foreign = isForeign(p, f)
	return s
}

// isForeign looks at imports of options too: what they declare is not in scope for
// anything else.
func isForeign(p *protogen.Plugin, f *protogen.File) bool {
	annotations := svcv1.File_svc_v1_svc_proto
	one := annotations.Messages().Get(0).FullName()
	apart := eachInSight(p, f, func(file *protogen.File) bool {
		return file.Desc.Package() != one.Parent() || file.Desc.Messages().ByName(one.Name()) == nil
	})
	return apart && !slices.Contains(f.Proto.GetOptionDependency(), annotations.Path())
}

// eachInSight calls a function for a file and for those it can name, until it returns
// false; then so does this.
func eachInSight(p *protogen.Plugin, f *protogen.File, do func(*protogen.File) bool) bool {
	var imported func(of *protogen.File, all bool) bool
	imported = func(of *protogen.File, all bool) bool {
		imports := of.Desc.Imports()
		for i := range imports.Len() {
			imp := imports.Get(i)
			file := p.FilesByPath[imp.Path()]
			if file != nil && (all || imp.IsPublic) && !(do(file) && imported(file, false)) {
				return false
			}
		}
		return true
	}
	return do(f) && imported(f, true /* all, not only public ones */)
}

func (s *scope) addFile(f *protogen.File) {
	s.addMessages(f.Messages)
	s.addEnums(f.Enums)
	for _, svc := range f.Services {
		s.services[svc.Desc.FullName()] = svc
	}
}

func (s *scope) addMessages(messages []*protogen.Message) {
	for _, m := range messages {
		s.messages[m.Desc.FullName()] = m
		s.addMessages(m.Messages)
		s.addEnums(m.Enums)
	}
}

func (s *scope) addEnums(enums []*protogen.Enum) {
	for _, e := range enums {
		for _, v := range e.Values {
			s.values[v.Desc.FullName()] = v
		}
	}
}

// resolve finds a name by protobuf's rule: in the own package, then outward. A
// leading dot makes it a full name.
func resolve[T any](in map[protoreflect.FullName]T, from protoreflect.FullName, name string) (found T, ok bool) {
	if full, absolute := strings.CutPrefix(name, "."); absolute {
		found, ok = in[protoreflect.FullName(full)]
		return found, ok
	}
	for pkg := from; ; pkg = pkg.Parent() {
		full := protoreflect.FullName(name)
		if pkg != "" {
			full = pkg + "." + full
		}
		if found, ok = in[full]; ok || pkg == "" {
			return found, ok
		}
	}
}

// suggestion is ` (did you mean "x"?)`, or empty when nothing is near. Names of
// the own package are offered without it; one of another package that lacks
// nothing but that is the nearest.
func suggestion[T any](in map[protoreflect.FullName]T, from protoreflect.FullName, name string) string {
	var candidates, elsewhere []string
	for full := range in {
		candidates = append(candidates, strings.TrimPrefix(string(full), string(from)+"."), string(full))
		if string(full.Name()) == name {
			elsewhere = append(elsewhere, string(full))
		}
	}
	if len(elsewhere) > 0 {
		return ` (did you mean "` + slices.Min(elsewhere) + `"?)`
	}
	return didYouMean(name, candidates)
}

func didYouMean(name string, candidates []string) string {
	return fault.DidYouMean(name, sorted(candidates))
}
