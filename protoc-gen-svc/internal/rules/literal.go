package rules

import (
	"cmp"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/timefmt"
)

// literal is a constant of a rule.
type literal struct {
	code expr
	text string // as a message shows it
	key  any    // comparable, equal for equal values; see compare
}

// newLiteral makes a literal of a value in the rules of a field; the field says
// what its numbers mean if it is an enum. It reports false for a value that
// equals nothing: NaN, or a time that is out of range.
func newLiteral(field *protogen.Field, v protoreflect.Value) (literal, bool) {
	switch x := v.Interface().(type) {
	case bool:
		text := strconv.FormatBool(x)
		return literal{expr{text}, text, x}, true
	case int32:
		return integer(field, x), true
	case protoreflect.EnumNumber:
		return integer(field, int32(x)), true
	case int64:
		text := strconv.FormatInt(x, 10)
		return literal{expr{text}, text, x}, true
	case uint32:
		text := strconv.FormatUint(uint64(x), 10)
		return literal{expr{text}, text, uint64(x)}, true
	case uint64:
		text := strconv.FormatUint(x, 10)
		return literal{expr{text}, text, x}, true
	case float32:
		return float(float64(x), 32)
	case float64:
		return float(x, 64)
	case string:
		return literal{expr{quote(x)}, x, x}, true
	case []byte:
		return literal{expr{quote(string(x))}, hex.EncodeToString(x), string(x)}, true
	case protoreflect.Message:
		return point(x)
	default:
		return literal{}, false
	}
}

// integer is a number of 32 bits, or the value of an enum with that number.
func integer(field *protogen.Field, n int32) literal {
	text := strconv.FormatInt(int64(n), 10)
	if field.Enum != nil {
		return literal{enumValue(field.Enum, n), text, int64(n)}
	}
	return literal{expr{text}, text, int64(n)}
}

// enumValue is the value's name, if the enum defines it, else the number.
func enumValue(enum *protogen.Enum, n int32) expr {
	for _, value := range enum.Values {
		if int32(value.Desc.Number()) == n {
			return expr{value.GoIdent}
		}
	}
	return expr{strconv.FormatInt(int64(n), 10)}
}

func float(x float64, bits int) (literal, bool) {
	switch {
	case math.IsNaN(x):
		return literal{}, false
	case math.IsInf(x, 1):
		return infinity("1", "Infinity", x, bits), true
	case math.IsInf(x, -1):
		return infinity("-1", "-Infinity", x, bits), true
	}
	text := strconv.FormatFloat(x, 'f', -1, bits)
	code := strconv.FormatFloat(x, 'g', -1, bits)
	if x == 0 {
		code = "0" // also for -0, which equals it and which Go has no constant for
	}
	return literal{expr{code}, text, x}, true
}

func infinity(sign, text string, x float64, bits int) literal {
	code := call(mathPackage, "Inf", sign)
	if bits == 32 {
		code = join("float32(", code, ")")
	}
	return literal{code, text, x}
}

// point is a duration or a point in time.
func point(m protoreflect.Message) (literal, bool) {
	switch x := m.Interface().(type) {
	case *durationpb.Duration:
		d := x.AsDuration()
		text := strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "s"
		return literal{durationCode(d), text, d}, x.IsValid()
	case *timestamppb.Timestamp:
		t := x.AsTime()
		return literal{timeCode(t), t.Format(time.RFC3339Nano), t}, x.IsValid()
	default:
		return literal{}, false
	}
}

func durationCode(d time.Duration) expr {
	if d == 0 {
		return expr{"0"}
	}
	n, unit := timefmt.LargestUnit(d)
	if n == 1 {
		return expr{timePackage.Ident(unit)}
	}
	return expr{strconv.FormatInt(n, 10), "*", timePackage.Ident(unit)}
}

func timeCode(t time.Time) expr {
	var numbers []string
	for _, n := range []int{t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond()} {
		numbers = append(numbers, strconv.Itoa(n))
	}
	return call(timePackage, "Date", strings.Join(numbers, ", "), timePackage.Ident("UTC"))
}

// compare orders the keys of two literals of one rule that have an order.
func compare(a, b any) int {
	switch x := a.(type) {
	case int64:
		return cmp.Compare(x, b.(int64))
	case uint64:
		return cmp.Compare(x, b.(uint64))
	case float64:
		return cmp.Compare(x, b.(float64))
	case time.Duration:
		return cmp.Compare(x, b.(time.Duration))
	case time.Time:
		return x.Compare(b.(time.Time))
	default:
		return 0
	}
}

// literals is the value of "in" and "not_in".
type literals struct {
	codes []expr // each once: Go allows no other in a switch
	keys  []any
	text  string // "[1, 2]"
}

func (l literals) have(v any) bool { return slices.Contains(l.keys, v) }
func (l literals) lack(v any) bool { return !l.have(v) }

// newLiterals leaves out values that equal nothing.
func newLiterals(field *protogen.Field, values protoreflect.List) literals {
	var out literals
	var texts []string
	seen := map[any]bool{}
	for i := range values.Len() {
		l, ok := newLiteral(field, values.Get(i))
		if !ok {
			continue
		}
		texts = append(texts, l.text)
		if !seen[l.key] {
			seen[l.key] = true
			out.codes, out.keys = append(out.codes, l.code), append(out.keys, l.key)
		}
	}
	out.text = "[" + strings.Join(texts, ", ") + "]"
	return out
}
