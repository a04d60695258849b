package transcode

import (
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// query sets the fields of a message from the query of a URL.
type query struct {
	violations
	plan *Plan
	m    protoreflect.Message
	seen map[string]bool // paths of fields that take one value
}

// read takes the pairs one by one. A semicolon is a character like another.
func (q *query) read(raw string) {
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		rawName, rawText, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil {
			q.add(shown(rawName), "query parameter's name has a % without two hexadecimal digits")
			continue
		}
		text, err := url.QueryUnescape(rawText)
		if err != nil {
			q.add(shown(name), "query parameter's value has a % without two hexadecimal digits")
			continue
		}
		q.take(name, text)
	}
}

func (q *query) take(name, text string) {
	base, key, isEntry := cutKey(name)
	p, fault := q.find(base)
	if p == nil {
		if !q.plan.lenient {
			q.add(shown(name), fault)
		}
		return
	}
	if fault := q.misfit(p, isEntry); fault != "" {
		q.add(shown(name), fault)
		return
	}
	field := p.String()
	if isEntry {
		if fault := q.put(p, key, text); fault != "" {
			q.add(field+"["+strconv.Quote(shown(key))+"]", fault)
		}
		return
	}
	if fault := q.set(p, field, text); fault != "" {
		q.add(field, fault)
	}
}

// cutKey splits "labels[team]". The key may have dots and brackets.
func cutKey(name string) (base, key string, ok bool) {
	base, rest, ok := strings.Cut(name, "[")
	key, closed := strings.CutSuffix(rest, "]")
	if !ok || !closed {
		return name, "", false
	}
	return base, key, true
}

// find returns the path that a parameter names; nil and a fault where no field is.
func (q *query) find(name string) (path, string) {
	const unknown = "query parameter fits no field of the request"
	if q.plan.body.whole {
		return nil, "query parameter is not allowed: the body is the whole request"
	}
	if strings.Count(name, ".") >= maxDepth {
		return nil, "query parameter is nested too deep"
	}
	var p path
	md := q.plan.request
	for rest, more := name, true; more; {
		var fd protoreflect.FieldDescriptor
		if fd, rest, more = firstField(md, rest); fd == nil {
			return nil, unknown
		}
		p = append(p, fd)
		md = nil
		if !isValue(fd) {
			md = singular(fd)
		}
	}
	return p, ""
}

// firstField returns the field that a name begins with, nil if there is none, and what
// is left of the name. The last field's name in JSON may have dots of its own.
func firstField(md protoreflect.MessageDescriptor, name string) (fd protoreflect.FieldDescriptor, rest string, more bool) {
	if md == nil {
		return nil, "", false
	}
	if fd := named(md, name); fd != nil {
		return fd, "", false
	}
	first, rest, more := strings.Cut(name, ".")
	return named(md, first), rest, more
}

// misfit says why a field cannot be set by a query.
func (q *query) misfit(p path, isEntry bool) string {
	fd := p.last()
	if q.plan.body.field != nil && p.overlaps(path{q.plan.body.field}) {
		return "query parameter is not allowed: the body sets the field"
	}
	for _, variable := range q.plan.variables {
		if p.overlaps(variable) {
			return "query parameter is not allowed: the path sets the field"
		}
	}
	switch {
	case isEntry && !fd.IsMap():
		return "query parameter has a key, and the field is not a map"
	case fd.IsMap() && !isEntry:
		return `query parameter of a map has its key in brackets, as "` + fd.JSONName() + `[key]"`
	case fd.IsMap() && !isValue(fd.MapValue()), !fd.IsMap() && !isValue(fd):
		return "query parameter cannot be a message: set the fields of it"
	}
	return ""
}

// set sets a field, or adds an element.
func (q *query) set(p path, field, text string) string {
	fd := p.last()
	if fd.IsList() {
		return q.appendTo(p, text)
	}
	if q.seen[field] {
		return "query parameter is given more than once"
	}
	if q.seen == nil {
		q.seen = map[string]bool{}
	}
	q.seen[field] = true
	return p.assign(q.m, text)
}

func (q *query) appendTo(p path, text string) string {
	m, fault := p.holder(q.m)
	if fault != "" {
		return fault
	}
	fd := p.last()
	list := m.Mutable(fd).List()
	var empty protoreflect.Value
	if fd.Message() != nil {
		empty = list.NewElement()
	}
	value, fault := parse(fd, empty, text)
	if fault == "" {
		list.Append(value)
	}
	return fault
}

func (q *query) put(p path, key, text string) string {
	m, fault := p.holder(q.m)
	if fault != "" {
		return fault
	}
	fd := p.last()
	entries := m.Mutable(fd).Map()
	keyValue, fault := parseScalar(fd.MapKey(), key)
	if fault != "" {
		return "key " + fault
	}
	var empty protoreflect.Value
	if fd.MapValue().Message() != nil {
		empty = entries.NewValue()
	}
	value, fault := parse(fd.MapValue(), empty, text)
	switch {
	case fault != "":
		return fault
	case entries.Has(keyValue.MapKey()):
		return "query parameter is given more than once"
	}
	entries.Set(keyValue.MapKey(), value)
	return ""
}
