package config

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	pr "google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// object is a message, the whole one or that of a field, list or map. Reading
// an absent one gives an empty message; writing makes it.
type object struct {
	desc   pr.MessageDescriptor
	read   func() pr.Message
	write  func() pr.Message
	exists func() bool
	secret secrecy
}

func always() bool { return true }

func newMessage(m proto.Message) mapping {
	self := m.ProtoReflect
	return object{self().Descriptor(), self, self, always, public}
}

func (o object) present() bool    { return o.exists() }
func (o object) secrecy() secrecy { return o.secret }
func (o object) create()          { o.write() }

// keys are the names as in the proto. Names in JSON form are near misses.
func (o object) keys() []string {
	var keys []string
	for i := range o.desc.Fields().Len() {
		keys = append(keys, string(o.desc.Fields().Get(i).Name()))
	}
	return keys
}

// group leaves out the oneof behind an optional field, which has one member.
func (o object) group(key string) string {
	fd := o.desc.Fields().ByName(pr.Name(key))
	if fd == nil || fd.ContainingOneof() == nil || fd.ContainingOneof().IsSynthetic() {
		return ""
	}
	return string(fd.ContainingOneof().Name())
}

func (o object) child(key string) (place, error) {
	fd := o.desc.Fields().ByName(pr.Name(key))
	if fd == nil {
		return nil, unknown("key", key, o.keys())
	}
	f := field{fd, o, o.secret}
	if options, ok := fd.Options().(*descriptorpb.FieldOptions); ok && options.GetDebugRedact() {
		f.secret = private
	}
	switch {
	case fd.IsList():
		return repeated{f}, nil
	case fd.IsMap():
		return table{f}, nil
	case isSingle(fd):
		return f.single(), nil
	}
	return f.object().place(), nil
}

// field is a field of a message, whatever its type.
type field struct {
	fd     pr.FieldDescriptor
	owner  object
	secret secrecy
}

func (f field) present() bool {
	return f.owner.exists() && (!f.fd.HasPresence() || f.owner.read().Has(f.fd))
}

func (f field) secrecy() secrecy  { return f.secret }
func (f field) value() pr.Value   { return f.owner.read().Get(f.fd) }
func (f field) mutable() pr.Value { return f.owner.write().Mutable(f.fd) }

func (f field) object() object {
	return object{
		desc:   f.fd.Message(),
		read:   func() pr.Message { return f.value().Message() },
		write:  func() pr.Message { return f.mutable().Message() },
		exists: f.present,
		secret: f.secret,
	}
}

func (f field) single() single {
	return single{
		fd:     f.fd,
		load:   f.value,
		blank:  func() pr.Value { return f.owner.write().NewField(f.fd) },
		store:  func(v pr.Value) { f.owner.write().Set(f.fd, v) },
		exists: f.present,
		secret: f.secret,
	}
}

// repeated is a list field.
type repeated struct{ field }

// flat says of masks that they are not, since they have commas of their own.
func (r repeated) flat() bool { return isSingle(r.fd) && !isMask(r.fd) }
func (r repeated) clear()     { r.owner.write().Clear(r.fd) }

// add appends at once, so that every element has its place in the list even
// where its value turns out to be a fault.
func (r repeated) add() place {
	l := r.mutable().List()
	l.Append(l.NewElement())
	return r.item(l.Len() - 1)
}

func (r repeated) items() []place {
	var all []place
	for i := range r.value().List().Len() {
		all = append(all, r.item(i))
	}
	return all
}

func (r repeated) item(i int) place {
	load := func() pr.Value { return r.value().List().Get(i) }
	if !isSingle(r.fd) {
		self := func() pr.Message { return load().Message() }
		return object{r.fd.Message(), self, self, always, r.secret}.place()
	}
	return single{
		fd:     r.fd,
		load:   load,
		blank:  func() pr.Value { return r.mutable().List().NewElement() },
		store:  func(v pr.Value) { r.mutable().List().Set(i, v) },
		exists: always,
		secret: r.secret,
	}
}

// table is a map field. Its keys are free, as far as their type allows.
type table struct{ field }

// create makes the message around the map, for what is a map in YAML and a message
// in the contract.
func (t table) create()             { t.owner.write() }
func (t table) group(string) string { return "" }

func (t table) keys() []string {
	var keys []string
	t.value().Map().Range(func(k pr.MapKey, _ pr.Value) bool {
		keys = append(keys, k.String())
		return true
	})
	slices.Sort(keys)
	return keys
}

func (t table) child(key string) (place, error) {
	parsed, err := parseScalar(t.fd.MapKey(), scalar{text: key})
	if err != nil {
		return nil, fmt.Errorf("key %q: %w", key, err)
	}
	k, fd := parsed.MapKey(), t.fd.MapValue()
	exists := func() bool { return t.value().Map().Has(k) }
	if !isSingle(fd) {
		return object{
			desc:   fd.Message(),
			read:   func() pr.Message { return t.entry(k).Message() },
			write:  func() pr.Message { return t.mutable().Map().Mutable(k).Message() },
			exists: exists,
			secret: t.secret,
		}.place(), nil
	}
	return single{
		fd:     fd,
		load:   func() pr.Value { return t.entry(k) },
		blank:  func() pr.Value { return t.mutable().Map().NewValue() },
		store:  func(v pr.Value) { t.mutable().Map().Set(k, v) },
		exists: exists,
		secret: t.secret,
	}, nil
}

// entry is the value of a key, an empty one where the key is absent.
func (t table) entry(k pr.MapKey) pr.Value {
	m := t.value().Map()
	if !m.Has(k) {
		return m.NewValue()
	}
	return m.Get(k)
}
