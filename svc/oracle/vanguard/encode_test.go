package vanguard_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/protosvc/protosvc/svc/oracle/dynamic"
)

// call is a request over HTTP, and the message that it stands for.
type call struct {
	rule         *annotations.HttpRule
	method, path string
	query, body  string
	message      *dynamicpb.Message
	marks        map[string]bool // what there is in it that others may not have
}

func (c *call) String() string {
	return fmt.Sprintf("%v\n%s %s?%s\n%s", c.rule, c.method, c.path, c.query, c.body)
}

// generator makes random messages, and requests of them.
type generator struct{ *rand.Rand }

// call makes a request of a random message for a rule.
func (g generator) call(method protoreflect.MethodDescriptor) *call {
	c := g.request(method)
	answer := c.message.Descriptor().Fields().ByName(protoreflect.Name(c.rule.GetResponseBody()))
	if answer != nil && answer.HasPresence() && answer.Message() == nil && !c.message.Has(answer) {
		c.marks["unset answer"] = true
	}
	return c
}

func (g generator) request(method protoreflect.MethodDescriptor) *call {
	c := &call{message: dynamicpb.NewMessage(method.Input()), marks: map[string]bool{}}
	c.rule = proto.GetExtension(method.Options(), annotations.E_Http).(*annotations.HttpRule)
	template := ""
	c.method, template = dynamic.Pattern(c.rule)
	g.fill(c.message, 0)
	c.path = g.expand(c, template)
	for _, twice := range []string{"%2F", "%25", "%3A"} {
		if strings.Contains(c.path, twice) {
			c.marks["decoded first"] = true
		}
	}
	left := dynamicpb.NewMessage(method.Input()) // what the path does not have
	proto.Merge(left, c.message)
	for _, v := range variablesOf(template) {
		m, fd := resolve(left, v)
		m.Clear(fd)
	}
	switch body := protoreflect.Name(c.rule.GetBody()); body {
	case "":
	case "*":
		c.body = toJSON(left)
		return c
	default:
		fd := left.Descriptor().Fields().ByName(body)
		if left.Has(fd) {
			c.body = fieldJSON(left, fd)
			left.Clear(fd)
		} else if fd.Message() != nil {
			c.marks["no body"] = true
		}
	}
	values := url.Values{}
	g.parameters(c, values, "", left, c.message)
	c.query = values.Encode()
	for _, v := range variablesOf(template) {
		resolve(c.message, v) // the messages around it are there, whatever it is
	}
	return c
}

// variablesOf are the fields in a template.
func variablesOf(template string) (out []string) {
	for _, part := range strings.Split(template, "{")[1:] {
		name, _, _ := strings.Cut(part, "}")
		name, _, _ = strings.Cut(name, "=")
		out = append(out, name)
	}
	return out
}

// resolve returns the field of a path, and the message that has it.
func resolve(m protoreflect.Message, path string) (protoreflect.Message, protoreflect.FieldDescriptor) {
	for {
		name, rest, more := strings.Cut(path, ".")
		fd := m.Descriptor().Fields().ByName(protoreflect.Name(name))
		if !more {
			return m, fd
		}
		m, path = m.Mutable(fd).Message(), rest
	}
}

// expand makes the path of a template, and sets its variables anew.
func (g generator) expand(c *call, template string) string {
	verb := strings.HasSuffix(template, ":go")
	template = strings.TrimSuffix(template, ":go")
	out := ""
	for segment := range strings.SplitSeq(g.flatten(c, template), "/") {
		if segment == "*" {
			segment = "any" + strconv.Itoa(g.IntN(9))
		}
		if segment != "" {
			out += "/" + segment
		}
	}
	if verb {
		out += ":go"
	}
	return out
}

// flatten replaces variables with their values.
func (g generator) flatten(c *call, template string) string {
	for {
		before, rest, ok := strings.Cut(template, "{")
		if !ok {
			return template
		}
		variable, after, _ := strings.Cut(rest, "}")
		name, pattern, _ := strings.Cut(variable, "=")
		m, fd := resolve(c.message, name)
		if strings.Contains(pattern, "/") || strings.Contains(pattern, "**") {
			value, wire := g.segments(c, pattern)
			m.Set(fd, protoreflect.ValueOfString(value))
			template = before + wire + after
			continue
		}
		text := ""
		for text == "" || text == "." || text == ".." { // which no segment can be
			g.set(m, fd, 0)
			text = g.text(fd, m.Get(fd))
		}
		c.note(fd, text)
		template = before + escape(text) + after
	}
}

