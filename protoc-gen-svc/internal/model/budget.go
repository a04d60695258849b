package model

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// methodOf finds what a call calls; nil if the run has no such method, which
// checkCalls has said.
func methodOf(services map[string]*Service, c Call) *Method {
	if s := services[c.Service]; s != nil {
		if i := slices.IndexFunc(s.Methods, func(m *Method) bool { return m.Name == c.Method }); i >= 0 {
			return s.Methods[i]
		}
	}
	return nil
}

// checkBudget refuses a deadline that a method's own calls may use up: made one
// after the other, with all their attempts, they would be cut off by it. A
// deadline that the contract leaves to its default is not held against anybody.
func (b *builder) checkBudget(m *Method, services map[string]*Service) {
	if m.Timeout == 0 || m.ownTimeout() == "" {
		return
	}
	var parts []string
	var sum time.Duration
	for _, c := range m.Calls {
		if callee := methodOf(services, c); callee != nil && callee.Kind == Unary {
			parts = append(parts, fmt.Sprintf("%s/%s %v", c.Service, c.Method, callee.Timeout))
			sum += callee.Timeout
		}
	}
	if sum > m.Timeout {
		b.faultf(m.origin().in("timeout"), "%q is less than its calls may take one after the other: %s = %v (raise it, or lower theirs)",
			m.ownTimeout(), strings.Join(parts, " + "), sum)
	}
}

// checkRecursion refuses a method that reaches itself by calls that the contract
// declares: every call would make more of them until a deadline ends it.
func (b *builder) checkRecursion(m *Method, services map[string]*Service) {
	for i, c := range m.Calls {
		if way := callsTo(services, c, m, nil); way != nil {
			b.faultf(m.origin().at("calls", i), "%q closes a circle of calls: %s", c.Service+"/"+c.Method,
				strings.Join(append([]string{m.Wire[1:]}, way...), " calls "))
		}
	}
}

// callsTo returns the methods on the way from a call to a method, both included;
// nil without a way.
func callsTo(services map[string]*Service, from Call, to *Method, visited []*Method) []string {
	m := methodOf(services, from)
	if m == nil || slices.Contains(visited, m) {
		return nil
	}
	name := m.Wire[1:]
	if m == to {
		return []string{name}
	}
	for _, c := range m.Calls {
		if way := callsTo(services, c, to, append(slices.Clip(visited), m)); way != nil {
			return append([]string{name}, way...)
		}
	}
	return nil
}

// checkReasons refuses one reason twice in a domain: together they identify an
// error, and a caller could not tell the two apart.
func (b *builder) checkReasons(system *System) {
	first := map[[2]string]*Error{}
	for _, enum := range system.Errors {
		for _, e := range enum.Errors {
			key := [2]string{enum.Domain, e.Reason}
			if other := first[key]; other != nil {
				b.faultf(Origin{desc: e.proto.Desc}, "is also a reason of %s, in the same domain %q (give one of the enums another domain)", other.Enum.FullName, enum.Domain)
				continue
			}
			first[key] = e
		}
	}
}
