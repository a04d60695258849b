package config

import (
	"errors"
	"strings"
)

// Origins are the places that values are from, by their keys: "service.items[2].name". The
// highest layer counts. What only the defaults say is from no place.
type Origins map[string]Fault

// keyed is something wrong with the value of a key.
type keyed struct {
	key string
	error
}

func (k keyed) Unwrap() error { return k.error }

// Wrong says that an error is about the value of a key, and with [Origins.Locate] where
// that is from.
func Wrong(key string, err error) error { return keyed{key, err} }

// Locate gives each error of [Wrong] its place, among several that were joined, too: that of
// the value, or of the next mapping around it that has one.
func (o Origins) Locate(err error) error {
	switch e := err.(type) {
	case keyed:
		for key := e.key; key != ""; key = outer(key) {
			if at, ok := o[key]; ok {
				at.Err = e.error
				return &at
			}
		}
		return e.error
	case interface{ Unwrap() []error }:
		all := e.Unwrap()
		located := make([]error, len(all))
		for i, one := range all {
			located[i] = o.Locate(one)
		}
		return errors.Join(located...)
	}
	return err
}

// outer is the key without its last part; "" around the first.
func outer(key string) string { return key[:max(strings.LastIndexAny(key, ".["), 0)] }
