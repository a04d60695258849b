package fault

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Position is a place in a proto file, and what stands there.
type Position struct {
	Path         string // "order/v1/order.proto"
	Line, Column int    // 1-based; 0: unknown
	Subject      string // "OrderService.CreateOrder"
}

// Place is the position as it stands within a text, "order/v1/order.proto:12:3";
// the file alone where nothing else is known.
func (p Position) Place() string {
	if p.Line == 0 {
		return p.Path
	}
	return fmt.Sprintf("%s:%d:%d", p.Path, p.Line, p.Column)
}

// Field numbers of descriptor.proto, as a path through a FileDescriptorProto
// needs them: where each kind of child lies in its parent.
const (
	fileMessages   = 4
	fileEnums      = 5
	fileServices   = 6
	fileExtensions = 7

	messageFields     = 2
	messageMessages   = 3
	messageEnums      = 4
	messageExtensions = 6
	messageOneofs     = 8

	enumValues     = 2
	serviceMethods = 2
)

// At returns the position of a descriptor, or of one of its options: the number
// of the option's extension, then field numbers and indices inside it.
//
//	fault.At(method, 50002, 4, 0) // the first of (svc.v1.method).calls
//
// Compilers know more or less: buf has positions of the fields inside an option
// literal, but one for a whole list literal; protoc has the position of the
// option alone. At returns the known position that shares most of the path, and
// that of the descriptor when the option is not set.
func At(desc protoreflect.Descriptor, option ...int32) Position {
	file := desc.ParentFile()
	at := Position{Path: file.Path(), Subject: subject(desc)}
	declared := path(desc)
	wanted := declared
	if len(option) > 0 {
		wanted = slices.Concat(declared, protoreflect.SourcePath{optionsNumber(desc)}, option)
	}
	best, depth := -1, 0
	for i := range file.SourceLocations().Len() {
		known := file.SourceLocations().Get(i)
		n := shared(known.Path, wanted, len(declared))
		if n > best || n == best && len(known.Path) < depth {
			best, depth = n, len(known.Path)
			at.Line, at.Column = known.StartLine+1, known.StartColumn+1
		}
	}
	return at
}

// shared returns how much of the wanted path a known one has, or -1 if it is
// elsewhere: not at the descriptor, nor in the option.
func shared(known, wanted protoreflect.SourcePath, declared int) int {
	n := 0
	for n < len(known) && n < len(wanted) && known[n] == wanted[n] {
		n++
	}
	inOption := n >= declared+2 // beyond the field that has the options
	if inOption || n == declared && len(known) == declared {
		return n
	}
	return -1
}

// subject returns the full name without the package.
func subject(desc protoreflect.Descriptor) string {
	if _, ok := desc.(protoreflect.FileDescriptor); ok {
		return ""
	}
	pkg := string(desc.ParentFile().Package())
	name := string(desc.FullName())
	// The full name of an enum value lies beside its enum, which tells a reader
	// nothing: say the enum, too.
	if value, ok := desc.(protoreflect.EnumValueDescriptor); ok {
		name = string(value.Parent().FullName().Append(value.Name()))
	}
	if pkg == "" {
		return name
	}
	return strings.TrimPrefix(name, pkg+".")
}

// path returns the path of a descriptor in its FileDescriptorProto.
func path(desc protoreflect.Descriptor) protoreflect.SourcePath {
	var out protoreflect.SourcePath
	for parent := desc.Parent(); parent != nil; desc, parent = parent, parent.Parent() {
		out = append(out, int32(desc.Index()), childNumber(desc, parent))
	}
	slices.Reverse(out)
	return out
}

// childNumber returns the field of the parent's descriptor message that lists
// descriptors of this kind.
func childNumber(desc, parent protoreflect.Descriptor) int32 {
	_, inFile := parent.(protoreflect.FileDescriptor)
	pick := func(ofFile, ofMessage int32) int32 {
		if inFile {
			return ofFile
		}
		return ofMessage
	}
	switch d := desc.(type) {
	case protoreflect.MessageDescriptor:
		return pick(fileMessages, messageMessages)
	case protoreflect.EnumDescriptor:
		return pick(fileEnums, messageEnums)
	case protoreflect.FieldDescriptor:
		if d.IsExtension() {
			return pick(fileExtensions, messageExtensions)
		}
		return messageFields
	case protoreflect.OneofDescriptor:
		return messageOneofs
	case protoreflect.EnumValueDescriptor:
		return enumValues
	case protoreflect.ServiceDescriptor:
		return fileServices
	default: // methods
		return serviceMethods
	}
}

// optionsNumber returns the field of the descriptor message that holds its
// options.
func optionsNumber(desc protoreflect.Descriptor) int32 {
	switch desc.(type) {
	case protoreflect.FileDescriptor, protoreflect.FieldDescriptor:
		return 8
	case protoreflect.MessageDescriptor:
		return 7
	case protoreflect.MethodDescriptor:
		return 4
	case protoreflect.OneofDescriptor:
		return 2
	default: // services, enums, enum values
		return 3
	}
}
