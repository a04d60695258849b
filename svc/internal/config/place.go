package config

import (
	"slices"

	"google.golang.org/protobuf/proto"
)

// place is a spot of the configuration: a value, a mapping or a list, or what is
// one of them only when it is read (variant). Structs and messages implement these,
// and everything else in this package knows nothing of either. A place has its type even where nothing is set yet, and
// comes into being when something is put into it.
type place interface {
	// present reports whether there is anything to dump.
	present() bool
	secrecy() secrecy
}

// value is a place for a scalar.
type value interface {
	place
	get() scalar
	// set fails with what is wanted: "want a duration …".
	set(scalar) error
}

// mapping is a place for values by key.
type mapping interface {
	place
	// create makes an absent mapping an empty one.
	create()
	// keys are all known ones in the order of their declaration; where keys are
	// free, those that exist.
	keys() []string
	// child is the place of a key. An error says that there is no such key.
	child(key string) (place, error)
	// group names the oneof that the key belongs to; "" is none.
	group(key string) string
}

// list is a place for any number of values.
type list interface {
	place
	// flat reports whether the elements are scalars.
	flat() bool
	// clear leaves the list empty.
	clear()
	add() place
	items() []place
}

// secrecy is how much of a value may be shown, in a dump and in errors.
type secrecy int

const (
	public  secrecy = iota
	masked          // of a URL all but its password, of anything else nothing
	private         // nothing
)

// root joins settings and message to one mapping: the file.
type root struct {
	mapping         // the settings
	message mapping // nil: none
}

func newRoot(settings any, message proto.Message) mapping {
	r := root{mapping: newSettings(settings)}
	if message != nil {
		r.message = newMessage(message)
	}
	return r
}

func (r root) keys() []string {
	keys := r.mapping.keys()
	if r.message != nil {
		keys = append(slices.Clip(keys), ServiceKey)
	}
	return keys
}

func (r root) child(key string) (place, error) {
	switch {
	case key == ServiceKey && r.message != nil:
		return r.message, nil
	case !slices.Contains(r.keys(), key):
		return nil, unknown("key", key, r.keys())
	}
	return r.mapping.child(key)
}