// segments makes a value of several segments, and what stands for it in a path.
func (g generator) segments(c *call, pattern string) (value, wire string) {
	var values, wires []string
	for part := range strings.SplitSeq(pattern, "/") {
		n := 1
		if part == "**" {
			if n = g.IntN(4); n == 0 {
				c.marks["zero segments"] = true
			}
		}
		for range n {
			text, coded := part, part
			if strings.HasPrefix(part, "*") {
				text = "s" + g.word()
				coded = escape(text)
				text = strings.ReplaceAll(text, "/", "%2F")
			}
			values, wires = append(values, text), append(wires, coded)
		}
	}
	return strings.Join(values, "/"), strings.Join(wires, "/")
}

// escape is a text as a segment: everything but unreserved characters is escaped.
func escape(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

// parameters makes a query of the fields of a message. What a query cannot have, it
// removes from the whole.
func (g generator) parameters(c *call, out url.Values, prefix string, m, whole protoreflect.Message) {
	for i := range m.Descriptor().Fields().Len() { // Range would make another request each time
		fd := m.Descriptor().Fields().Get(i)
		if !m.Has(fd) {
			continue
		}
		v, name := m.Get(fd), prefix+string(fd.Name())
		if g.IntN(2) == 0 {
			name = prefix + fd.JSONName()
		}
		switch {
		case fd.IsMap() && isText(fd.MapValue()):
			c.marks["map"] = true
			entries(v.Map(), func(k protoreflect.MapKey, v protoreflect.Value) {
				out.Add(name+"["+k.String()+"]", g.noted(c, fd.MapValue(), v))
			})
		case fd.IsList() && isText(fd):
			for i := range v.List().Len() {
				out.Add(name, g.noted(c, fd, v.List().Get(i)))
			}
			if fd.Message() != nil {
				c.marks[panics] = true
			}
		case isText(fd):
			out.Add(name, g.noted(c, fd, v))
		case fd.IsMap() || fd.IsList() || fd.Message().FullName() == "google.protobuf.Struct":
			whole.Clear(fd)
		default:
			inner := whole.Mutable(fd).Message()
			g.parameters(c, out, name+".", v.Message(), inner)
			if proto.Size(inner.Interface()) == 0 {
				whole.Clear(fd)
			}
		}
	}
}

// entries calls f for the entries of a map, always in the same order.
func entries(m protoreflect.Map, f func(protoreflect.MapKey, protoreflect.Value)) {
	var keys []protoreflect.MapKey
	m.Range(func(k protoreflect.MapKey, _ protoreflect.Value) bool {
		keys = append(keys, k)
		return true
	})
	slices.SortFunc(keys, func(a, b protoreflect.MapKey) int { return strings.Compare(a.String(), b.String()) })
	for _, k := range keys {
		f(k, m.Get(k))
	}
}

// isText reports whether a text can be a value of the field.
func isText(fd protoreflect.FieldDescriptor) bool {
	md := fd.Message()
	return md == nil || md.ParentFile().Package() == "google.protobuf" && md.Name() != "Struct"
}

// noted is a text, with what is unusual about it marked.
func (g generator) noted(c *call, fd protoreflect.FieldDescriptor, v protoreflect.Value) string {
	text := g.text(fd, v)
	c.note(fd, text)
	return text
}

func (c *call) note(fd protoreflect.FieldDescriptor, text string) {
	switch md := fd.Message(); {
	case md == nil:
	case text == "" && strings.HasPrefix(string(md.FullName()), "google.protobuf."):
		c.marks["empty"] = true
	case md.Name() == "StringValue" && strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`):
		c.marks["quoted"] = true
	}
}

// text is a value without the quotes of JSON, in one of its forms.
func (g generator) text(fd protoreflect.FieldDescriptor, v protoreflect.Value) string {
	if md := fd.Message(); md != nil {
		if strings.HasSuffix(string(md.Name()), "Value") {
			inner := md.Fields().ByName("value")
			return g.text(inner, v.Message().Get(inner))
		}
		return strings.Trim(toJSON(v.Message()), `"`)
	}
	switch fd.Kind() {
	case protoreflect.EnumKind:
		if value := fd.Enum().Values().ByNumber(v.Enum()); value != nil && g.IntN(2) == 0 {
			return string(value.Name())
		}
		return strconv.Itoa(int(v.Enum()))
	case protoreflect.BytesKind:
		encodings := []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding}
		return pick(g.Rand, encodings).EncodeToString(v.Bytes())
	case protoreflect.FloatKind:
		return float(v.Float(), 32)
	case protoreflect.DoubleKind:
		return float(v.Float(), 64)
	}
	return v.String()
}

func float(f float64, bits int) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return strconv.FormatFloat(f, 'g', -1, bits)
}

func toJSON(m protoreflect.Message) string {
	data, err := protojson.Marshal(m.Interface())
	if err != nil {
		panic(err) // what the generator makes is valid
	}
	return string(data)
}

func fieldJSON(m protoreflect.Message, fd protoreflect.FieldDescriptor) string {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(toJSON(m)), &fields); err != nil {
		panic(err)
	}
	return string(fields[fd.JSONName()])
}
