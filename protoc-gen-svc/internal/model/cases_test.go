package model

import (
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// Callers have to tell errors apart where there are two or more.
func TestFailing(t *testing.T) {
	for n, want := range []bool{false, false, true, true} {
		s := &Service{Methods: []*Method{{Errors: make([]*Error, n)}}}
		if got := s.Fails(); got != want {
			t.Errorf("a service with a method of %d errors fails: %t, want %t", n, got, want)
		}
	}
}

// Of errors that are called the same, the first keeps its name.
func TestCasesHaveNamesOfTheirOwn(t *testing.T) {
	of := func(name string, e protoreflect.Enum) *Error {
		return &Error{GoName: name, Enum: &ErrorEnum{proto: &protogen.Enum{Desc: e.Descriptor()}}}
	}
	m := &Method{Errors: []*Error{
		of("Gone", validate.Ignore(0)),
		of("Gone", descriptorpb.Edition(0)),
		of("Busy", descriptorpb.Edition(0)),
	}}
	for i, want := range []string{"Gone", "GoogleProtobufGone", "Busy"} {
		if got := m.Cases()[i].Name; got != want {
			t.Errorf("case %d is %s, want %s", i, got, want)
		}
	}
}
