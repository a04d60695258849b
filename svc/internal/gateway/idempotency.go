package gateway

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/svc/internal/propagation"
	"github.com/protosvc/protosvc/svc/validate"
)

// idempotencyKey is the header that a client may send instead of the field, as
// draft-ietf-httpapi-idempotency-key-header says.
const idempotencyKey = "Idempotency-Key"

// keyField finds the field of a method's idempotency key; nil: it has none.
func keyField(md protoreflect.MethodDescriptor, name string) (protoreflect.FieldDescriptor, error) {
	if name == "" {
		return nil, nil
	}
	fd := md.Input().Fields().ByName(protoreflect.Name(name))
	if fd == nil || fd.Kind() != protoreflect.StringKind || fd.IsList() {
		return nil, fmt.Errorf("%s has no text field %q for the idempotency key", md.Input().FullName(), name)
	}
	return fd, nil
}

// fillKey sets the field of the idempotency key to what the header says. A request that
// says two things is refused: one of them was used for something else.
func (c *call) fillKey(message proto.Message) error {
	values := c.Header[idempotencyKey]
	if c.key == nil || len(values) == 0 {
		return nil
	}
	key, ok := keyOf(values[0])
	m := message.ProtoReflect()
	switch set := m.Get(c.key).String(); {
	case len(values) > 1:
		return c.badKey("header " + idempotencyKey + " is sent more than once")
	case !ok:
		return c.badKey("header " + idempotencyKey + ` must be printable ASCII, "in quotes" or without any`)
	case key == "" || key == set:
	case set != "":
		return c.badKey("differs from header " + idempotencyKey)
	default:
		m.Set(c.key, protoreflect.ValueOfString(key))
	}
	return nil
}

func (c *call) badKey(description string) error {
	var found validate.Violations
	found.Add((&validate.Path{}).Field(string(c.key.Name())), "", description)
	return found.Err()
}

// keyOf reads the value of the header: a string of RFC 9651, whose parameters mean
// nothing here, or the bare text that many clients send.
func keyOf(value string) (key string, ok bool) {
	quoted, ok := strings.CutPrefix(value, `"`)
	if !ok || !propagation.Printable(value) {
		return value, propagation.Printable(value) && !strings.Contains(value, `"`)
	}
	var text strings.Builder
	for i := 0; i < len(quoted); i++ {
		switch c := quoted[i]; c {
		case '"':
			rest := quoted[i+1:]
			return text.String(), rest == "" || rest[0] == ';'
		case '\\':
			i++
			if i == len(quoted) || quoted[i] != '"' && quoted[i] != '\\' {
				return "", false
			}
			text.WriteByte(quoted[i])
		default:
			text.WriteByte(c)
		}
	}
	return "", false
}
