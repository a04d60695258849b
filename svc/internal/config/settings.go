package config

import (
	"encoding"
	"reflect"
	"slices"
	"sync"
)

// slot is a place in a Go struct. Values are loaded and stored as wholes, so
// that a struct inside a map, which has no address, is a place like any other.
type slot struct {
	typ    reflect.Type
	load   func() reflect.Value
	store  func(reflect.Value)
	secret secrecy
	hot    bool // it can change while the service runs
}

func (s slot) present() bool       { return true }
func (s slot) secrecy() secrecy    { return s.secret }
func (s slot) changes() bool       { return s.hot }
func (s slot) create()             {}
func (s slot) group(string) string { return "" }

// newSettings is the mapping of the struct that pointer points to; nil is
// a struct without fields.
func newSettings(pointer any) mapping {
	if pointer == nil {
		pointer = &struct{}{}
	}
	v := reflect.ValueOf(pointer).Elem()
	return record{slot{v.Type(), func() reflect.Value { return v }, v.Set, public, false}}
}

var typeText = reflect.TypeFor[encoding.TextUnmarshaler]()

// isText reports whether t reads itself from text, whatever its kind.
func isText(t reflect.Type) bool { return reflect.PointerTo(t).Implements(typeText) }

// place is the slot with the methods of its type.
func (s slot) place() place {
	switch kind := s.typ.Kind(); {
	case isText(s.typ):
		return text{s}
	case kind == reflect.Struct:
		return record{s}
	case kind == reflect.Map:
		return dictionary{s}
	case kind == reflect.Slice:
		return sequence{s}
	}
	return basic{s}
}

// record is a struct: the tags of its fields are the keys. A field that is a
// pointer is a key only where the defaults point to something.
type record struct{ slot }

func (r record) keys() []string {
	var keys []string
	for _, f := range r.fields() {
		keys = append(keys, f.Tag.Get("yaml"))
	}
	return keys
}

func (r record) fields() []reflect.StructField {
	fields, ok := tagged.Load(r.typ)
	if !ok {
		untagged := func(f reflect.StructField) bool { return f.Tag.Get("yaml") == "" }
		fields, _ = tagged.LoadOrStore(r.typ, slices.DeleteFunc(reflect.VisibleFields(r.typ), untagged))
	}
	var present []reflect.StructField
	for _, f := range fields.([]reflect.StructField) {
		if f.Type.Kind() != reflect.Pointer || !r.load().FieldByIndex(f.Index).IsNil() {
			present = append(present, f)
		}
	}
	return present
}

// tagged are the fields of a struct that have a key. Finding them takes long, and
// every key of a file is looked for among them.
var tagged sync.Map // reflect.Type → []reflect.StructField

func (r record) child(key string) (place, error) {
	for _, f := range r.fields() {
		if f.Tag.Get("yaml") == key {
			return r.field(f).place(), nil
		}
	}
	return nil, unknown("key", key, r.keys())
}

func (r record) field(f reflect.StructField) slot {
	secret := r.secret
	if f.Tag.Get("secret") == "true" {
		secret = masked
	}
	hot := r.hot || f.Tag.Get("reload") == "hot"
	if f.Type.Kind() == reflect.Pointer {
		pointed := r.load().FieldByIndex(f.Index).Elem()
		return slot{pointed.Type(), func() reflect.Value { return pointed }, pointed.Set, secret, hot}
	}
	return slot{
		typ:  f.Type,
		load: func() reflect.Value { return r.load().FieldByIndex(f.Index) },
		store: func(v reflect.Value) {
			whole := reflect.New(r.typ).Elem()
			whole.Set(r.load())
			whole.FieldByIndex(f.Index).Set(v)
			r.store(whole)
		},
		secret: secret,
		hot:    hot,
	}
}

// dictionary is a map from string. Its keys are those of its default.
type dictionary struct{ slot }

func (d dictionary) keys() []string {
	var keys []string
	for _, k := range d.load().MapKeys() {
		keys = append(keys, k.String())
	}
	slices.Sort(keys)
	return keys
}

func (d dictionary) child(key string) (place, error) {
	if !slices.Contains(d.keys(), key) {
		return nil, unknown("key", key, d.keys())
	}
	k := reflect.ValueOf(key).Convert(d.typ.Key())
	return slot{
		typ:    d.typ.Elem(),
		load:   func() reflect.Value { return d.load().MapIndex(k) },
		store:  func(v reflect.Value) { d.load().SetMapIndex(k, v) },
		secret: d.secret,
		hot:    d.hot,
	}.place(), nil
}

// sequence is a slice.
type sequence struct{ slot }

func (q sequence) flat() bool {
	_, ok := slot{typ: q.typ.Elem()}.place().(value)
	return ok
}

// clear drops the default's array too, which may be shared.
func (q sequence) clear() { q.store(reflect.Zero(q.typ)) }

func (q sequence) add() place {
	q.store(reflect.Append(q.load(), reflect.Zero(q.typ.Elem())))
	return q.item(q.load().Len() - 1)
}

func (q sequence) items() []place {
	var all []place
	for i := range q.load().Len() {
		all = append(all, q.item(i))
	}
	return all
}

func (q sequence) item(i int) place {
	return slot{
		typ:    q.typ.Elem(),
		load:   func() reflect.Value { return q.load().Index(i) },
		store:  func(v reflect.Value) { q.load().Index(i).Set(v) },
		secret: q.secret,
		hot:    q.hot,
	}.place()
}
