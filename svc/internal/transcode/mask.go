package transcode

import (
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
	w := walker{scanner: scanner{data: body.sent()}}
	if token := w.next(); token == nil || token[0] != '{' || isKnown(p.body.field.Message()) {
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
	scanner
	paths []string
}

// object reads an object to its end.
func (w *walker) object(md protoreflect.MessageDescriptor, around []string) {
	for name := w.next(); name != nil && !closes(name); name = w.next() {
		fd := named(md, unquoted(name))
		if fd == nil {
			w.skip(w.next()) // an extension, which a field mask cannot name
			continue
		}
		w.value(fd, append(around, string(fd.Name())))
	}
}

// value reads a value: the fields of a message have paths of their own, and everything
// else has one, an empty message too.
func (w *walker) value(fd protoreflect.FieldDescriptor, at []string) {
	md, before := singular(fd), len(w.paths)
	token := w.next()
	if token != nil && token[0] == '{' && md != nil && !isKnown(md) && len(at) < maxDepth {
		w.object(md, at)
	} else {
		w.skip(token)
	}
	if len(w.paths) == before {
		w.paths = append(w.paths, strings.Join(at, "."))
	}
}

// skip reads the rest of a value that begins with a token.
func (w *walker) skip(token []byte) {
	for depth := 0; token != nil; token = w.next() {
		if opens(token) {
			depth++
		} else if closes(token) {
			depth--
		}
		if depth == 0 {
			return
		}
	}
}
