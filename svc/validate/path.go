package validate

import (
	"strconv"

	"github.com/protosvc/protosvc/svc/internal/cut"
)

// Path is where in a message a value lies. The zero value is the message
// itself.
//
// A Path points at the path of the message around it, on the stack of the
// caller, so that going deeper costs nothing but a copy. It must not outlive
// the call it is passed to.
type Path struct {
	parent    *Path
	field     string
	subscript subscript
	text      string // a string key
	number    uint64 // an index or another key
}

type subscript uint8

const (
	none subscript = iota
	unsigned
	signed
	boolean
	quoted
)

// maxKey is how many bytes of a map's key a path shows. The key is the caller's
// choice, and the path goes into a header.
const maxKey = 64

// Field returns the path of a field of the message at p.
func (p *Path) Field(name string) Path {
	return Path{parent: p, field: name}
}

// Index returns the path of an element of a repeated field: "items[3]".
func (p *Path) Index(name string, i int) Path {
	return Path{parent: p, field: name, subscript: unsigned, number: uint64(i)}
}

// StringKey returns the path of an entry of a map: `labels["team"]`.
func (p *Path) StringKey(name, key string) Path {
	return Path{parent: p, field: name, subscript: quoted, text: key}
}

// IntKey returns the path of an entry of a map: "prices[-1]".
func (p *Path) IntKey(name string, key int64) Path {
	return Path{parent: p, field: name, subscript: signed, number: uint64(key)}
}

// UintKey returns the path of an entry of a map: "prices[7]".
func (p *Path) UintKey(name string, key uint64) Path {
	return Path{parent: p, field: name, subscript: unsigned, number: key}
}

// BoolKey returns the path of an entry of a map: "prices[true]".
func (p *Path) BoolKey(name string, key bool) Path {
	path := Path{parent: p, field: name, subscript: boolean}
	if key {
		path.number = 1
	}
	return path
}

// String returns the path as buf.validate writes it: `items[0].labels["k"]`.
// Long keys are cut.
func (p *Path) String() string { return string(p.appendTo(nil)) }

func (p *Path) appendTo(out []byte) []byte {
	if p.parent != nil {
		out = p.parent.appendTo(out)
	}
	if p.field == "" {
		return out
	}
	if len(out) > 0 {
		out = append(out, '.')
	}
	out = append(out, p.field...)
	if p.subscript == none {
		return out
	}
	return append(p.appendKey(append(out, '[')), ']')
}

func (p *Path) appendKey(out []byte) []byte {
	switch p.subscript {
	case signed:
		return strconv.AppendInt(out, int64(p.number), 10)
	case boolean:
		return strconv.AppendBool(out, p.number == 1)
	case quoted:
		return strconv.AppendQuote(out, cut.Text(p.text, maxKey))
	default:
		return strconv.AppendUint(out, p.number, 10)
	}
}
