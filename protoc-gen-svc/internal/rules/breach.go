package rules

import (
	"fmt"
	"math"
	"reflect"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	runtime "github.com/protosvc/protosvc/svc/validate/format"
)

// Breach is a rule that a value breaks, as the generated validator says it.
type Breach struct {
	// Item is where in a list: "[1]".
	Item string
	// Rule is the identifier of buf.validate, Text what the rule wants.
	Rule, Text string
}

// Breaches holds values of a field against the rules of the field: the one value
// or, of a list, the elements. It runs the statements that Emit writes, but for
// those that ask for the time of day or for another field, and for maps.
func (s *Set) Breaches(f *protogen.Field, values []protoreflect.Value) []Breach {
	keys := make([]any, len(values))
	for i, v := range values {
		l, _ := newLiteral(f, v)
		keys[i] = l.key
	}
	if f.Desc.IsList() {
		return breaches(s.fields[f.Desc.FullName()], keys)
	}
	return breaches(s.fields[f.Desc.FullName()], keys[0])
}

// NeedsValue reports whether a field that is not set breaks rules of its own.
func (s *Set) NeedsValue(f *protogen.Field) bool {
	switch {
	case Ignored(f):
		return false
	case fieldRules(f).GetRequired():
		return true
	case f.Desc.IsList():
		return len(s.Breaches(f, nil)) > 0
	case f.Desc.HasPresence(), f.Desc.IsMap():
		return false
	}
	return len(s.Breaches(f, []protoreflect.Value{f.Desc.Default()})) > 0
}

// test is a condition: as Go, and what it means for a value, which is the key of
// a literal or, of a list, []any with those of its elements. Without a meaning it
// is about more than the value.
type test struct {
	code  expr
	holds func(v any) bool
}

// unknown is a condition whose outcome nobody knows before the program runs.
func unknown(parts ...any) test { return test{code: join(parts...)} }

// either is a condition and its opposite.
func either(code, opposite expr, holds func(any) bool) (is, not test) {
	return test{code, holds}, test{opposite, func(v any) bool { return !holds(v) }}
}

// and is the condition that both hold.
func (t test) and(other test) test {
	both := test{code: join(grouped(t.code), " && ", grouped(other.code))}
	if t.holds != nil && other.holds != nil {
		both.holds = func(v any) bool { return t.holds(v) && other.holds(v) }
	}
	return both
}

func always(any) bool { return true }

func differs(key any) func(any) bool { return func(v any) bool { return v != key } }

func infinite(v any) bool { return math.IsNaN(v.(float64)) || math.IsInf(v.(float64), 0) }

func characters(v any) int { return utf8.RuneCountInString(v.(string)) }

// length is that of a list, a string or a byte string.
func length(v any) int { return reflect.ValueOf(v).Len() }

// repeats reports whether a list has an element twice.
func repeats(v any) bool {
	seen := map[any]bool{}
	for _, element := range v.([]any) {
		if seen[element] {
			return true
		}
		seen[element] = true
	}
	return false
}

func hasBits(v any) bool { return math.Float64bits(v.(float64)) != 0 }

func isZero(f *protogen.Field, v any) bool {
	switch x := v.(type) {
	case float64:
		return x == 0 // so is -0
	case time.Time:
		return x.Equal(time.Unix(0, 0))
	case int64:
		return f.Enum == nil && x == 0 || f.Enum != nil && x == int64(f.Enum.Values[0].Desc.Number())
	default:
		return reflect.ValueOf(v).IsZero()
	}
}

func breaches(nodes []node, v any) []Breach {
	var out []Breach
	for _, n := range nodes {
		out = append(out, n.breaches(v)...)
	}
	return out
}

func (n violation) breaches(any) []Breach { return []Breach{{Rule: n.rule, Text: n.text}} }

// breaches leaves the words to the runtime, which makes them of the value.
func (n format) breaches(v any) []Breach {
	rule, text := runtime.Missed(v.(string), n.rule, n.want)
	return []Breach{{Rule: rule, Text: text}}
}

// breaches is nothing: a message has no rules as a value, and its fields are
// asked about on their own.
func (n invoke) breaches(any) []Breach { return nil }

func (n branch) breaches(v any) []Breach {
	switch {
	case n.condition.holds == nil:
		return nil
	case n.condition.holds(v):
		return breaches(n.body, v)
	default:
		return breaches(n.otherwise, v)
	}
}

func (n choice) breaches(v any) []Breach {
	for _, each := range n.cases {
		if each.head.holds != nil && each.head.holds(v) {
			return breaches(each.body, v)
		}
	}
	return nil
}

func (n listLoop) breaches(v any) []Breach {
	var out []Breach
	for i, element := range v.([]any) {
		for _, each := range breaches(n.body, element) {
			each.Item = fmt.Sprintf("[%d]", i)
			out = append(out, each)
		}
	}
	return out
}

func (n mapLoop) breaches(any) []Breach { return nil }
