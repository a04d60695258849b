package model

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

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
	s.addFile(f)
	s.addImports(p, f, true /* all, not only public ones */)
	s.foreign = !s.seesAnnotations(f.Proto)
	return s
}

// seesAnnotations looks at imports of options too: what they declare is not in
// scope for anything else.
func (s *scope) seesAnnotations(f *descriptorpb.FileDescriptorProto) bool {
	annotations := svcv1.File_svc_v1_svc_proto
	_, imported := s.messages[annotations.Messages().Get(0).FullName()]
	return imported || slices.Contains(f.GetOptionDependency(), annotations.Path())
}

func (s *scope) addImports(p *protogen.Plugin, f *protogen.File, all bool) {
	imports := f.Desc.Imports()
	for i := range imports.Len() {
		imp := imports.Get(i)
		if file := p.FilesByPath[imp.Path()]; file != nil && (all || imp.IsPublic) {
			s.addFile(file)
			s.addImports(p, file, false)
		}
	}
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
	if s := fault.Suggest(name, sorted(candidates)); s != "" {
		return ` (did you mean "` + s + `"?)`
	}
	return ""
}
