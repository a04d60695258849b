package oracle

import (
	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxDepth bounds messages that contain themselves.
const maxDepth = 4

// fill sets some fields of a message.
func (c *comparison) fill(m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		if c.random.IntN(3) > 0 {
			c.set(m, fields.Get(i), depth)
		}
	}
}

// mutate changes one field of a message, or of a message inside it.
func (c *comparison) mutate(m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	if fields.Len() == 0 {
		return
	}
	c.mutateField(m, fields.Get(c.random.IntN(fields.Len())), depth)
}

func (c *comparison) mutateField(m protoreflect.Message, field protoreflect.FieldDescriptor, depth int) {
	switch inner := c.inner(m, field); {
	case inner != nil && c.random.IntN(3) > 0:
		c.mutate(inner, depth+1)
	case c.random.IntN(8) == 0:
		m.Clear(field)
	default:
		c.set(m, field, depth)
	}
}

// inner returns a message in a field that is set, or nil.
func (c *comparison) inner(m protoreflect.Message, field protoreflect.FieldDescriptor) protoreflect.Message {
	switch {
	case field.Message() == nil || field.IsMap() || !m.Has(field):
		return nil
	case field.IsList():
		list := m.Mutable(field).List()
		return list.Get(c.random.IntN(list.Len())).Message()
	default:
		return m.Mutable(field).Message()
	}
}

// set gives a field another value.
func (c *comparison) set(m protoreflect.Message, field protoreflect.FieldDescriptor, depth int) {
	if depth >= maxDepth {
		return
	}
	switch {
	case field.IsMap():
		c.setMap(m.Mutable(field).Map(), field, depth)
	case field.IsList():
		c.setList(m.Mutable(field).List(), field, depth)
	default:
		m.Set(field, c.value(field, m.NewField(field), depth))
	}
}

func (c *comparison) setList(list protoreflect.List, field protoreflect.FieldDescriptor, depth int) {
	if c.random.IntN(2) == 0 {
		list.Truncate(c.random.IntN(list.Len() + 1))
	}
	for range c.random.IntN(4) {
		if list.Len() > 0 && c.random.IntN(8) == 0 {
			list.Append(list.Get(c.random.IntN(list.Len())))
			continue
		}
		list.Append(c.value(field, list.NewElement(), depth))
	}
}

func (c *comparison) setMap(entries protoreflect.Map, field protoreflect.FieldDescriptor, depth int) {
	entries.Range(func(key protoreflect.MapKey, _ protoreflect.Value) bool {
		if c.random.IntN(2) == 0 {
			entries.Clear(key)
		}
		return true
	})
	for range c.random.IntN(4) {
		key := c.scalar(field.MapKey(), field).MapKey()
		if text, ok := key.Interface().(string); ok && len(text) > 64 {
			continue // our paths cut long keys
		}
		entries.Set(key, c.value(field.MapValue(), entries.NewValue(), depth))
	}
}

// value returns a value for a field; of a message it fills a new one.
func (c *comparison) value(field protoreflect.FieldDescriptor, empty protoreflect.Value, depth int) protoreflect.Value {
	if field.Message() == nil {
		return c.scalar(field, field)
	}
	m := empty.Message()
	if c.random.IntN(4) == 0 {
		return empty
	}
	if known := c.known(field, m); known {
		return empty
	}
	c.fill(m, depth+1)
	return empty
}
