package lint

import (
	"fmt"
	"slices"
	"strings"

	"buf.build/go/bufplugin/check"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// names are what annotations can name, in all files of a request, the imported ones
// among them.
type names struct {
	methods map[protoreflect.FullName]protoreflect.MethodDescriptor
	values  map[protoreflect.FullName]protoreflect.EnumValueDescriptor
}

func namesIn(request check.Request) names {
	n := names{map[protoreflect.FullName]protoreflect.MethodDescriptor{}, map[protoreflect.FullName]protoreflect.EnumValueDescriptor{}}
	for _, file := range request.FileDescriptors() {
		f := file.ProtoreflectFileDescriptor()
		for i := range f.Services().Len() {
			methods := f.Services().Get(i).Methods()
			for j := range methods.Len() {
				n.methods[methods.Get(j).FullName()] = methods.Get(j)
			}
		}
		n.addValues(f)
	}
	return n
}

func (n names) addValues(in interface {
	Enums() protoreflect.EnumDescriptors
	Messages() protoreflect.MessageDescriptors
}) {
	for i := range in.Enums().Len() {
		values := in.Enums().Get(i).Values()
		for j := range values.Len() {
			n.values[values.Get(j).FullName()] = values.Get(j)
		}
	}
	for i := range in.Messages().Len() {
		n.addValues(in.Messages().Get(i))
	}
}

// resolve finds a name by protobuf's rule: in the own package, then outward. It is
// nil for what no file of the request has.
func resolve[D protoreflect.Descriptor](in map[protoreflect.FullName]D, from protoreflect.FullName, name string) (found D) {
	full, absolute := strings.CutPrefix(name, ".")
	if absolute {
		from = ""
	}
	for pkg := from; ; pkg = pkg.Parent() {
		at := protoreflect.FullName(full)
		if pkg != "" {
			at = pkg + "." + at
		}
		if d, ok := in[at]; ok || pkg == "" {
			return d
		}
	}
}

// callErrors finds calls of whose errors the contract does not say what becomes of
// them. Under a strict contract, protoc-gen-svc refuses them.
func callErrors(s settings, m protoreflect.MethodDescriptor) string {
	if service, _ := proto.GetExtension(m.Parent().Options(), svcv1.E_Service).(*svcv1.Service); service.GetErrorContract() == svcv1.ErrorContract_ERROR_CONTRACT_STRICT {
		return ""
	}
	told := s.names.told(m)
	var silent []string
	for _, call := range methodOptions(m).GetCalls() {
		callee := resolve(s.names.methods, m.ParentFile().Package(), strings.ReplaceAll(call, "/", "."))
		if callee == nil {
			continue
		}
		var untold []string
		for _, e := range s.names.errors(callee, methodOptions(callee).GetErrors()) {
			if !slices.Contains(told, e) {
				untold = append(untold, string(e.Name()))
			}
		}
		if len(untold) > 0 {
			silent = append(silent, fmt.Sprintf("%s of %q", strings.Join(untold, ", "), call))
		}
	}
	if len(silent) == 0 {
		return ""
	}
	return fmt.Sprintf("RPC %q does not say what becomes of errors of its callees, %s: map each to an error under map_errors, or set handled there where the handler deals with it, or declare it under errors", m.Name(), strings.Join(silent, ", "))
}

// told are the errors that a method says something about.
func (n names) told(m protoreflect.MethodDescriptor) []protoreflect.EnumValueDescriptor {
	told := slices.Clone(methodOptions(m).GetErrors())
	for _, mapping := range methodOptions(m).GetMapErrors() {
		told = append(told, mapping.GetFrom())
	}
	return n.errors(m, told)
}

// errors are those that a method names, as far as a file of the request has them.
func (n names) errors(m protoreflect.MethodDescriptor, named []string) (found []protoreflect.EnumValueDescriptor) {
	for _, name := range named {
		if e := resolve(n.values, m.ParentFile().Package(), name); e != nil {
			found = append(found, e)
		}
	}
	return found
}

func methodOptions(m protoreflect.MethodDescriptor) *svcv1.Method {
	options, _ := proto.GetExtension(m.Options(), svcv1.E_Method).(*svcv1.Method)
	return options
}
