package transcode

import (
	"bytes"
	"encoding/json"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

const fieldMask = "google.protobuf.FieldMask"

// onlyMask returns the field update_mask, if it is the one field mask of the request.
func onlyMask(md protoreflect.MessageDescriptor) protoreflect.FieldDescriptor {
	var masks []protoreflect.FieldDescriptor
	for i := range md.Fields().Len() {
		if fd := md.Fields().Get(i); fd.Message() != nil && fd.Message().FullName() == fieldMask {
			masks = append(masks, fd)
		}
	}
	if len(masks) != 1 || masks[0].Name() != "update_mask" || !isMessage(masks[0]) {
		return nil
	}
	return masks[0]
}

// fillMask names what the body has, where the client does not say what it means to
// change. The body has been decoded, so it is right.
func (p *Plan) fillMask(m protoreflect.Message, body Body) {
	if p.mask == nil || m.Has(p.mask) || p.body.raw {
		return
	}
	w := walker{tokens: json.NewDecoder(bytes.NewReader(body.sent()))}
	w.tokens.UseNumber()
	if token, err := w.tokens.Token(); err != nil || token != json.Delim('{') || isKnown(p.body.field.Message()) {
		return
	}
	w.object(p.body.field.Message(), nil)
	if len(w.paths) == 0 {
		return
	}
	mask := m.Mutable(p.mask).Message()
	list := mask.Mutable(mask.Descriptor().Fields().ByName("paths")).List()
	for _, path := range w.paths {
		list.Append(protoreflect.ValueOfString(path))
	}
}

// walker collects the paths of the values in a body.
type walker struct {
	tokens *json.Decoder
	paths  []string
}

// object reads an object to its end.
func (w *walker) object(md protoreflect.MessageDescriptor, around []string) {
	for w.tokens.More() {
		name, _ := w.tokens.Token()
		text, _ := name.(string)
		fd := named(md, text)
		if fd == nil {
			w.skip() // an extension, which a field mask cannot name
			continue
		}
		w.value(fd, append(around, string(fd.Name())))
	}
	_, _ = w.tokens.Token()
}

// value reads a value: the fields of a message have paths of their own, and everything
// else has one.
func (w *walker) value(fd protoreflect.FieldDescriptor, at []string) {
	md := singular(fd)
	if md == nil || isKnown(md) || len(at) == maxDepth {
		w.leaf(at)
		w.skip()
		return
	}
	token, _ := w.tokens.Token()
	if token == json.Delim('{') && w.tokens.More() {
		w.object(md, at)
		return
	}
	w.leaf(at)
	if token == json.Delim('{') {
		_, _ = w.tokens.Token()
	}
}

func (w *walker) leaf(at []string) { w.paths = append(w.paths, strings.Join(at, ".")) }

// skip reads a value that has no paths within.
func (w *walker) skip() {
	for depth := 0; ; {
		token, err := w.tokens.Token()
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 || err != nil {
			return
		}
	}
}
