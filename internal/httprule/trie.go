package httprule

import "strings"

// index is that of a rule, counted from one.
type index int

const none index = 0

// node is where the templates of one method stand that begin with the same
// segments. All methods of a nil node find nothing. A search comes by a node at
// most twice, so it takes no longer than there are nodes.
type node struct {
	literals map[string]*node
	single   *node
	ends     leaf // templates that end here
	rests    leaf // templates that end with a ** from here on
}

// leaf has the rules whose templates differ in their verb only.
type leaf struct {
	plain index
	verbs map[string]index
}

func (n *node) add(t Template, rule index) {
	for _, s := range t.Segments {
		if s.Kind == Multi {
			n.rests.add(t.Verb, rule)
			return
		}
		n = n.child(s)
	}
	n.ends.add(t.Verb, rule)
}

func (n *node) child(s Segment) *node {
	if s.Kind == Single {
		if n.single == nil {
			n.single = &node{}
		}
		return n.single
	}
	if n.literals == nil {
		n.literals = map[string]*node{}
	}
	if n.literals[s.Literal] == nil {
		n.literals[s.Literal] = &node{}
	}
	return n.literals[s.Literal]
}

func (l *leaf) add(verb string, rule index) {
	if verb == "" {
		l.plain = rule
		return
	}
	if l.verbs == nil {
		l.verbs = map[string]index{}
	}
	l.verbs[verb] = rule
}

// match finds the most specific template for a whole path.
func (n *node) match(p target) index {
	switch {
	case n == nil:
		return none
	case p.path == "": // the root has no segments
		return first(n.ends.plain, n.rests.plain)
	}
	return n.find(p.path, p.verb)
}

// find tries literals first, then *, then **: the order of what is specific.
func (n *node) find(path, verb string) index {
	if n == nil {
		return none
	}
	segment, rest, more := strings.Cut(path, "/")
	if !more {
		return n.last(segment, verb)
	}
	if rule := n.literal(segment).find(rest, verb); rule != none {
		return rule
	}
	if rule := n.any(segment).find(rest, verb); rule != none {
		return rule
	}
	return n.rest(verb)
}

// last reads the last segment in both ways, with a verb and without.
func (n *node) last(segment, verb string) index {
	if verb == "" {
		return first(end(nil, n.literal(segment), verb), end(nil, n.any(segment), verb), n.rest(verb))
	}
	stem := withoutVerb(segment, verb)
	return first(
		end(n.literal(stem), n.literal(segment), verb),
		end(n.any(stem), n.any(segment), verb),
		n.rest(verb))
}

// end finds what ends at a node: that where the path leads without its verb, or
// that where all of the path leads.
func end(stem, whole *node, verb string) index {
	return first(stem.leaves().ends.verb(verb), whole.leaves().ends.plain, stem.leaves().rests.verb(verb), whole.leaves().rests.plain)
}

// leaves is a node, or one without leaves.
func (n *node) leaves() *node {
	if n == nil {
		return &nothing
	}
	return n
}

var nothing node

func (n *node) rest(verb string) index { return first(n.rests.verb(verb), n.rests.plain) }

func (n *node) literal(segment string) *node { return lookup(n.literals, segment) }

func (n *node) any(segment string) *node {
	if segment == "" {
		return nil
	}
	return n.single
}

func (l *leaf) verb(verb string) index { return lookup(l.verbs, verb) }

func first(rules ...index) index {
	for _, r := range rules {
		if r != none {
			return r
		}
	}
	return none
}

// lookup finds what a percent-encoded text stands for, without an allocation for
// texts of a usual length.
func lookup[V any](m map[string]V, text string) V {
	if len(m) == 0 || strings.IndexByte(text, '%') < 0 {
		return m[text]
	}
	var short [64]byte
	return m[string(appendDecoded(short[:0], text))]
}
