package model

import (
	"fmt"
	"strings"
)

// maxAmplification is how many calls one call may become along a path: those of
// two levels that retry as they do by default, three attempts each.
const maxAmplification = 9

// checkAmplification refuses retries that multiply along a path of calls. It
// speaks up at the call that takes the product above the limit, and not again
// at the calls that lead there.
func (b *builder) checkAmplification(m *Method, worst worstPaths) {
	b.checkPaths(m, "calls", m.Calls, worst)
	// A deferred call begins a path: retries of the method that defers it do not
	// multiply it, since the message is written once.
	b.checkPaths(m, "defers", m.Defers, worst)
}

func (b *builder) checkPaths(m *Method, field string, calls []Call, worst worstPaths) {
	for i, c := range calls {
		callee := worst.graph.method(c)
		if callee == nil {
			continue
		}
		path := worst.from(callee)
		if path.product > maxAmplification && path.rest.tries() <= maxAmplification {
			b.fault(m.place(field, i), retryAmplification, c.Service+"/"+c.Method,
				path.product, maxAmplification, strings.Join(path.attempts(), ", "))
		}
	}
}

// worstPaths finds, for each method once, the path down that multiplies most.
type worstPaths struct {
	graph *graph
	known map[*Method]*worstPath
}

// worstPath is a method and the worst that follows.
type worstPath struct {
	method  *Method
	rest    *worstPath // nil: it ends here
	product int        // of the attempts; what is above the limit by far is not counted on
}

// from does not enter a cycle of calls, which is refused elsewhere.
func (w worstPaths) from(m *Method) *worstPath {
	if path, known := w.known[m]; known {
		return path
	}
	w.known[m] = nil // under way
	path := &worstPath{method: m}
	for _, callee := range w.graph.callees(m) {
		if below := w.from(callee); below.tries() > path.rest.tries() {
			path.rest = below
		}
	}
	path.product = min(m.attempts()*path.rest.tries(), 1<<20)
	w.known[m] = path
	return path
}

// tries is the product of a path, 1 for none.
func (p *worstPath) tries() int {
	if p == nil {
		return 1
	}
	return p.product
}

// attempts says which methods are tried more than once.
func (p *worstPath) attempts() (parts []string) {
	for ; p != nil; p = p.rest {
		if n := p.method.attempts(); n > 1 {
			parts = append(parts, fmt.Sprintf("%s tried %d times", p.method.Wire[1:], n))
		}
	}
	return parts
}
