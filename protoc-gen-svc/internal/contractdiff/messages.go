package contractdiff

import (
	"path"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/pluginpb"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/plugin"
)

// sender says who writes a message, as a set: a message may be in requests and in
// responses.
type sender int

const (
	caller   sender = 1 << iota // a request
	callee                      // a response
	operator                    // a config file
)

// messages are those that a contract sends, in the order in which its services lead
// to them. What no call carries, nobody checks.
type messages struct {
	order     []protoreflect.MessageDescriptor
	senders   map[protoreflect.FullName]sender
	protoRoot map[protoreflect.FullName]string // folder before the paths of its file
}

// messagesOf finds the messages in runs of the plugin.
func messagesOf(requests []*pluginpb.CodeGeneratorRequest) (*messages, error) {
	found := &messages{senders: map[protoreflect.FullName]sender{}, protoRoot: map[protoreflect.FullName]string{}}
	for _, r := range requests {
		system, protoRoot, err := plugin.Model(r)
		if err != nil {
			return nil, err
		}
		for _, s := range system.Services {
			methods := model.ServiceDescriptor(s).(protoreflect.ServiceDescriptor).Methods()
			for i := range methods.Len() {
				found.add(methods.Get(i).Input(), caller, protoRoot)
				found.add(methods.Get(i).Output(), callee, protoRoot)
			}
			if s.Config != nil && len(s.Config.Fields) > 0 {
				found.add(model.ConfigDescriptor(s.Config.Fields[0]).(protoreflect.FieldDescriptor).ContainingMessage(), operator, protoRoot)
			}
		}
	}
	return found, nil
}

// add notes a message and those in it, as far as their rules are looked at. Between a
// map and the messages in it is that of its entries, which has no rules.
func (m *messages) add(desc protoreflect.MessageDescriptor, by sender, protoRoot string) {
	had := m.senders[desc.FullName()]
	if had&by != 0 {
		return
	}
	if had == 0 {
		m.order = append(m.order, desc)
		m.protoRoot[desc.FullName()] = protoRoot
	}
	m.senders[desc.FullName()] = had | by
	for i := range desc.Fields().Len() {
		f := desc.Fields().Get(i)
		if inner := f.Message(); inner != nil && fieldRules(f).GetIgnore() != validate.Ignore_IGNORE_ALWAYS {
			m.add(inner, by, protoRoot)
		}
	}
}

func fieldRules(f protoreflect.FieldDescriptor) *validate.FieldRules {
	return proto.GetExtension(f.Options(), validate.E_Field).(*validate.FieldRules)
}

// compareMessages lists what differs in the rules of messages that both contracts
// send. What one of them alone sends is new to its readers anyway, or gone.
func compareMessages(before, after *messages) []Change {
	olds := map[protoreflect.FullName]protoreflect.MessageDescriptor{}
	for _, m := range before.order {
		olds[m.FullName()] = m
	}
	var changes []Change
	for _, now := range after.order {
		name := now.FullName()
		by := before.senders[name] & after.senders[name]
		if by == 0 {
			continue
		}
		c := &ruleComparison{by: by, protoRoot: after.protoRoot[name]}
		c.message(olds[name], now)
		changes = append(changes, c.changes...)
	}
	return changes
}

// ruleComparison collects the changes of one message.
type ruleComparison struct {
	by        sender
	protoRoot string
	changes   []Change
}

// message compares the rules of a message, its oneofs and its fields. Fields are the
// same by number, as on the wire; buf says what else differs in them, and which are gone.
func (c *ruleComparison) message(old, now protoreflect.MessageDescriptor) {
	c.compare("message", now, rulesOf(old, validate.E_Message), rulesOf(now, validate.E_Message), nil)
	for i := range now.Oneofs().Len() {
		o := now.Oneofs().Get(i)
		var olds []unit
		if was := old.Oneofs().ByName(o.Name()); was != nil {
			olds = rulesOf(was, validate.E_Oneof)
		}
		c.compare("oneof", o, olds, rulesOf(o, validate.E_Oneof), nil)
	}
	for i := range now.Fields().Len() {
		f := now.Fields().Get(i)
		if was := old.Fields().ByNumber(f.Number()); was != nil {
			c.compare("field", f, rulesOf(was, validate.E_Field), rulesOf(f, validate.E_Field), nil)
		} else {
			c.compare("field", f, nil, rulesOf(f, validate.E_Field), f)
		}
	}
}

// compare compares the rules of one descriptor. Those of a new field matter as far
// as they refuse the messages of who does not know it.
func (c *ruleComparison) compare(kind string, desc protoreflect.Descriptor, olds, news []unit, added protoreflect.FieldDescriptor) {
	by := c.by
	if added != nil && hasDefault(added) {
		by &^= operator // who does not set the field gets its default
	}
	if by == 0 {
		return
	}
	for _, pair := range paired(olds, news) {
		var e effect
		if added == nil {
			e = pair.effect()
		} else {
			e = pair.now.effectOnAbsent(added)
		}
		if e == same {
			continue
		}
		option, was, is := pair.shown()
		v := verdictOf(e, by)
		c.changes = append(c.changes, Change{
			Kind: kind, Name: string(desc.FullName()), Option: option, Old: was, New: is,
			Level: v.level, Reason: v.reason, At: c.place(fault.At(desc, pair.changed()...)),
		})
	}
}

func hasDefault(f protoreflect.FieldDescriptor) bool {
	return proto.GetExtension(f.Options(), svcv1.E_Field).(*svcv1.Field).GetDefault() != ""
}

func (c *ruleComparison) place(p fault.Position) string {
	return fault.Fault{Path: path.Join(c.protoRoot, p.Path), Line: p.Line, Column: p.Column}.String()
}
