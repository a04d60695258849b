// Package settings lists what is in force for a service: every annotation that
// there is, with its effective value, where the value comes from, and which files
// it reaches.
//
// The names and their order are those of svc.proto, read from its descriptors; the
// values are those of the model, so that a default is decided there alone. The
// table in table.go joins the two.
package settings

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/emit"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
)

// Setting is one effective setting.
type Setting struct {
	// Option is the annotation, "(svc.v1.service).scale.min". Elements of a list
	// have a name: "(svc.v1.service).callees[user.v1.UserService].balance".
	Option string `json:"option"`

	// Value is the effective value, empty for none.
	Value string `json:"value"`

	// From is the place of the annotation, "proto/order/v1/order.proto:18:5", and
	// empty where it is not set.
	From string `json:"from,omitempty"`

	// Derived is the setting that the value follows while its own is not set:
	// "(svc.v1.service).name" of the database's secret. Empty with From, and for a
	// plain default.
	Derived string `json:"derived,omitempty"`

	// Outputs are the files that the value reaches, below the output folder.
	Outputs []string `json:"outputs"`
}

// Rule is the option without the names of elements.
func (s Setting) Rule() string { return elements.ReplaceAllString(s.Option, "") }

var elements = regexp.MustCompile(`\[[^\]]*\]`)

// Group is what has settings.
type Group struct {
	// Kind is "service", "method", "error" or "config", Name the full name:
	// "order.v1.OrderService", "order.v1.OrderService/CreateOrder",
	// "order.v1.OrderError.ORDER_ERROR_NOT_FOUND", "order.v1.Config.page_size".
	Kind string `json:"kind"`
	Name string `json:"name"`

	// Deployable is the name of the deployable unit; of services only.
	Deployable string `json:"deployable,omitempty"`

	Settings []Setting `json:"settings"`
}

// Of returns the settings of a service, of its methods, of the errors that it
// returns and of its own configuration. Places begin with the folder protoRoot.
func Of(system *model.System, s *model.Service, protoRoot string) []Group {
	w := walker{protoRoot, emit.Outputs(system, s)}
	groups := []Group{{Kind: "service", Name: s.FullName, Deployable: s.Name, Settings: w.walk(s, model.ServiceDescriptor(s), svcv1.E_Service)}}
	for _, m := range s.Methods {
		settings := append(w.walk(m, model.MethodDescriptor(m), svcv1.E_Method), w.standards(m)...)
		groups = append(groups, Group{Kind: "method", Name: s.FullName + "/" + m.Name, Settings: settings})
	}
	for _, enum := range s.ErrorEnums {
		groups = append(groups, w.enum(enum)...)
	}
	if s.Config != nil {
		groups = append(groups, w.config(s.Config.Fields)...)
	}
	return groups
}

// Unreturned returns the settings of the errors that no service returns.
func Unreturned(system *model.System, protoRoot string) []Group {
	var groups []Group
	for _, enum := range system.Errors {
		if !slices.ContainsFunc(system.Services, func(s *model.Service) bool { return slices.Contains(s.ErrorEnums, enum) }) {
			groups = append(groups, walker{protoRoot, emit.ErrorOutputs(enum)}.enum(enum)...)
		}
	}
	return groups
}

func (w walker) enum(enum *model.ErrorEnum) []Group {
	var groups []Group
	for _, e := range enum.Errors {
		groups = append(groups, Group{Kind: "error", Name: enum.FullName + "." + e.Reason, Settings: w.error(e)})
	}
	return groups
}

// config lists the settings of the service's own configuration, by full name of
// the field.
func (w walker) config(fields []*model.ConfigField) []Group {
	var out []Group
	for _, f := range fields {
		out = append(out, Group{Kind: "config", Name: string(model.ConfigDescriptor(f).FullName()), Settings: w.walk(f, model.ConfigDescriptor(f), svcv1.E_Field)})
		out = append(out, w.config(f.Fields)...)
	}
	return out
}

// Templates are those that an annotation reaches, "(svc.v1.service).scale.min";
// known is false where there is no such annotation, or it only groups others.
func Templates(option string) (templates []string, known bool) {
	for _, s := range methodStandards {
		if s.option == option {
			return s.outputs, true
		}
	}
	row, known := table[option]
	templates = slices.DeleteFunc(slices.Clone(row.outputs), func(name string) bool { return name == emit.Neighbors })
	return templates, known && row.value != nil
}

// walker goes through annotations in the order of svc.proto.
type walker struct {
	protoRoot string
	outputs   map[string][]string // by template
}

// error lists the settings of an error, which begin with those of its enum.
func (w walker) error(e *model.Error) []Setting {
	return append(w.walk(e, model.ErrorDescriptor(e).Parent(), svcv1.E_Errors), w.walk(e, model.ErrorDescriptor(e), svcv1.E_Error)...)
}

