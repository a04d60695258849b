package model

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// checkBudget refuses a deadline that a method's own calls may use up: made one
// after the other, with all their attempts, they would be cut off by it. A
// deadline that the contract leaves to its default is not held against anybody.
func (b *builder) checkBudget(m *Method, g *graph) {
	if m.Timeout == 0 || m.ownTimeout() == "" {
		return
	}
	var sum time.Duration
	for _, callee := range unaryCallees(m, g) {
		sum += callee.Timeout
	}
	if sum > m.Timeout {
		b.fault(m.origin().in("timeout"), deadlineBudget, m.ownTimeout(), sum)
		b.faults.Explain(m.Wire[1:] + " " + m.Timeout.String() + "\n" + budgetTree(m, g, "", budgetDepth))
	}
}

func unaryCallees(m *Method, g *graph) []*Method {
	return slices.DeleteFunc(g.callees(m), func(callee *Method) bool { return callee.Kind != Unary })
}

// budgetDepth is how many levels of calls the tree of a budget shows. Those below
// have their own.
const budgetDepth = 3

// budgetTree draws the deadlines of what a method calls, and of what that calls
// in turn.
func budgetTree(m *Method, g *graph, indent string, depth int) string {
	if depth == 0 {
		return ""
	}
	var tree string
	callees := unaryCallees(m, g)
	for i, callee := range callees {
		branch, below := "├─ ", "│  "
		if i == len(callees)-1 {
			branch, below = "└─ ", "   "
		}
		tree += indent + branch + callee.Wire[1:] + " " + callee.Timeout.String()
		if n := callee.attempts(); n > 1 {
			tree += fmt.Sprintf(", %d attempts within it", n)
		}
		tree += "\n" + budgetTree(callee, g, indent+below, depth-1)
	}
	return tree
}

// attempts is how often a client tries a call of the method in all.
func (m *Method) attempts() int { return int(m.Tries().Attempts) }

// checkRecursion refuses methods that reach themselves by calls that the contract
// declares: every call would make more of them until a deadline ends it. Cycles
// that meet are reported once, at the first call of the first of their methods.
func (b *builder) checkRecursion(system *System, g *graph) {
	type edge struct {
		from, to *Method
		index    int // of the call
	}
	var calls []edge
	for _, s := range system.Services {
		for _, m := range s.Methods {
			for i, c := range m.Calls {
				if callee := g.method(c); callee != nil {
					calls = append(calls, edge{m, callee, i})
				}
			}
		}
	}
	ends := func(e edge) (from, to *Method) { return e.from, e.to }
	eachCycle(calls, ends, func(e edge, way []*Method) {
		var names []string
		for _, m := range way {
			names = append(names, m.Wire[1:])
		}
		c := e.from.Calls[e.index]
		b.fault(e.from.place("calls", e.index), callCycle, c.Service+"/"+c.Method, strings.Join(names, " calls "))
	})
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
