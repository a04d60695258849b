package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// nestingLimit finds the first message that is too deep inside others. Those
// inside of it move with it.
func nestingLimit(s settings, m protoreflect.MessageDescriptor) string {
	depth, path := 1, string(m.Name())
	for parent, ok := m.Parent().(protoreflect.MessageDescriptor); ok; parent, ok = parent.Parent().(protoreflect.MessageDescriptor) {
		depth, path = depth+1, string(parent.Name())+"."+path
	}
	if depth != s.messageNestingLimit+1 || m.IsMapEntry() {
		return ""
	}
	return fmt.Sprintf("message %q is nested %d deep, more than %d: move it out (or set the option message_nesting_limit)", path, depth, s.messageNestingLimit)
}

// numberGap finds fields before which numbers are missing without a reason.
func numberGap(_ settings, f protoreflect.FieldDescriptor) string {
	if f.IsExtension() {
		return ""
	}
	gaps := gapsBelow(f)
	if len(gaps) == 0 {
		return ""
	}
	statement := "reserved " + strings.Join(gaps, ", ") + ";"
	return fmt.Sprintf("field %q is number %d, and some numbers before it are neither used nor reserved: for removed fields write %q, with their names in a second statement", f.Name(), f.Number(), statement)
}

// span is a range of numbers, both ends included.
type span struct{ first, last protoreflect.FieldNumber }

// gapsBelow lists the unexplained numbers between the field and the one with the
// next lower number, in the syntax of reserved.
func gapsBelow(f protoreflect.FieldDescriptor) (gaps []string) {
	next := protoreflect.FieldNumber(1)
	for _, taken := range takenIn(f.ContainingMessage()) {
		if taken.first > next {
			gaps = append(gaps, gap(span{next, taken.first - 1}))
		}
		switch {
		case taken == span{f.Number(), f.Number()}:
			return gaps
		case taken.field(f.ContainingMessage()):
			gaps = nil // they are in front of that field
		}
		next = max(next, taken.last+1)
	}
	return gaps
}

// takenIn lists the numbers that are accounted for, in their order.
func takenIn(m protoreflect.MessageDescriptor) []span {
	spans := []span{{19000, 19999}} // protobuf keeps them for itself
	for i := range m.Fields().Len() {
		n := m.Fields().Get(i).Number()
		spans = append(spans, span{n, n})
	}
	for _, ranges := range []protoreflect.FieldRanges{m.ReservedRanges(), m.ExtensionRanges()} {
		for i := range ranges.Len() {
			r := ranges.Get(i)
			spans = append(spans, span{r[0], r[1] - 1})
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.first, b.first) })
	return spans
}

// field reports whether the span is one field and not a range of something else.
func (s span) field(m protoreflect.MessageDescriptor) bool {
	return s.first == s.last && m.Fields().ByNumber(s.first) != nil
}

func gap(s span) string {
	if s.first == s.last {
		return fmt.Sprint(s.first)
	}
	return fmt.Sprintf("%d to %d", s.first, s.last)
}
