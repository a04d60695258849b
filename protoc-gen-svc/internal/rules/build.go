package rules

import (
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/imports"
)

// message is what will be generated for one message.
type message struct {
	*protogen.Message
	name   string // in the names of its functions, with the prefix of the set
	body   []node
	root   bool // a service receives it
	needed bool // there is something to check
	called bool // a needed message has it inside
}

func (m *message) validator() string { return "validate" + m.name }
func (m *message) checker() string   { return "check" + m.name }

// pattern is a regular expression of the rules. Equal ones are one variable.
type pattern struct {
	name, text string
	owner      *protogen.Field // the first field that uses it
}

// builder walks the messages. Maps are for look-up only: what is generated
// follows the slices, so that it is the same in each run.
type builder struct {
	faults   fault.List
	byName   map[protoreflect.FullName]*message
	messages []*message
	patterns []*pattern
	fields   map[protoreflect.FullName][]node

	ofOthers  func(protoreflect.FileDescriptor) bool
	unchecked []string
}

func newBuilder() *builder {
	return &builder{
		byName: map[protoreflect.FullName]*message{},
		fields: map[protoreflect.FullName][]node{},
	}
}

// message returns what is known of a message, and builds it on first sight. A
// message that is being built, because it contains itself, is returned as it
// is: its calls are made by name.
func (b *builder) message(pb *protogen.Message) *message {
	name := pb.Desc.FullName()
	if m, ok := b.byName[name]; ok {
		return m
	}
	m := &message{Message: pb}
	b.byName[name] = m
	b.messages = append(b.messages, m)
	m.body = b.body(pb)
	return m
}

// prune drops messages without checks. A message is needed if it checks
// something itself or has a needed message inside; since messages may contain
// each other, that is found by repetition.
func (b *builder) prune() {
	for changed := true; changed; {
		changed = false
		for _, m := range b.messages {
			if !m.needed && len(pruneAll(m.body)) > 0 {
				m.needed, changed = true, true
			}
		}
	}
	for _, m := range b.messages {
		m.called = false // the rounds above marked too much or too little
	}
	for _, m := range b.messages {
		m.body = pruneAll(m.body)
	}
	b.messages = slices.DeleteFunc(b.messages, func(m *message) bool { return !m.needed })
}

// finish decides all names. The last underscore of each stands between the prefix
// and what has none, so that of two services, Order and OrderItem, none makes a
// name of the other's: Order_ItemRequest and OrderItem_Request.
func (b *builder) finish(prefix string) *Set {
	prefix += "_"
	s := &Set{
		messages: b.messages,
		patterns: b.patterns,
		fields:   b.fields,
		roots:    map[protoreflect.FullName]*message{},
		locals:   newLocals(imported(b.messages)),

		Unchecked: b.unchecked,
	}
	taken := map[string]bool{}
	for _, m := range b.messages {
		m.name = free(taken, prefix+upper(m.GoIdent.GoName), prefix+upper(camel(m.Desc.FullName())))
		if m.root {
			s.roots[m.Desc.FullName()] = m
		}
	}
	for _, each := range b.patterns {
		each.name = free(taken, "pattern"+b.owner(each.owner.Parent, prefix)+upper(each.owner.GoName), "")
	}
	return s
}

// owner returns the name of a message. The entry of a map has none yet.
func (b *builder) owner(m *protogen.Message, prefix string) string {
	if known, ok := b.byName[m.Desc.FullName()]; ok {
		return known.name
	}
	return prefix + upper(m.GoIdent.GoName)
}

// free returns the first name that is not taken, and takes it: the name, the
// second choice if there is one, or that with a number.
func free(taken map[string]bool, name, second string) string {
	if taken[name] && second != "" {
		name = second
	}
	out := name
	for n := 2; taken[out]; n++ {
		out = name + strconv.Itoa(n)
	}
	taken[out] = true
	return out
}

// upper removes the underscores of nested Go names: "Order_Item".
func upper(name string) string {
	parts := strings.Split(name, "_")
	for i, part := range parts {
		if part != "" {
			parts[i] = strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return strings.Join(parts, "")
}

// camel makes one word of a full name: "order.v1.Item".
func camel(name protoreflect.FullName) string {
	return strings.ReplaceAll(string(name), ".", "_")
}

// imported returns what the packages of the messages and of their enums may be
// called in the generated file.
func imported(messages []*message) map[string]bool {
	out := map[string]bool{}
	add := func(ident protogen.GoIdent) { out[imports.Name(ident.GoImportPath)] = true }
	for _, m := range messages {
		add(m.GoIdent)
		for _, f := range m.Fields {
			if f.Enum != nil {
				add(f.Enum.GoIdent)
			}
		}
	}
	return out
}
