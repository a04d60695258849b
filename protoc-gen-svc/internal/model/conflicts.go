package model

import (
	"fmt"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// What protoc-gen-go-grpc writes stands in the package of the messages. Where it meets their names, or that of another service, Go
// would say so about code that nobody wrote; so it is said about the contract.

// grpcIdentifiers are the identifiers made of a service, %s being its Go name.
var grpcIdentifiers = []string{"%sClient", "New%sClient", "%sServer", "Unimplemented%sServer", "Unsafe%sServer", "Register%sServer", "%s_ServiceDesc"}

// besideMessages are all that others declare for the service.
func (s *Service) besideMessages() []string {
	goName := s.proto.GoName
	names := []string{lowerFirst(goName) + "Client"}
	for _, form := range grpcIdentifiers {
		names = append(names, fmt.Sprintf(form, goName))
	}
	for _, m := range s.Methods {
		names = append(names, goName+"_"+m.GoName+"_FullMethodName")
		if m.Kind != Unary {
			names = append(names, goName+"_"+m.GoName+"Client", goName+"_"+m.GoName+"Server")
		}
	}
	return names
}

// messages claims what protoc-gen-go makes of messages. That two of them are one
// name in Go is not ours to say.
func (c claims) messages(messages []*protogen.Message) {
	for _, m := range messages {
		c.take(m.Desc, m.GoIdent)
		for _, f := range m.Fields {
			if f.Oneof != nil && !f.Oneof.Desc.IsSynthetic() {
				c.take(f.Desc, f.GoIdent)
			}
		}
		c.messages(m.Messages)
		c.enums(m.Enums)
	}
}

func (c claims) enums(enums []*protogen.Enum) {
	for _, e := range enums {
		c.take(e.Desc, e.GoIdent)
		for _, v := range e.Values {
			c.take(v.Desc, v.GoIdent)
		}
	}
}

// take claims a name without a word about who had it before.
func (c claims) take(d protoreflect.Descriptor, id protogen.GoIdent) {
	if key := key(id.GoImportPath, id.GoName); c.taken[key] == nil {
		c.taken[key] = d
	}
}

func key(pkg protogen.GoImportPath, name string) string { return string(pkg) + "/" + name }
