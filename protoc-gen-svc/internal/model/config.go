package model

import (
	"slices"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// config resolves the config message and reads it. It returns the message, nil
// without one.
func (b *builder) config(s *Service, o *svcv1.Service) *protogen.Message {
	if o.GetConfig() == "" {
		return nil
	}
	message, ok := resolve(b.file.messages, b.file.pkg, o.GetConfig())
	if !ok {
		b.fault(s.origin().in("config"), configUnknown, o.GetConfig(), suggestion(b.file.messages, b.file.pkg, o.GetConfig()))
		return nil
	}
	s.Config = &Config{
		FullName: string(message.Desc.FullName()),
		Message:  message.GoIdent,
		Fields:   b.configFields(message, section{env: s.EnvPrefix + "_SERVICE"}),
	}
	return message
}

// section is where a message stands among the settings.
type section struct {
	env    string                  // what variables begin with
	secret bool                    // all of it
	above  []protoreflect.FullName // the messages that it stands in
}

// configFields reads the fields of a message, nested messages included.
// Variables set single values and lists of them, nothing below a list or a map.
func (b *builder) configFields(m *protogen.Message, at section) []*ConfigField {
	if slices.Contains(at.above, m.Desc.FullName()) {
		return nil // a message within itself has no finite form
	}
	above := append(slices.Clone(at.above), m.Desc.FullName())
	var out []*ConfigField
	for _, f := range m.Fields {
		text, values := b.configDefault(f)
		field := &ConfigField{
			Name:    string(f.Desc.Name()),
			Env:     at.env + "_" + envName(string(f.Desc.Name())),
			Comment: commentOf(f.Comments),
			Type:    typeName(f.Desc),
			Secret:  at.secret || f.Desc.Options().(*descriptorpb.FieldOptions).GetDebugRedact(),
			Default: text,
			values:  values,
			proto:   f,
		}
		if isNested(f.Desc) {
			field.Fields = b.configFields(f.Message, section{field.Env, field.Secret, above})
		}
		if isNested(f.Desc) || f.Desc.IsMap() || f.Desc.IsList() && f.Message != nil {
			field.Env = ""
		}
		out = append(out, field)
	}
	b.checkOneofDefaults(m)
	return out
}

// isNested reports whether a field is a section of settings: a single message
// that is not written as one value.
func isNested(d protoreflect.FieldDescriptor) bool {
	return d.Message() != nil && !d.IsList() && !d.IsMap() && d.Message().FullName().Parent() != "google.protobuf"
}

var scalarNames = map[protoreflect.FullName]string{
	"google.protobuf.Duration":  "duration",
	"google.protobuf.Timestamp": "time (RFC 3339)",
}

func typeName(d protoreflect.FieldDescriptor) string {
	switch {
	case d.IsMap():
		return "map of " + typeName(d.MapKey()) + " to " + typeName(d.MapValue())
	case d.IsList():
		return "list of " + singleName(d)
	default:
		return singleName(d)
	}
}

// singleName is the type of one element of a list, or of a field that is none.
func singleName(d protoreflect.FieldDescriptor) string {
	switch {
	case d.Enum() != nil:
		return string(d.Enum().Name())
	case d.Message() != nil:
		return orDefault(scalarNames[d.Message().FullName()], string(d.Message().Name()))
	default:
		return d.Kind().String()
	}
}