// walk lists the settings of one annotation of a descriptor, whose effect on the
// service is a part of the model.
func (w walker) walk(part any, desc protoreflect.Descriptor, x protoreflect.ExtensionType) []Setting {
	name := "(" + string(x.TypeDescriptor().FullName()) + ")"
	at := place{desc: desc, numbers: []int32{int32(x.TypeDescriptor().Number())}, rule: name, shown: name}
	annotation := proto.GetExtension(desc.Options(), x).(proto.Message).ProtoReflect()
	return w.message(part, annotation, at)
}

// place is where an annotation stands, or would.
type place struct {
	desc        protoreflect.Descriptor
	numbers     []int32
	rule, shown string
	derived     string // the setting that those here follow
}

func (p place) in(fd protoreflect.FieldDescriptor) place {
	p.numbers = append(slices.Clip(p.numbers), int32(fd.Number()))
	p.rule += "." + string(fd.Name())
	p.shown += "." + string(fd.Name())
	return p
}

func (p place) at(index int, name string) place {
	if index >= 0 {
		p.numbers = append(slices.Clip(p.numbers), int32(index))
	}
	p.shown += "[" + name + "]"
	return p
}

func (w walker) message(part any, m protoreflect.Message, at place) []Setting {
	var out []Setting
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		out = append(out, w.field(part, m, fd, at.in(fd))...)
	}
	return out
}

func (w walker) field(part any, m protoreflect.Message, fd protoreflect.FieldDescriptor, at place) []Setting {
	row, known := table[at.rule]
	switch {
	case !known:
		return nil // TestEveryAnnotation does not let it come to that
	case row.derived != nil && !m.Has(fd):
		at.derived = row.derived(part)
	case m.Has(fd):
		at.derived = ""
	}
	if row.value != nil {
		return []Setting{w.setting(row, row.value(part), m.Has(fd), at)}
	}
	elements := row.elements(part, m.Get(fd))
	if len(elements) == 0 {
		return []Setting{w.setting(row, "", m.Has(fd), at)}
	}
	var out []Setting
	for _, e := range elements {
		inner := at
		if fd.IsList() {
			inner = at.at(e.index, e.name)
		}
		out = append(out, w.message(e.part, e.annotation, inner)...)
	}
	return out
}

func (w walker) setting(row row, value string, set bool, at place) Setting {
	s := Setting{Option: at.shown, Value: value, Derived: at.derived}
	if set {
		s.From = w.from(at.desc, at.numbers...)
	}
	s.Outputs = w.files(row.outputs)
	return s
}

func (w walker) from(desc protoreflect.Descriptor, numbers ...int32) string {
	p := fault.At(desc, numbers...)
	return fault.Fault{Path: path.Join(w.protoRoot, p.Path), Line: p.Line, Column: p.Column}.String()
}

// files are what some templates write, sorted; never nil.
func (w walker) files(templates []string) []string {
	files := []string{}
	for _, template := range templates {
		files = append(files, w.outputs[template]...)
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// Find returns the groups that a name stands for: a service with its methods, by
// its full name or that of its deployable unit; or one method, error or field of the
// configuration, by the names that contracts, logs and metrics have for it.
func Find(all []Group, name string) ([]Group, error) {
	wanted := dotted(strings.TrimPrefix(name, "/"))
	var names []string
	var found []Group
	service, in := Group{}, false
	for _, g := range all {
		if g.Kind == "service" {
			service, in = g, wanted == g.Name || wanted == g.Deployable
		}
		names = append(names, g.names(service)...)
		if in || slices.ContainsFunc(g.names(service), func(n string) bool { return dotted(n) == wanted }) {
			found = append(found, g)
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	if hint := fault.DidYouMean(name, names); hint != "" {
		return nil, fmt.Errorf("%q is not in the contract%s", name, hint)
	}
	return nil, fmt.Errorf("%q is not in the contract (want a service, a method as in %q, or an error)", name, "order.v1.OrderService/CreateOrder")
}

// Names are what Find takes for services and methods.
func Names(all []Group) []string {
	var names []string
	service := Group{}
	for _, g := range all {
		if g.Kind == "service" {
			service = g
		}
		if g.Kind == "service" || g.Kind == "method" {
			names = append(names, g.names(service)...)
		}
	}
	return names
}

// dotted is a name as proto has it. A method of gRPC has a slash before its own.
func dotted(name string) string { return strings.ReplaceAll(name, "/", ".") }

// names are what a group may be called, behind the service that it follows.
func (g Group) names(service Group) []string {
	switch _, method, _ := strings.Cut(g.Name, "/"); g.Kind {
	case "service":
		return []string{g.Name, g.Deployable}
	case "method":
		return []string{g.Name, service.Deployable + "/" + method}
	case "error":
		_, reason := g.split()
		return []string{g.Name, reason}
	}
	return []string{g.Name}
}
