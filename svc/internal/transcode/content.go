package transcode

import (
	"bytes"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const httpBody = "google.api.HttpBody"

// content is what a body is, by the rule of its route.
type content struct {
	whole  bool                         // the message
	field  protoreflect.FieldDescriptor // a field of it
	raw    bool                         // a google.api.HttpBody
	prefix string                       // what makes the JSON of the field that of the message
	take   taker                        // reads what is usual; nil: there is no JSON
}

func compileContent(md protoreflect.MessageDescriptor, body string) (content, error) {
	switch body {
	case "":
		return content{}, nil
	case "*":
		if md.FullName() == httpBody {
			return content{whole: true, raw: true}, nil
		}
		return content{whole: true, take: tables{}.add(md).take}, nil
	}
	fd, err := jsonField(md, body)
	if err != nil {
		return content{}, fmt.Errorf("body: %w", err)
	}
	c := content{field: fd, raw: isMessage(fd) && fd.Message().FullName() == httpBody}
	if !c.raw {
		c.prefix = fmt.Sprintf("{%q:", fd.JSONName())
		c.take = tables{}.takerOf(fd)
	}
	return c, nil
}

// TakesJSON reports whether the body of a request is JSON.
func (p *Plan) TakesJSON() bool { return !p.body.raw && (p.body.whole || p.body.field != nil) }

// jsonField returns a field that a message has in JSON too.
func jsonField(md protoreflect.MessageDescriptor, name string) (protoreflect.FieldDescriptor, error) {
	if isKnown(md) {
		return nil, fmt.Errorf("message %s has no fields in JSON", md.FullName())
	}
	return fieldOf(md, name)
}

// decoding leaves out the check for required fields, which path and query may have.
var decoding = protojson.UnmarshalOptions{AllowPartial: true}

// decode fills an empty message from the body.
func (p *Plan) decode(m protoreflect.Message, body Body) *fault {
	switch c := p.body; {
	case c.raw:
		return p.decodeRaw(m, body)
	case len(bytes.TrimSpace(body.sent())) == 0 || !c.whole && c.field == nil:
		return nil
	case m.Descriptor() == p.request && c.read(m, body.sent()):
		return nil
	case c.whole:
		if err := decoding.Unmarshal(body.sent(), m.Interface()); err != nil {
			return faultOf(err, body, p.request)
		}
		return nil
	default:
		return p.decodeField(m, body)
	}
}

// read fills a message from a body that is usual. What it leaves of another one, protojson
// removes, and so it does with large ones, which would be there once more for a moment.
func (c content) read(m protoreflect.Message, sent []byte) bool {
	if len(sent) > piece {
		return false
	}
	in := &input{data: sent}
	out, ok := c.take(make([]byte, 0, len(sent)), in)
	return ok && in.isAtEnd() && proto.UnmarshalOptions{AllowPartial: true}.Unmarshal(out, m.Interface()) == nil
}

// decodeField decodes the body as the one field of a message. What is not one value of
// JSON would be more than that field there.
func (p *Plan) decodeField(m protoreflect.Message, body Body) *fault {
	if f := syntaxFault(body.sent()); f != nil {
		f.field = string(p.body.field.Name())
		return f
	}
	if err := decoding.Unmarshal(append(body.data, '}'), m.Interface()); err != nil {
		return faultOf(err, body, p.request)
	}
	return nil
}

func (p *Plan) decodeRaw(m protoreflect.Message, body Body) *fault {
	if len(body.sent()) == 0 && body.ContentType == "" {
		return nil
	}
	field := "content_type"
	if p.body.field != nil {
		m = m.Mutable(p.body.field).Message()
		field = string(p.body.field.Name()) + "." + field
	}
	fields := m.Descriptor().Fields()
	contentType, wrong := parseScalar(fields.ByName("content_type"), body.ContentType)
	if wrong != "" {
		return &fault{field, wrong}
	}
	m.Set(fields.ByName("content_type"), contentType)
	m.Set(fields.ByName("data"), protoreflect.ValueOfBytes(body.sent()))
	return nil
}
