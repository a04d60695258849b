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
	var sum time.Duration
	for _, callee := range unaryCallees(m, services) {
		sum += callee.Timeout
	}
	if sum > m.Timeout {
		b.fault(m.origin().in("timeout"), deadlineBudget, m.ownTimeout(), sum)
		b.faults.Explain(m.Wire[1:] + " " + m.Timeout.String() + "\n" + budgetTree(m, services, "", budgetDepth))
	}
}

func unaryCallees(m *Method, services map[string]*Service) []*Method {
	var callees []*Method
	for _, c := range m.Calls {
		if callee := methodOf(services, c); callee != nil && callee.Kind == Unary {
			callees = append(callees, callee)
		}
	}
	return callees
}

// budgetDepth is how many levels of calls the tree of a budget shows. Those below
// have their own.
const budgetDepth = 3

// budgetTree draws the deadlines of what a method calls, and of what that calls
// in turn.
func budgetTree(m *Method, services map[string]*Service, indent string, depth int) string {
	if depth == 0 {
		return ""
	}
	var tree string
	callees := unaryCallees(m, services)
	for i, callee := range callees {
		branch, below := "├─ ", "│  "
		if i == len(callees)-1 {
			branch, below = "└─ ", "   "
		}
		tree += indent + branch + callee.Wire[1:] + " " + callee.Timeout.String()
		if n := callee.attempts(); n > 1 {
			tree += fmt.Sprintf(", %d attempts within it", n)
		}
		tree += "\n" + budgetTree(callee, services, indent+below, depth-1)
	}
	return tree
}

// attempts is how often a client tries a call of the method in all.
func (m *Method) attempts() int { return int(m.Tries().Attempts) }

// checkRecursion refuses a method that reaches itself by calls that the contract
// declares: every call would make more of them until a deadline ends it.
func (b *builder) checkRecursion(m *Method, services map[string]*Service) {
	for i, c := range m.Calls {
		if way := callsTo(services, c, m, nil); way != nil {
			b.fault(m.origin().at("calls", i), callCycle, c.Service+"/"+c.Method,
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
				b.fault(Origin{desc: e.proto.Desc}, reasonTwice, other.Enum.FullName, enum.Domain)
				continue
			}
			first[key] = e
		}
	}
}
