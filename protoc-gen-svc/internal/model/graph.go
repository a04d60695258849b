package model

import "slices"

// graph is the system as calls join it. Every check that looks beyond a service
// walks it, so that none does more than look at each call a few times.
type graph struct {
	services map[string]*Service // by full name
	methods  map[Call]*Method
	packages map[string]bool // proto packages that have a service

	looks int // at calls, for tests
}

func newGraph(s *System) *graph {
	g := &graph{services: map[string]*Service{}, methods: map[Call]*Method{}, packages: map[string]bool{}}
	for _, svc := range s.Services {
		g.services[svc.FullName] = svc
		g.packages[svc.protoPackage()] = true
		for _, m := range svc.Methods {
			g.methods[Call{Service: svc.FullName, Method: m.Name}] = m
		}
	}
	return g
}

// method finds what a call calls; nil if the run has no such method, which
// checkCallees has said.
func (g *graph) method(c Call) *Method {
	g.looks++
	return g.methods[c]
}

// callees are the methods that a method calls, as far as the run has them.
func (g *graph) callees(m *Method) []*Method {
	var out []*Method
	for _, c := range m.Calls {
		if callee := g.method(c); callee != nil {
			out = append(out, callee)
		}
	}
	return out
}

// mayReturn reports whether one of the calls returns an error, as far as is known: the
// run may not have what is called.
func (g *graph) mayReturn(calls []Call, e *Error) bool {
	return slices.ContainsFunc(calls, func(c Call) bool {
		callee := g.method(c)
		return callee == nil || slices.Contains(callee.Errors, e)
	})
}

// cycles numbers the nodes that lie on cycles, from 1: those of cycles that meet have
// one number. Nodes on none have 0. The algorithm is Tarjan's.
func cycles[T comparable](nodes []T, next func(T) []T) map[T]int {
	var (
		group   = map[T]int{}
		groups  = 0
		stack   []T
		onStack = map[T]bool{}
		number  = map[T]int{} // in the order of visits, from 1
		low     = map[T]int{} // the smallest number that is reached on the stack
		visit   func(T)
	)
	visit = func(n T) {
		number[n] = len(number) + 1
		low[n] = number[n]
		stack, onStack[n] = append(stack, n), true
		itself := false
		for _, m := range next(n) {
			switch {
			case number[m] == 0:
				visit(m)
				low[n] = min(low[n], low[m])
			case onStack[m]:
				low[n] = min(low[n], number[m])
				itself = itself || m == n
			}
		}
		if low[n] < number[n] {
			return // it belongs to a node further down the stack
		}
		cycle := itself || stack[len(stack)-1] != n
		if cycle {
			groups++
		}
		for done := false; !done; {
			m := stack[len(stack)-1]
			stack, onStack[m] = stack[:len(stack)-1], false
			if cycle {
				group[m] = groups
			}
			done = m == n
		}
	}
	for _, n := range nodes {
		if number[n] == 0 {
			visit(n)
		}
	}
	return group
}

// eachCycle calls a function for each group of cycles that meet, with the first edge that
// lies on one of them and the nodes on a shortest way round by it, from its node to its
// node again.
func eachCycle[E any, N comparable](edges []E, ends func(E) (from, to N), tell func(first E, way []N)) {
	var nodes []N
	next := map[N][]N{}
	for _, e := range edges {
		from, to := ends(e)
		if next[from] == nil {
			nodes = append(nodes, from)
		}
		next[from] = append(next[from], to)
	}
	follow := func(n N) []N { return next[n] }
	group := cycles(nodes, follow)
	told := map[int]bool{0: true}
	for _, e := range edges {
		from, to := ends(e)
		if group[from] == group[to] && !told[group[from]] {
			told[group[from]] = true
			tell(e, append([]N{from}, route(to, from, group, follow)...))
		}
	}
}

// route returns the nodes on a shortest way from one to another that keeps to
// their group, both included.
func route[T comparable](from, to T, group map[T]int, next func(T) []T) []T {
	before := map[T]T{}
	queue := []T{from}
	for queue[0] != to {
		n := queue[0]
		queue = queue[1:]
		for _, m := range next(n) {
			if _, seen := before[m]; !seen && m != from && group[m] == group[from] {
				before[m] = n
				queue = append(queue, m)
			}
		}
	}
	way := []T{to}
	for n := to; n != from; way = append(way, n) {
		n = before[n]
	}
	slices.Reverse(way)
	return way
}
