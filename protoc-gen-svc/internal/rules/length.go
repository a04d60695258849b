package rules

import (
	"math"
	"strconv"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// lengthRules are rules on how long something is. Texts begin and end so around
// the number.
type lengthRules struct {
	rules           string
	exact, min, max protoreflect.Name
	texts           map[protoreflect.Name][2]string
}

func lengthTexts(exact, min, max protoreflect.Name, unit string) map[protoreflect.Name][2]string {
	return map[protoreflect.Name][2]string{
		exact: {"must be ", unit},
		min:   {"must be at least ", unit},
		max:   {"must be at most ", unit},
	}
}

var (
	characterLengths = lengthRules{
		"string", "len", "min_len", "max_len",
		lengthTexts("len", "min_len", "max_len", " characters"),
	}
	byteLengths = lengthRules{
		"string", "len_bytes", "min_bytes", "max_bytes",
		lengthTexts("len_bytes", "min_bytes", "max_bytes", " bytes"),
	}
	sizes = lengthRules{
		"bytes", "len", "min_len", "max_len",
		lengthTexts("len", "min_len", "max_len", " bytes"),
	}
	itemLengths = lengthRules{
		"repeated", "", "min_items", "max_items",
		map[protoreflect.Name][2]string{
			"min_items": {"must contain at least ", " item(s)"},
			"max_items": {"must contain no more than ", " item(s)"},
		},
	}
	pairLengths = lengthRules{
		"map", "", "min_pairs", "max_pairs",
		map[protoreflect.Name][2]string{
			"min_pairs": {"map must be at least ", " entries"},
			"max_pairs": {"map must be at most ", " entries"},
		},
	}
)

// counted is what has a length.
type counted struct {
	count, empty expr
	of           func(any) int
}

// is the condition that the length compares so with a number of the rules.
func (x counted) is(operator string, set *setting, holds func(length, want int) bool) test {
	return test{join(x.count, " ", operator, " ", number(set)), x.compared(set, holds)}
}

// compared says what a comparison with a number of the rules means.
func (x counted) compared(set *setting, holds func(length, want int) bool) func(any) bool {
	want := int(min(set.value.Uint(), math.MaxInt32))
	return func(v any) bool { return holds(x.of(v), want) }
}

func other(a, b int) bool { return a != b }
func less(a, b int) bool  { return a < b }
func more(a, b int) bool  { return a > b }

// size is the length of a slice or a map.
func size(t target) counted {
	count := join("len(", t.value, ")")
	return counted{count, join(count, " == 0"), length}
}

// lengths returns the checks of a length. No message has 2 GiB, so a greater
// length is none at all.
func (b *builder) lengths(rules lengthRules, t target, x counted, settings []setting) []node {
	var exact, min, max *setting
	for i, set := range settings {
		switch set.name {
		case rules.exact:
			exact = &settings[i]
		case rules.min:
			min = &settings[i]
		case rules.max:
			max = &settings[i]
		default:
			continue
		}
		if set.name != rules.max && set.value.Uint() > math.MaxInt32 {
			b.refuse(set.site, tooLarge)
		}
	}
	if min != nil && max != nil && min.value.Uint() > max.value.Uint() {
		b.refuse(min.site, minAboveMax, min.value.Uint(), max.name, max.value.Uint())
		return nil
	}
	var out []node
	if exact != nil {
		out = append(out, when(x.is("!=", exact, other), rules.broken(t, exact)))
	}
	if min != nil && min.value.Uint() == 0 {
		min = nil
	}
	if max != nil && max.value.Uint() >= math.MaxInt32 {
		max = nil
	}
	return append(out, rules.between(t, x, min, max)...)
}

// between checks a length against a least and a greatest one, of which nil means
// none. The two cannot be broken at once.
func (r lengthRules) between(t target, x counted, min, max *setting) []node {
	switch {
	case min != nil && max != nil:
		return []node{choice{join(localCount, " := ", x.count, ";"), []clause{
			{test{join("case ", localCount, " < ", number(min)), x.compared(min, less)}, []node{r.broken(t, min)}},
			{test{join("case ", localCount, " > ", number(max)), x.compared(max, more)}, []node{r.broken(t, max)}},
		}}}
	case min != nil && min.value.Uint() == 1:
		return []node{when(test{x.empty, x.compared(min, less)}, r.broken(t, min))}
	case min != nil:
		return []node{when(x.is("<", min, less), r.broken(t, min))}
	case max != nil:
		return []node{when(x.is(">", max, more), r.broken(t, max))}
	default:
		return nil
	}
}

func (r lengthRules) broken(t target, set *setting) node {
	text := r.texts[set.name]
	return t.broken(r.rules+"."+string(set.name), text[0]+number(set)+text[1])
}

func number(set *setting) string { return strconv.FormatUint(set.value.Uint(), 10) }
