package fault

import (
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
// literal, protoc only of the whole option, and neither of the elements of a
// list literal. At returns the innermost position that is known.
func At(desc protoreflect.Descriptor, option ...int32) Position {
	file := desc.ParentFile()
	at := Position{Path: file.Path(), Subject: subject(desc)}
	known := path(desc)
	least := len(known)
	if len(option) > 0 {
		known = append(append(known, optionsNumber(desc)), option...)
	}
	for ; len(known) >= least; known = known[:len(known)-1] {
		found := file.SourceLocations().ByPath(known)
		if found.Path != nil {
			at.Line, at.Column = found.StartLine+1, found.StartColumn+1
			break
		}
		if len(known) == 0 {
			break
		}
	}
	return at
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
