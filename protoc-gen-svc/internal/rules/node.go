package rules

import "strings"

// node is a statement of a generated function.
type node interface {
	emit(p *printer)

	// breaches are what the statement finds wrong with a value.
	breaches(v any) []Breach

	// prune returns the statement without calls of validators that have
	// nothing to check, or nil when nothing remains.
	prune() node
}

var (
	_ node = violation{}
	_ node = format{}
	_ node = invoke{}
	_ node = branch{}
	_ node = choice{}
	_ node = listLoop{}
	_ node = mapLoop{}
)

// violation records a broken rule.
type violation struct {
	at         expr
	rule, text string
}

func (n violation) prune() node { return n }

func (n violation) emit(p *printer) {
	p.line(localViolations, ".Add(", n.at, ", ", quote(n.rule), ", ", quote(n.text), ")")
}

// format records a value without the format of the rule.
type format struct {
	at, value  expr
	rule, want string
}

func (n format) prune() node { return n }

func (n format) emit(p *printer) {
	p.line(localViolations, ".AddFormat(", n.at, ", ", n.value, ", ", quote(n.rule), ", ", quote(n.want), ")")
}

// invoke checks a message inside the message.
type invoke struct {
	callee    *message
	value, at expr
}

func (n invoke) prune() node {
	if !n.callee.needed {
		return nil
	}
	n.callee.called = true
	return n
}

func (n invoke) emit(p *printer) {
	p.line(n.callee.checker(), "(", n.value, ", ", n.at, ", ", localViolations, ")")
}

// branch is an if.
type branch struct {
	setup     expr // a short declaration before the condition, or nil
	condition test
	body      []node
	otherwise []node
}

// when runs the statements if the condition holds.
func when(condition test, body ...node) branch {
	return branch{condition: condition, body: body}
}

// prune also joins an if that has nothing but another one.
func (n branch) prune() node {
	n.body, n.otherwise = pruneAll(n.body), pruneAll(n.otherwise)
	if len(n.body) == 0 {
		return nil
	}
	inner, ok := only(n.body)
	if ok && n.setup == nil && n.otherwise == nil && inner.setup == nil && inner.otherwise == nil {
		return when(n.condition.and(inner.condition), inner.body...)
	}
	return n
}

// only returns the branch that is the one statement.
func only(nodes []node) (branch, bool) {
	if len(nodes) != 1 {
		return branch{}, false
	}
	out, ok := nodes[0].(branch)
	return out, ok
}

// grouped puts parentheses around what binds less than "&&".
func grouped(condition expr) expr {
	for _, part := range condition {
		if text, ok := part.(string); ok && strings.Contains(text, " || ") {
			return join("(", condition, ")")
		}
	}
	return condition
}

func (n branch) emit(p *printer) { n.emitAfter(p, "") }

func (n branch) emitAfter(p *printer, before string) {
	head := n.condition.code
	if n.setup != nil {
		head = join(n.setup, "; ", n.condition.code)
	}
	p.line(before, "if ", head, " {")
	p.nodes(n.body)
	switch inner, ok := only(n.otherwise); {
	case ok:
		inner.emitAfter(p, "} else ")
	case len(n.otherwise) > 0:
		p.line("} else {")
		p.nodes(n.otherwise)
		p.line("}")
	default:
		p.line("}")
	}
}

// choice is a switch. Without a tag, the cases are conditions.
type choice struct {
	head  expr
	cases []clause
}

// clause is one case of a switch. One without statements has a meaning.
type clause struct {
	head test // whose code is "case 1, 2" or "default"
	body []node
}

func (n choice) prune() node { return n }

func (n choice) emit(p *printer) {
	p.line("switch ", n.head, " {")
	for _, each := range n.cases {
		p.line(each.head.code, ":")
		p.nodes(each.body)
	}
	p.line("}")
}

// listLoop looks at the elements of a repeated field.
type listLoop struct {
	value expr
	body  []node
}

func (n listLoop) prune() node {
	n.body = pruneAll(n.body)
	if len(n.body) == 0 {
		return nil
	}
	return n
}

func (n listLoop) emit(p *printer) {
	p.line("for ", localIndex, ", ", localItem, " := range ", n.value, " {")
	p.nodes(n.body)
	p.line("}")
}

// mapLoop looks at the entries of a map.
type mapLoop struct {
	value        expr
	keys, values []node
}

func (n mapLoop) prune() node {
	n.keys, n.values = pruneAll(n.keys), pruneAll(n.values)
	if len(n.keys)+len(n.values) == 0 {
		return nil
	}
	return n
}

func (n mapLoop) emit(p *printer) {
	variables := expr{localKey}
	if len(n.values) > 0 {
		variables = expr{localKey, ", ", localValue}
	}
	p.line("for ", variables, " := range ", n.value, " {")
	p.nodes(n.keys)
	p.nodes(n.values)
	p.line("}")
}

func pruneAll(nodes []node) []node {
	var out []node
	for _, n := range nodes {
		if rest := n.prune(); rest != nil {
			out = append(out, rest)
		}
	}
	return out
}
