// Package wire reads and writes messages whose generated code a service does not link. They
// travel as the fields that an Empty does not know.
package wire

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Carry returns the message that has these fields.
func Carry(fields []byte) *emptypb.Empty {
	m := new(emptypb.Empty)
	m.ProtoReflect().SetUnknown(fields)
	return m
}

// Fields returns the fields of a message.
func Fields(m *emptypb.Empty) []byte { return m.ProtoReflect().GetUnknown() }

// Each calls do with the encoded value of each field. It stops where the bytes are no
// message.
func Each(fields []byte, do func(protowire.Number, protowire.Type, []byte)) {
	for len(fields) > 0 {
		number, kind, tag := protowire.ConsumeTag(fields)
		if tag < 0 {
			return
		}
		size := protowire.ConsumeFieldValue(number, kind, fields[tag:])
		if size < 0 {
			return
		}
		do(number, kind, fields[tag:tag+size])
		fields = fields[tag+size:]
	}
}
