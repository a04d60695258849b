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
		callee := methodOf(worst.services, c)
		if callee == nil {
			continue
		}
		path := worst.from(callee)
		if product(path) > maxAmplification && product(path[1:]) <= maxAmplification {
			b.fault(m.origin().at(field, i), retryAmplification, c.Service+"/"+c.Method,
				product(path), maxAmplification, strings.Join(attemptsOf(path), ", "))
		}
	}
}

// worstPaths finds, for each method once, the path down that multiplies most.
type worstPaths struct {
	services map[string]*Service
	known    map[*Method][]*Method
}

// from does not enter a circle of calls, which is refused elsewhere.
func (w worstPaths) from(m *Method) []*Method {
	if path, known := w.known[m]; known {
		return path
	}
	w.known[m] = nil // under way
	var worst []*Method
	for _, c := range m.Calls {
		if callee := methodOf(w.services, c); callee != nil {
			if path := w.from(callee); product(path) > product(worst) {
				worst = path
			}
		}
	}
	w.known[m] = append([]*Method{m}, worst...)
	return w.known[m]
}

func product(path []*Method) int {
	n := 1
	for _, m := range path {
		n *= m.attempts()
	}
	return n
}

func attemptsOf(path []*Method) []string {
	var parts []string
	for _, m := range path {
		if m.attempts() == 1 {
			continue
		}
		parts = append(parts, fmt.Sprintf("%s tried %d times", m.Wire[1:], m.attempts()))
	}
	return parts
}
