package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// text is a slot whose type reads and writes itself, for example slog.Level.
type text struct{ slot }

func (t text) set(s scalar) error {
	v := reflect.New(t.typ)
	if err := v.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s.text)); err != nil {
		return fmt.Errorf("want a %s: %w", strings.ToLower(t.typ.Name()), err)
	}
	t.store(v.Elem())
	return nil
}

func (t text) get() scalar {
	if m, ok := t.load().Interface().(encoding.TextMarshaler); ok {
		if b, err := m.MarshalText(); err == nil {
			return ofString(string(b))
		}
	}
	return ofString(fmt.Sprint(t.load().Interface()))
}

// basic is a slot of one of the language's own types, or a duration.
type basic struct{ slot }

var typeDuration = reflect.TypeFor[time.Duration]()

func (b basic) set(s scalar) error {
	v := reflect.New(b.typ).Elem()
	err := parseBasic(v, s)
	if err == nil {
		b.store(v)
	}
	return err
}

func parseBasic(v reflect.Value, s scalar) error {
	switch t := v.Type(); {
	case t == typeDuration:
		d, err := s.duration()
		v.SetInt(int64(d))
		return err
	case t.Kind() == reflect.String:
		text, err := s.string()
		v.SetString(text)
		return err
	case t.Kind() == reflect.Bool:
		on, err := s.bool()
		v.SetBool(on)
		return err
	}
	return parseNumber(v, s)
}

func parseNumber(v reflect.Value, s scalar) error {
	switch t := v.Type(); {
	case v.CanInt():
		n, err := s.int(t.Bits())
		v.SetInt(n)
		return err
	case v.CanUint():
		n, err := s.uint(t.Bits())
		v.SetUint(n)
		return err
	case v.CanFloat():
		n, err := s.float(t.Bits())
		v.SetFloat(n)
		return err
	default:
		return fmt.Errorf("want no value: a Go %s cannot be configured", t)
	}
}

func (b basic) get() scalar {
	v := b.load()
	switch {
	case b.typ == typeDuration:
		return ofString(time.Duration(v.Int()).String())
	case b.typ.Kind() == reflect.Bool:
		return ofBool(v.Bool())
	case v.CanInt():
		return ofInt(v.Int())
	case v.CanUint():
		return ofUint(v.Uint())
	case v.CanFloat():
		return ofFloat(v.Float(), b.typ.Bits())
	}
	return ofString(v.String())
}
