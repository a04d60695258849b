package rules

import (
	"fmt"
	"math"
	"strings"
)

// order says how the values of a type are compared.
type order struct {
	rules    string          // begins the identifiers of the rules: "int32"
	value    func(expr) expr // what is compared
	variable local           // holds it if it is compared twice; empty: it is cheap
	compare  func(expr, string, expr) expr
	nan      bool // there may be NaN, of which no comparison holds
	min, max any  // the extremes of the type, as keys of literals; nil: none
}

func itself(x expr) expr { return x }

func infix(x expr, operator string, y expr) expr { return join(x, " ", operator, " ", y) }

var integers = map[string][2]any{
	"int32":    {int64(math.MinInt32), int64(math.MaxInt32)},
	"sint32":   {int64(math.MinInt32), int64(math.MaxInt32)},
	"sfixed32": {int64(math.MinInt32), int64(math.MaxInt32)},
	"int64":    {int64(math.MinInt64), int64(math.MaxInt64)},
	"sint64":   {int64(math.MinInt64), int64(math.MaxInt64)},
	"sfixed64": {int64(math.MinInt64), int64(math.MaxInt64)},
	"uint32":   {uint64(0), uint64(math.MaxUint32)},
	"fixed32":  {uint64(0), uint64(math.MaxUint32)},
	"uint64":   {uint64(0), uint64(math.MaxUint64)},
	"fixed64":  {uint64(0), uint64(math.MaxUint64)},
}

func integral(name string) order {
	extremes := integers[name]
	return order{rules: name, value: itself, compare: infix, min: extremes[0], max: extremes[1]}
}

func floating(name string) order {
	return order{rules: name, value: itself, compare: infix, nan: true}
}

func durations() order {
	return order{
		rules:    "duration",
		value:    func(x expr) expr { return join(x, ".AsDuration()") },
		variable: localDuration,
		compare:  infix,
	}
}

func timestamps() order {
	methods := map[string]string{"<": ".Before(", ">": ".After(", "==": ".Equal("}
	inverses := map[string]string{">=": "<", "<=": ">", "!=": "=="}
	return order{
		rules:    "timestamp",
		value:    func(x expr) expr { return join(x, ".AsTime()") },
		variable: localTime,
		compare: func(x expr, operator string, y expr) expr {
			if inverse, ok := inverses[operator]; ok {
				return join("!", x, methods[inverse], y, ")")
			}
			return join(x, methods[operator], y, ")")
		},
	}
}

// ordered returns the checks of a number, a duration or a point in time.
func (b *builder) ordered(o order, t target, settings []setting) []node {
	var out []node
	var r span
	x := o.value(t.value)
	for _, set := range settings {
		switch rule := o.rules + "." + string(set.name); set.name {
		case "const":
			if l, ok := b.constant(t, set); ok {
				out = append(out, when(test{o.compare(x, "!=", l.code), differs(l.key)}, t.broken(rule, "must equal "+l.text)))
			}
		case "in":
			out = append(out, b.member(t, x, set, rule, "")...)
		case "not_in":
			out = append(out, b.stranger(t, x, set, rule, "")...)
		case "finite":
			if set.value.Bool() {
				out = append(out, when(test{join("!", call(validatePackage, "Finite", x)), infinite}, t.broken(rule, "must be finite")))
			}
		case "gt", "gte":
			r.lower = b.bound(t, set)
		case "lt", "lte":
			r.upper = b.bound(t, set)
		}
	}
	return append(out, b.span(o, t, r)...)
}

// bound is one end of a range.
type bound struct {
	literal
	setting
	operator, inverse string
	words             string
	allows            func(order int) bool // of a value, compared with the bound
}

// bounds are the rules that set a bound.
var bounds = map[string]bound{
	"gt":  {operator: ">", inverse: "<=", words: "greater than ", allows: func(order int) bool { return order > 0 }},
	"gte": {operator: ">=", inverse: "<", words: "greater than or equal to ", allows: func(order int) bool { return order >= 0 }},
	"lt":  {operator: "<", inverse: ">=", words: "less than ", allows: func(order int) bool { return order < 0 }},
	"lte": {operator: "<=", inverse: ">", words: "less than or equal to ", allows: func(order int) bool { return order <= 0 }},
}

