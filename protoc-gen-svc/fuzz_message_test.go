package main_test

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

const (
	typeString  = descriptorpb.FieldDescriptorProto_TYPE_STRING
	typeMessage = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE
	typeEnum    = descriptorpb.FieldDescriptorProto_TYPE_ENUM
	typeGroup   = descriptorpb.FieldDescriptorProto_TYPE_GROUP

	labelOptional = descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL
	labelRepeated = descriptorpb.FieldDescriptorProto_LABEL_REPEATED
)

// message is a message with fields of every type; others may lie in it.
func (c *fuzzContract) message(f *descriptorpb.FileDescriptorProto, scope string, path ...int32) *descriptorpb.DescriptorProto {
	m := &descriptorpb.DescriptorProto{Name: proto.String(c.unique(scope, c.name()))}
	full := joinName(scope, m.GetName())
	c.messages = append(c.messages, fuzzMessage{m, full, len(c.files) - 1})
	c.at(f, path...)
	if len(path) < 6 && c.once(4) {
		m.NestedType = append(m.NestedType, c.message(f, full, slices.Concat(path, []int32{3, 0})...))
	}
	if c.once(4) {
		m.EnumType = append(m.EnumType, c.enum(f, full, slices.Concat(path, []int32{4, 0})...))
	}
	var optional []*descriptorpb.FieldDescriptorProto
	for i := range c.below(6) {
		field := c.field(f, m, full, int32(i))
		m.Field = append(m.Field, field)
		c.at(f, slices.Concat(path, []int32{2, int32(i)})...)
		if field.GetProto3Optional() {
			optional = append(optional, field)
		}
	}
	for _, field := range optional { // synthetic oneofs follow the others
		field.OneofIndex = proto.Int32(int32(len(m.OneofDecl)))
		m.OneofDecl = append(m.OneofDecl, &descriptorpb.OneofDescriptorProto{Name: proto.String(c.unique(full, "_"+field.GetName()))})
	}
	return m
}

func (c *fuzzContract) field(f *descriptorpb.FileDescriptorProto, m *descriptorpb.DescriptorProto, scope string, index int32) *descriptorpb.FieldDescriptorProto {
	field := &descriptorpb.FieldDescriptorProto{
		Name:   proto.String(c.unique(scope, strings.ToLower(c.name()))),
		Number: proto.Int32(index + 1),
		Label:  labelOptional.Enum(),
	}
	c.setType(field, f.EnumType)
	switch c.below(8) {
	case 4, 5:
		field.Label = labelRepeated.Enum()
	case 6:
		c.makeMap(m, scope, field)
	case 7:
		switch {
		case f.GetSyntax() == "proto3":
			field.Proto3Optional = proto.Bool(true)
		case index == 0:
			m.OneofDecl = append(m.OneofDecl, &descriptorpb.OneofDescriptorProto{Name: proto.String(c.unique(scope, "kind"))})
			field.OneofIndex = proto.Int32(0)
		}
	}
	return field
}

// setType draws a type, strings more often than others.
func (c *fuzzContract) setType(field *descriptorpb.FieldDescriptorProto, enums []*descriptorpb.EnumDescriptorProto) {
	t := descriptorpb.FieldDescriptorProto_Type(1 + c.below(24))
	scope := c.files[len(c.files)-1].GetPackage()
	switch {
	case t == typeEnum && len(enums) > 0:
		field.TypeName = proto.String("." + joinName(scope, enums[c.below(len(enums))].GetName()))
	case t == typeMessage:
		field.TypeName = proto.String(c.messageType())
	case t == typeEnum, t == typeGroup, t > descriptorpb.FieldDescriptorProto_TYPE_SINT64:
		t = typeString
	}
	field.Type = t.Enum()
}

// makeMap turns a field into a map to its type.
func (c *fuzzContract) makeMap(m *descriptorpb.DescriptorProto, scope string, field *descriptorpb.FieldDescriptorProto) {
	name := mapEntryName(field.GetName())
	if c.taken[joinName(scope, name)] {
		return
	}
	c.taken[joinName(scope, name)] = true
	value := &descriptorpb.FieldDescriptorProto{Name: proto.String("value"), Number: proto.Int32(2), Label: labelOptional.Enum(), Type: field.Type, TypeName: field.TypeName}
	m.NestedType = append(m.NestedType, &descriptorpb.DescriptorProto{
		Name: proto.String(name),
		Field: []*descriptorpb.FieldDescriptorProto{
			{Name: proto.String("key"), Number: proto.Int32(1), Label: labelOptional.Enum(), Type: typeString.Enum()},
			value,
		},
		Options: &descriptorpb.MessageOptions{MapEntry: proto.Bool(true)},
	})
	field.Label, field.Type = labelRepeated.Enum(), typeMessage.Enum()
	field.TypeName = proto.String("." + joinName(scope, name))
}

// mapEntryName is protobuf's rule for the message behind a map field.
func mapEntryName(field string) string {
	var out strings.Builder
	for _, word := range strings.Split(field, "_") {
		if word != "" {
			out.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return out.String() + "Entry"
}
