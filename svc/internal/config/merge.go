package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/protosvc/protosvc/svc/internal/cut"
)

// yaml merges one document into a place.
func (l *loader) yaml(name string, text []byte, into place) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF): // nothing but comments
		return
	case err != nil:
		l.fault(syntaxError(name, err))
		return
	}
	layer{l, name}.merge(document.Content[0], into, "")
	if err := decoder.Decode(&document); !errors.Is(err, io.EOF) {
		l.fault(&Fault{File: name, Err: errors.New("want a single YAML document")})
	}
}

// syntaxError turns the parser's "yaml: line 3: …" into "config.yaml:3: …". A
// password without quotes that begins with * would be named there, as an anchor.
func syntaxError(name string, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if strings.Contains(text, "anchor '") {
		text = "aliases are not supported (a value that begins with * needs quotes)"
	}
	line := 0
	if number, rest, found := strings.Cut(strings.TrimPrefix(text, "line "), ": "); found && strings.HasPrefix(text, "line ") {
		if n, err := strconv.Atoi(number); err == nil {
			line, text = n, rest
		}
	}
	return &Fault{File: name, Line: line, Err: errors.New(text)}
}

// layer is one document on its way into the configuration.
type layer struct {
	*loader
	name string
}

func (l layer) faultf(n *yaml.Node, format string, args ...any) {
	if l.full() {
		l.more++
		return
	}
	at := l.at(n)
	at.Err = fmt.Errorf(format, args...)
	l.fault(&at)
}

// merge puts a node into a place. Path is the dotted name for messages.
func (l layer) merge(n *yaml.Node, into place, path string) {
	if n.Kind == yaml.AliasNode {
		l.faultf(n, "%saliases are not supported, write the value out", label(path))
		return
	}
	if v, ok := into.(variant); ok {
		into = v.as(n.Kind)
	}
	switch into := into.(type) {
	case value:
		l.scalar(n, into, path)
	case mapping:
		if l.expect(n, yaml.MappingNode, path) {
			l.mapping(n, into, path)
		}
	case list:
		if l.expect(n, yaml.SequenceNode, path) {
			l.sequence(n, into, path)
		}
	}
}

// expect reports whether n is of the kind. A section with nothing but comments
// in it is not, but no fault either.
func (l layer) expect(n *yaml.Node, kind yaml.Kind, path string) bool {
	if n.Kind != kind && n.ShortTag() != tagNull {
		l.faultf(n, "%swant %s, got %s", label(path), kindName[kind], kindName[n.Kind])
	}
	return n.Kind == kind
}

func (l layer) scalar(n *yaml.Node, into value, path string) {
	if n.Kind != yaml.ScalarNode {
		l.faultf(n, "%swant a single value, got %s", label(path), kindName[n.Kind])
		return
	}
	s := scalar{n.Value, n.ShortTag()}
	err := errNothing
	if _, nullable := into.(loose); nullable || s.tag != tagNull {
		err = assign(into, s)
	}
	if err != nil {
		l.faultf(n, "%s%w", label(path), err)
	}
}

// assign sets a scalar and completes the error, unless the value is a secret or
// holds a password.
func assign(into value, s scalar) error {
	err := into.set(s)
	switch {
	case err == nil:
		return nil
	case into.secrecy() != public, redact(s, public) != s:
		return errSecret
	}
	return fmt.Errorf("%w, got %s", err, s)
}

var (
	errNothing = errors.New("want a value, or no key at all to keep the default")
	errSecret  = errors.New("the value has a wrong type or form (not shown, it is a secret)")

	errSecretKey = errors.New("unknown key (not shown, it is a secret)")
)

// shownKey is how errors name a key. Keys of a secret map belong to the secret,
// and so does what stands, by mistake, where keys of a secret message should; the
// names of its fields do not.
func shownKey(m mapping, key string) string {
	switch {
	case redact(ofString(key), public).text != key:
		return hidden
	case m.secrecy() == public, isField(m, key):
		return key
	}
	return hidden
}

// isField reports whether a key is a name of the contract or of the runtime.
func isField(m mapping, key string) bool {
	_, free := m.(table)
	return !free && slices.Contains(m.keys(), key)
}

func (l layer) mapping(n *yaml.Node, into mapping, path string) {
	into.create()
	seen := map[string]*yaml.Node{}
	members := map[string]string{} // oneof → the key that is set
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if first, twice := seen[key.Value]; twice {
			l.faultf(key, "key %q is given twice, first in line %d", cut.Text(shownKey(into, key.Value), maxName), first.Line)
			continue
		}
		seen[key.Value] = key
		l.member(key, value, into, path, members)
	}
}

func (l layer) member(key, value *yaml.Node, into mapping, path string, members map[string]string) {
	if key.Kind != yaml.ScalarNode {
		l.faultf(key, "want a plain key, got %s", kindName[key.Kind])
		return
	}
	child, err := into.child(key.Value)
	if err != nil && l.full() {
		l.more++
		return
	}
	if err != nil && shownKey(into, key.Value) != key.Value {
		err = errSecretKey
	}
	if err != nil {
		l.faultf(key, "%w", err)
		return
	}
	if group := into.group(key.Value); group != "" {
		if other, taken := members[group]; taken {
			l.faultf(key, "keys %q and %q exclude each other", other, key.Value)
			return
		}
		members[group] = key.Value
	}
	path = join(path, shownKey(into, key.Value))
	at := value
	if value.Kind == yaml.MappingNode { // begins with its first key
		at = key
	}
	l.from(path, l.at(at))
	l.merge(value, child, path)
}

func (l layer) at(n *yaml.Node) Fault { return Fault{File: l.name, Line: n.Line, Column: n.Column} }

// sequence replaces a list; lists of two layers are never mixed.
func (l layer) sequence(n *yaml.Node, into list, path string) {
	into.clear()
	for i, item := range n.Content {
		element := fmt.Sprintf("%s[%d]", path, i)
		l.from(element, l.at(item))
		l.merge(item, into.add(), element)
	}
}

// kindName is how errors show what has the wrong shape. They say nothing of its
// content: a mapping that was given as one text may hold secrets.
var kindName = map[yaml.Kind]string{
	yaml.ScalarNode:   "a single value",
	yaml.MappingNode:  "a mapping",
	yaml.SequenceNode: "a list",
	yaml.AliasNode:    "an alias",
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func label(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}
