package transcode

import (
	"encoding/json"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	spb "google.golang.org/genproto/googleapis/rpc/status"
)

// The content types of responses that do not bring their own.
const (
	JSON  = "application/json"
	Lines = "application/x-ndjson"
)

// usual is how many bytes of JSON have room before any of it is written. A buffer that
// begins with none is made anew seven times on its way there.
const usual = 512

var encoding = protojson.MarshalOptions{EmitUnpopulated: true}

// Response returns the body of a response, and its content type. JSON is one line, and
// always the same for the same message.
func (p *Plan) Response(m proto.Message) (contentType string, data []byte, err error) {
	if p.raw {
		contentType, data = p.bytes(m)
		return contentType, data, nil
	}
	data, err = p.appendJSON(make([]byte, 0, usual), m)
	if err != nil {
		return "", nil, err
	}
	return JSON, append(data, '\n'), nil
}

// Line returns a message of a stream: the line {"result":…}, or what an HttpBody has. The
// content type of the first one is that of the stream.
func (p *Plan) Line(m proto.Message) (contentType string, data []byte, err error) {
	if p.raw {
		contentType, data = p.bytes(m)
		return contentType, data, nil
	}
	data, err = p.appendJSON([]byte(`{"result":`), m)
	if err != nil {
		return "", nil, err
	}
	return Lines, append(data, "}\n"...), nil
}

// Raw reports whether responses are what an HttpBody has.
func (p *Plan) Raw() bool { return p.raw }

// bytes returns what the HttpBody has that is answered.
func (p *Plan) bytes(m proto.Message) (contentType string, data []byte) {
	body := m.ProtoReflect()
	if p.answer != nil {
		body = body.Get(p.answer).Message()
	}
	fields := body.Descriptor().Fields()
	return body.Get(fields.ByName("content_type")).String(), body.Get(fields.ByName("data")).Bytes()
}

func (p *Plan) appendJSON(out []byte, m proto.Message) ([]byte, error) {
	switch {
	case p.answer == nil:
		return p.layout.appendMessage(out, m)
	case isMessage(p.answer):
		return p.layout.appendMessage(out, m.ProtoReflect().Get(p.answer).Message().Interface())
	}
	return p.appendField(out, m)
}

// appendField appends a field that is not a message. It is encoded in a message that has
// nothing else, and taken out.
func (p *Plan) appendField(out []byte, m proto.Message) ([]byte, error) {
	from, only := m.ProtoReflect(), m.ProtoReflect().New()
	if from.Has(p.answer) {
		only.Set(p.answer, from.Get(p.answer))
	}
	data, err := encoding.Marshal(only.Interface())
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	value, ok := fields[p.answer.JSONName()]
	if !ok {
		return append(out, "null"...), nil
	}
	return append(out, compact(value)...), nil
}

// appendMessage appends a message in proto3 JSON, with the fields that are not set, and
// without space.
func (l *layout) appendMessage(out []byte, m proto.Message) ([]byte, error) {
	if done, ok := l.append(out, m.ProtoReflect()); ok {
		return done, proto.CheckInitialized(m)
	}
	return appendCompact(encoding, out, m)
}

// AppendStatus appends an error in proto3 JSON, without what it does not use and without
// space.
func AppendStatus(out []byte, st *spb.Status) ([]byte, error) {
	return appendCompact(protojson.MarshalOptions{}, out, st)
}

func appendCompact(o protojson.MarshalOptions, out []byte, m proto.Message) ([]byte, error) {
	start := len(out)
	out, err := o.MarshalAppend(out, m)
	if err != nil {
		return nil, err
	}
	return out[:start+len(compact(out[start:]))], nil
}

// compact removes the space between tokens, in place. protojson writes some at random, so
// that nobody relies on its bytes; but caches and clients compare bodies.
func compact(data []byte) []byte {
	out := data[:0]
	inString, escaped := false, false
	for _, c := range data {
		if c == ' ' && !inString {
			continue
		}
		if c == '"' && !escaped {
			inString = !inString
		}
		escaped = c == '\\' && !escaped
		out = append(out, c)
	}
	return out
}
