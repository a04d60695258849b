package contractdiff

import (
	"math"
	"math/big"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// end is a bound that a rule sets.
type end struct {
	lower, upper bool
	open         bool // the bound itself is not allowed
}

// ends are the rules that set bounds, by the part of their name that says so.
var ends = map[string]end{
	"gt": {lower: true, open: true}, "gte": {lower: true}, "lt": {upper: true, open: true}, "lte": {upper: true},
	"min": {lower: true}, "max": {upper: true}, "len": {lower: true, upper: true}, "within": {upper: true},
}

// limit is one end of a span; nil is no end.
type limit struct {
	at   *big.Rat
	open bool
}

// span are the numbers between two limits.
type span struct{ lower, upper *limit }

// spansOf are the numbers that rules allow: one span or, where the lower bound is
// above the upper one, those around it.
func spansOf(rules []rule) []span {
	var s span
	for _, r := range rules {
		name, _, _ := strings.Cut(r.name, "_")
		e, at := ends[name], number(r.value)
		if at == nil {
			continue // infinite: no bound
		}
		if e.lower {
			s.lower = newLimit(r, at, e.open, +1)
		}
		if e.upper {
			s.upper = newLimit(r, at, e.open, -1)
		}
	}
	if s.lower != nil && s.upper != nil && s.lower.at.Cmp(s.upper.at) > 0 {
		return []span{{upper: s.upper}, {lower: s.lower}}
	}
	return []span{s}
}

// newLimit makes closed limits of open ones where there is a next number, so that
// "gt 4" is "gte 5". What is never below zero has no lower limit there.
func newLimit(r rule, at *big.Rat, open bool, step int64) *limit {
	kind := r.field.Kind()
	fraction := kind == protoreflect.FloatKind || kind == protoreflect.DoubleKind
	if open && !fraction {
		at, open = new(big.Rat).Add(at, big.NewRat(step, 1)), false
	}
	switch kind {
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.Fixed32Kind, protoreflect.Fixed64Kind:
		if step > 0 && at.Sign() <= 0 {
			return nil
		}
	}
	return &limit{at, open}
}

// number is a value as a number: of time, of nanoseconds. It is nil for infinities.
func number(value protoreflect.Value) *big.Rat {
	seconds := func(s int64, nanos int32) *big.Rat {
		n := new(big.Int).Mul(big.NewInt(s), big.NewInt(1e9))
		return new(big.Rat).SetInt(n.Add(n, big.NewInt(int64(nanos))))
	}
	switch v := value.Interface().(type) {
	case int32:
		return big.NewRat(int64(v), 1)
	case int64:
		return big.NewRat(v, 1)
	case uint32:
		return big.NewRat(int64(v), 1)
	case uint64:
		return new(big.Rat).SetUint64(v)
	case float32:
		return new(big.Rat).SetFloat64(float64(v))
	case float64:
		if math.IsNaN(v) {
			return nil
		}
		return new(big.Rat).SetFloat64(v)
	case protoreflect.Message:
		switch m := v.Interface().(type) {
		case *durationpb.Duration:
			return seconds(m.GetSeconds(), m.GetNanos())
		case *timestamppb.Timestamp:
			return seconds(m.GetSeconds(), m.GetNanos())
		}
	}
	return nil
}

// reaches reports whether a limit is at least as far out as another one, outwards
// being -1 for lower limits and +1 for upper ones.
func (l *limit) reaches(inner *limit, outwards int) bool {
	switch {
	case l == nil:
		return true
	case inner == nil:
		return false
	}
	far := l.at.Cmp(inner.at) * outwards
	return far > 0 || far == 0 && (!l.open || inner.open)
}

func (s span) includes(inner span) bool {
	return s.lower.reaches(inner.lower, -1) && s.upper.reaches(inner.upper, +1)
}

// covers reports whether every span of the second lies in one of the first. Those of
// one list never touch.
func covers(outer, inner []span) bool {
	for _, i := range inner {
		found := false
		for _, o := range outer {
			found = found || o.includes(i)
		}
		if !found {
			return false
		}
	}
	return true
}

func compareSpans(old, now []rule) effect {
	was, is := spansOf(old), spansOf(now)
	return by(covers(was, is), covers(is, was))
}

func spansWithoutZero(rules []rule) effect {
	zero := &limit{at: new(big.Rat)}
	if covers(spansOf(rules), []span{{zero, zero}}) {
		return same
	}
	return absent
}
