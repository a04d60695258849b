// Package typecheck finds what templates ask of their data that the data does
// not have, without running them: text/template notices a misspelt field only
// when it gets there, which may be with another team's contract.
package typecheck

import (
	"fmt"
	"reflect"
	"text/template"
	"text/template/parse"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
)

// Checker checks templates and collects what is wrong. The type of some values
// is known only when a template runs, such as of what sprig's funcs return;
// about those it says nothing, and [Explain] does later.
type Checker struct {
	// Templates are all that may be called, Funcs what they may use.
	Templates *template.Template
	Funcs     template.FuncMap

	faults []string
	done   map[call]bool
	called map[string]bool
	vars   []variable
}

// call is a template with the type of its data. The type is nil when unknown,
// here and everywhere in this package.
type call struct {
	name string
	data reflect.Type
}

type variable struct {
	name string
	t    reflect.Type
}

// Faults are the mistakes found so far, as "path:line:column: expression:
// message", in the order of checking.
func (c *Checker) Faults() []string { return c.faults }

// Called reports whether a template that was checked calls another one.
func (c *Checker) Called(name string) bool { return c.called[name] }

// Check checks a template, with those that it calls.
func (c *Checker) Check(name string, data reflect.Type) {
	t := c.Templates.Lookup(name)
	if t == nil || t.Tree == nil || c.done[call{name, data}] {
		return
	}
	if c.done == nil {
		c.done, c.called = map[call]bool{}, map[string]bool{}
	}
	c.done[call{name, data}] = true
	outer := c.vars
	c.vars = []variable{{"$", data}}
	c.list(data, t.Root)
	c.vars = outer
}

func (c *Checker) list(dot reflect.Type, list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			c.pipe(dot, n.Pipe)
		case *parse.IfNode:
			c.branch(dot, &n.BranchNode, func(reflect.Type) reflect.Type { return dot })
		case *parse.WithNode:
			c.branch(dot, &n.BranchNode, func(t reflect.Type) reflect.Type { return t })
		case *parse.RangeNode:
			c.branch(dot, &n.BranchNode, func(t reflect.Type) reflect.Type { return c.loop(t, n.Pipe.Decl) })
		case *parse.TemplateNode:
			c.template(dot, n)
		}
	}
}

// branch checks both branches; inside says what dot is in the first one.
func (c *Checker) branch(dot reflect.Type, n *parse.BranchNode, inside func(reflect.Type) reflect.Type) {
	outer := len(c.vars)
	c.list(inside(c.pipe(dot, n.Pipe)), n.List)
	c.list(dot, n.ElseList)
	c.vars = c.vars[:outer]
}

// loop is what dot is inside a range over t. It gives the variables, which the
// pipeline has declared with the type of the whole, those of one element.
func (c *Checker) loop(t reflect.Type, declared []*parse.VariableNode) reflect.Type {
	var key, element reflect.Type
	switch t = indirect(t); {
	case t == nil:
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array:
		key, element = reflect.TypeFor[int](), t.Elem()
	case t.Kind() == reflect.Map:
		key, element = t.Key(), t.Elem()
	}
	types := []reflect.Type{key, element}[2-len(declared):]
	for i, v := range types {
		c.vars[len(c.vars)-len(types)+i].t = v
	}
	return known(element)
}

func (c *Checker) template(dot reflect.Type, n *parse.TemplateNode) {
	var data reflect.Type
	if n.Pipe != nil {
		data = c.pipe(dot, n.Pipe)
	}
	if t := c.Templates.Lookup(n.Name); t == nil || t.Tree == nil {
		c.fault(n, n.String(), fmt.Sprintf("there is no template %q%s", n.Name, fault.DidYouMean(n.Name, c.names())))
		return
	}
	c.called[n.Name] = true
	c.Check(n.Name, data)
}

func (c *Checker) names() []string {
	var names []string
	for _, t := range c.Templates.Templates() {
		names = append(names, t.Name())
	}
	return names
}

// pipe returns the type of a pipeline's value.
func (c *Checker) pipe(dot reflect.Type, n *parse.PipeNode) (t reflect.Type) {
	if n == nil {
		return nil
	}
	for _, command := range n.Cmds {
		t = c.command(dot, command)
	}
	for _, v := range n.Decl {
		if !n.IsAssign {
			c.vars = append(c.vars, variable{v.Ident[0], t})
		} else if set := c.variable(v.Ident[0]); set != nil && set.t != t {
			set.t = nil // which of them it is depends on the way taken
		}
	}
	return t
}

func (c *Checker) command(dot reflect.Type, n *parse.CommandNode) reflect.Type {
	for _, argument := range n.Args[1:] {
		c.value(dot, argument)
	}
	return c.value(dot, n.Args[0])
}

func (c *Checker) value(dot reflect.Type, n parse.Node) reflect.Type {
	switch n := n.(type) {
	case *parse.DotNode:
		return dot
	case *parse.FieldNode:
		return c.fields(n, dot, n.Ident)
	case *parse.ChainNode:
		return c.fields(n, c.value(dot, n.Node), n.Field)
	case *parse.VariableNode:
		if v := c.variable(n.Ident[0]); v != nil {
			return c.fields(n, v.t, n.Ident[1:])
		}
	case *parse.PipeNode:
		return c.pipe(dot, n)
	case *parse.IdentifierNode:
		if f := reflect.TypeOf(c.Funcs[n.Ident]); f != nil {
			return known(f.Out(0))
		}
	}
	return nil
}

func (c *Checker) variable(name string) *variable {
	for i := len(c.vars) - 1; i >= 0; i-- {
		if c.vars[i].name == name {
			return &c.vars[i]
		}
	}
	return nil
}

// fields follows names from one value to the next.
func (c *Checker) fields(n parse.Node, t reflect.Type, names []string) reflect.Type {
	for _, name := range names {
		if t == nil {
			return nil
		}
		next, ok := member(t, name)
		if !ok {
			c.fault(n, n.String(), Missing(t, name))
			return nil
		}
		t = next
	}
	return t
}

// fault records a mistake once, however often the template is called.
func (c *Checker) fault(n parse.Node, expression, message string) {
	location, _ := new(parse.Tree).ErrorContext(n)
	text := oneBased(location) + ": " + expression + ": " + message
	for _, f := range c.faults {
		if f == text {
			return
		}
	}
	c.faults = append(c.faults, text)
}
