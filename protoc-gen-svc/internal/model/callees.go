package model

import (
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// balance is what grpc-go calls the policies.
var balance = map[svcv1.Balance]string{
	svcv1.Balance_BALANCE_UNSPECIFIED:   "RoundRobin",
	svcv1.Balance_BALANCE_ROUND_ROBIN:   "RoundRobin",
	svcv1.Balance_BALANCE_LEAST_REQUEST: "LeastRequest",
	svcv1.Balance_BALANCE_PICK_FIRST:    "PickFirst",
	svcv1.Balance_BALANCE_WEIGHTED:      "Weighted",
}

// maxConnections is how many connections there may be to each replica.
const maxConnections = 16

// callees follow from the calls of the methods, at once or deferred; the annotation only adds
// settings.
func (b *builder) callees(s *Service, o *svcv1.Service) []*Callee {
	known, called := map[string]*Callee{}, map[Call]*Called{}
	add := func(call Call, at Origin) *Called {
		c := known[call.Service]
		if c == nil {
			c = b.callee(call.Service, at)
			known[call.Service] = c
		}
		if called[call] == nil {
			called[call] = b.called(c.proto, call.Method)
			c.Methods = append(c.Methods, called[call])
		}
		return called[call]
	}
	for _, m := range s.Methods {
		for i, call := range m.Calls {
			add(call, m.place("calls", i))
		}
		for i, call := range m.Defers {
			add(call, m.place("defers", i)).Deferred = true
		}
	}
	out := slices.SortedFunc(maps.Values(known), func(a, b *Callee) int { return strings.Compare(a.FullName, b.FullName) })
	b.calleeSettings(s, o, known)
	b.nameCallees(out)
	for _, c := range out {
		c.Client = s.GoName + c.Field + "Client"
	}
	return out
}

func (b *builder) callee(full string, first Origin) *Callee {
	name := protoreflect.FullName(full)
	c := &Callee{
		FullName:    full,
		Field:       goCamelCase(string(name.Name())),
		Balance:     balance[svcv1.Balance_BALANCE_UNSPECIFIED],
		Breaker:     b.breaker(first, nil),
		Connections: 1,
		first:       first,
		proto:       b.services[name],
	}
	if p := c.proto; p != nil {
		c.NewClient = b.importPath(p.Desc).Ident("New" + p.GoName + "Client")
		c.Spec = packageOf(b.options.Root, name.Parent()).Ident(identifier(p.GoName) + "Spec")
		c.Policies = packageOf(b.options.Root, name.Parent()).Ident(identifier(p.GoName) + "Policies")
	}
	return c
}

// called finds a method of a service. Where the run does not see it, which is a fault, it
// has no more than its name.
func (b *builder) called(s *protogen.Service, name string) *Called {
	m := methodOf(s, name)
	if m == nil {
		return &Called{Name: name}
	}
	return &Called{
		Name:       name,
		GoName:     m.GoName,
		Kind:       kindOf(m.Desc),
		Input:      m.Input.GoIdent,
		Output:     m.Output.GoIdent,
		FullMethod: fullMethod(b.importPath(s.Desc), s.GoName, m.GoName),
	}
}

// methodOf finds a method of a service by its name; nil where there is none, or no service.
func methodOf(s *protogen.Service, name string) *protogen.Method {
	if s == nil {
		return nil
	}
	m := s.Desc.Methods().ByName(protoreflect.Name(name))
	if m == nil {
		return nil
	}
	return s.Methods[m.Index()]
}

// importPath is that of the Go package in which a declaration is.
func (b *builder) importPath(d protoreflect.Descriptor) protogen.GoImportPath {
	return b.plugin.FilesByPath[d.ParentFile().Path()].GoImportPath
}

func (b *builder) calleeSettings(s *Service, o *svcv1.Service, known map[string]*Callee) {
	seen := map[*Callee]bool{}
	for i, settings := range o.GetCallees() {
		at := s.origin().at("callees", i)
		full, ok := b.serviceName(settings.GetService())
		c := known[full]
		switch {
		case !ok:
			b.fault(at.in("service"), calleeForm, settings.GetService())
		case c == nil:
			b.fault(at.in("service"), calleeUncalled, settings.GetService(), suggestion(calleeNames(known), b.file.pkg, settings.GetService()))
		case seen[c]:
			b.fault(at.in("service"), calleeTwice, settings.GetService())
		}
		if c == nil {
			c = &Callee{} // its settings are checked all the same
		}
		seen[c] = true
		b.setCallee(c, settings, at)
	}
}

func (b *builder) setCallee(c *Callee, o *svcv1.Callee, at Origin) {
	if balance[o.GetBalance()] == "" {
		b.fault(at.in("balance"), calleeBalance, o.GetBalance())
	}
	if o.GetConnections() > maxConnections {
		b.fault(at.in("connections"), calleeConnections, o.GetConnections(), maxConnections)
	}
	c.Balance = balance[o.GetBalance()]
	c.Connections = orDefault(o.GetConnections(), 1)
	c.GatesReadiness = o.GetGatesReadiness()
	c.Breaker = b.breaker(at.in("breaker"), o.GetBreaker())
}

func calleeNames(callees map[string]*Callee) map[protoreflect.FullName]bool {
	names := map[protoreflect.FullName]bool{}
	for full := range callees {
		names[protoreflect.FullName(full)] = true
	}
	return names
}

// depsFields are the names in Deps that are never a client's.
var depsFields = []string{"Deps", "Config", "DB", "Metrics", "Log", "Outbox", "Idempotency", "Go", "AddReadinessCheck", "Stopping"}

// nameCallees gives each callee a field of Deps: its Go name, with as much of
// its package as it takes to be alone.
func (b *builder) nameCallees(callees []*Callee) {
	taken := map[string]bool{}
	for _, name := range depsFields {
		taken[name] = true
	}
	count := map[string]int{}
	for _, c := range callees {
		count[c.Field]++
	}
	for _, c := range callees {
		if count[c.Field] > 1 || taken[c.Field] {
			c.Field = camel(strings.ReplaceAll(c.FullName, ".", "_"))
			if !token.IsExported(c.Field) { // it begins with a digit, or is empty
				c.Field = "X" + c.Field
			}
		}
		for taken[c.Field] || taken[snake(c.Field)] {
			c.Field += "Client"
		}
		c.Key = snake(c.Field)
		taken[c.Field], taken[c.Key] = true, true
	}
}

// checkCalls checks that what is called exists and can be called so.
func (b *builder) checkCalls(system *System, g *graph) {
	for _, s := range system.Services {
		for _, m := range s.Methods {
			b.checkCallees(m, "calls", m.Calls, g)
			b.checkCallees(m, "defers", m.Defers, g)
			b.checkDeferrable(m, g)
		}
	}
}

// checkSystem checks what only a run that sees every service can know.
func (b *builder) checkSystem(system *System, g *graph) {
	worst := worstPaths{g, map[*Method]*worstPath{}}
	for _, s := range system.Services {
		for _, c := range s.Callees {
			c.Service = g.services[c.FullName]
		}
		for _, m := range s.Methods {
			b.checkBudget(m, g)
			b.checkAmplification(m, worst)
			b.checkForeignErrors(m, g)
			b.checkMappings(m, g)
			b.checkUndeclared(m, g)
		}
	}
	system.connect()
	b.checkRecursion(system, g)
	b.checkServiceCycles(system)
	b.checkReasons(system)
}

// checkCallees checks that the methods of one of the lists exist.
func (b *builder) checkCallees(m *Method, field string, calls []Call, g *graph) {
	for i, call := range calls {
		at, name := m.place(field, i), call.Service+"/"+call.Method
		callee := b.services[protoreflect.FullName(call.Service)]
		switch {
		case callee == nil, b.options.System && g.services[call.Service] == nil:
			b.fault(at, serviceNotInRun, name, call.Service, b.notInRun(m, call.Service))
		case methodOf(callee, call.Method) == nil:
			b.fault(at, calleeMethod, name, call.Service, call.Method, didYouMean(call.Method, methodNames(callee)))
		}
	}
}

// notInRun is what may help to have a service in the run.
func (b *builder) notInRun(m *Method, service string) string {
	hint := suggestion(b.services, m.proto.Desc.ParentFile().Package(), service)
	switch {
	case !b.options.System:
		return hint + " (import its file, or generate for it too)"
	case hint != "" && b.services[protoreflect.FullName(service)] == nil:
		return hint
	case b.seesFolders():
		return " (name a service of this system, or generate for its file too)"
	default:
		return ` (set "strategy: all" for the plugin in buf.gen.yaml, or name a service of this system)`
	}
}

// seesFolders reports whether the run has files of several folders, which buf does
// not make by its default strategy.
func (b *builder) seesFolders() bool {
	folders := map[string]bool{}
	for _, f := range b.plugin.Files {
		if f.Generate {
			folders[path.Dir(f.Desc.Path())] = true
		}
	}
	return len(folders) > 1
}

func methodNames(s *protogen.Service) []string {
	var names []string
	for _, m := range s.Methods {
		names = append(names, string(m.Desc.Name()))
	}
	return names
}

func sorted(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}