func (b *builder) bound(t target, set setting) *bound {
	out := bounds[string(set.name)]
	l, ok := newLiteral(t.field, set.value)
	if !ok {
		b.refuse(set.site, notComparable)
		return nil
	}
	out.literal, out.setting = l, set
	return &out
}

// inclusive reports whether the bound itself is allowed.
func (e *bound) inclusive() bool { return len(e.operator) == 2 }

// admits reports whether a value is on the right side of a bound, or there is none.
func (e *bound) admits(v any) bool {
	if e == nil {
		return true
	}
	return e.allows(compare(v, e.key))
}

// span is a range: the values between two bounds or, if the upper one is less
// than the lower one, those outside.
type span struct{ lower, upper *bound }

func (r span) outside() bool {
	return r.lower != nil && r.upper != nil && compare(r.upper.key, r.lower.key) < 0
}

// rule returns the identifier that buf.validate gives the rule, "gt_lt", and
// its text.
func (r span) rule() (name, text string) {
	switch {
	case r.upper == nil:
		return string(r.lower.name), "must be " + r.lower.words + r.lower.text
	case r.lower == nil:
		return string(r.upper.name), "must be " + r.upper.words + r.upper.text
	}
	name, and := fmt.Sprintf("%s_%s", r.lower.name, r.upper.name), " and "
	if r.outside() {
		name, and = name+"_exclusive", " or "
	}
	return name, "must be " + r.lower.words + r.lower.text + and + r.upper.words + r.upper.text
}

// span returns the check of a range.
func (b *builder) span(o order, t target, r span) []node {
	if r.lower == nil && r.upper == nil {
		return nil
	}
	name, text := r.rule()
	if r.hopeless(o) {
		b.refuse(r.any().site, emptyRange, strings.TrimPrefix(text, "must be "))
		return nil
	}
	ends := r.ends(o)
	if len(ends) == 0 {
		return nil
	}
	x, setup := o.value(t.value), expr(nil)
	if len(ends) == 2 && o.variable != "" {
		x, setup = expr{o.variable}, join(o.variable, " := ", x)
	}
	return []node{branch{
		setup:     setup,
		condition: test{o.outside(x, ends, r.outside()), r.misses},
		body:      []node{t.broken(o.rules+"."+name, text)},
	}}
}

// misses reports whether a value is not in the range.
func (r span) misses(v any) bool {
	if r.outside() {
		return !r.lower.admits(v) && !r.upper.admits(v)
	}
	return !r.lower.admits(v) || !r.upper.admits(v)
}

// any returns one of the bounds.
func (r span) any() *bound {
	if r.upper != nil {
		return r.upper
	}
	return r.lower
}

// ends returns the bounds that some value of the type misses.
func (r span) ends(o order) []*bound {
	var out []*bound
	if r.lower != nil && !(r.lower.inclusive() && r.lower.key == o.min) {
		out = append(out, r.lower)
	}
	if r.upper != nil && !(r.upper.inclusive() && r.upper.key == o.max) {
		out = append(out, r.upper)
	}
	return out
}

// hopeless reports whether no value of the type can be in the range.
func (r span) hopeless(o order) bool {
	switch {
	case r.lower != nil && !r.lower.inclusive() && r.lower.key == o.max,
		r.upper != nil && !r.upper.inclusive() && r.upper.key == o.min:
		return true
	case r.lower == nil || r.upper == nil:
		return false
	}
	return compare(r.lower.key, r.upper.key) == 0 && !(r.lower.inclusive() && r.upper.inclusive())
}

// outside is the condition that a value misses the range. Where there is NaN it
// is the opposite of a condition that NaN does not meet.
func (o order) outside(x expr, ends []*bound, either bool) expr {
	joined := func(operator func(*bound) string, logic string) expr {
		out := o.compare(x, operator(ends[0]), ends[0].code)
		if len(ends) == 2 {
			out = join(out, logic, o.compare(x, operator(ends[1]), ends[1].code))
		}
		return out
	}
	and, or := " && ", " || "
	if either {
		and, or = or, and
	}
	if o.nan {
		return join("!(", joined(func(e *bound) string { return e.operator }, and), ")")
	}
	return joined(func(e *bound) string {
		if !e.inclusive() && (e.key == o.min || e.key == o.max) {
			return "==" // nothing is beyond
		}
		return e.inverse
	}, or)
}
