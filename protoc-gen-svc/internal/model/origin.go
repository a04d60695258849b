package model

import (
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
)

// Origin is a place in the contract that a fault can point at: a descriptor,
// and within its annotation a field such as "callees[0].service".
type Origin struct {
	desc  protoreflect.Descriptor
	ext   protoreflect.ExtensionType
	field string
}

// in is a field of the same annotation.
func (o Origin) in(field string) Origin {
	if o.field != "" {
		field = o.field + "." + field
	}
	return Origin{o.desc, o.ext, field}
}

// at is an element of a repeated field of the same annotation.
func (o Origin) at(field string, index int) Origin {
	return o.in(field + "[" + strconv.Itoa(index) + "]")
}

var fieldStep = regexp.MustCompile(`^(\w+)(?:\[(\d+)\])?$`)

// position finds the origin in its file.
func (o Origin) position() fault.Position {
	if o.ext == nil {
		return fault.At(o.desc)
	}
	numbers := []int32{int32(o.ext.TypeDescriptor().Number())}
	msg := o.ext.TypeDescriptor().Message()
	for _, step := range strings.Split(o.field, ".") {
		m := fieldStep.FindStringSubmatch(step)
		if m == nil || msg == nil {
			break
		}
		fd := msg.Fields().ByName(protoreflect.Name(m[1]))
		if fd == nil {
			break
		}
		numbers = append(numbers, int32(fd.Number()))
		if m[2] != "" {
			i, _ := strconv.Atoi(m[2])
			numbers = append(numbers, int32(i))
		}
		msg = fd.Message()
	}
	return fault.At(o.desc, numbers...)
}

// fault records a mistake. Its text begins with the name of the field, since
// compilers do not always know an inner field's position.
func (b *builder) fault(o Origin, m finding, args ...any) {
	b.faults.Add(o.position(), diagnostics[m], o.prefix(), args...)
}

func (o Origin) prefix() string {
	if o.field == "" {
		return ""
	}
	return o.field + " "
}

// The declarations in the contract. They are no methods, which templates would see.

// ServiceDescriptor is the declaration of a service.
func ServiceDescriptor(s *Service) protoreflect.Descriptor { return s.proto.Desc }

// MethodDescriptor is the declaration of a method.
func MethodDescriptor(m *Method) protoreflect.Descriptor { return m.proto.Desc }

// ErrorDescriptor is the declaration of an error; its parent is that of the enum.
func ErrorDescriptor(e *Error) protoreflect.Descriptor { return e.proto.Desc }

// ConfigDescriptor is the declaration of a setting's field.
func ConfigDescriptor(f *ConfigField) protoreflect.Descriptor { return f.proto.Desc }
