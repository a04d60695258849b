package rules

import (
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// any returns the checks of a google.protobuf.Any, which are about its type.
func (b *builder) any(t target, settings []setting) []node {
	url := join(t.value, ".GetTypeUrl()")
	var out []node
	for _, set := range settings {
		switch set.name {
		case "in":
			out = append(out, b.member(t, url, set, "any.in", "type URL must be in the allow list")...)
		case "not_in":
			out = append(out, b.stranger(t, url, set, "any.not_in", "type URL must not be in the block list")...)
		}
	}
	return out
}

// now returns the checks that compare a point in time with the clock.
func (b *builder) now(t target, settings []setting) []node {
	at := join(t.value, ".AsTime()")
	clock := call(timePackage, "Now")
	var out []node
	for _, set := range settings {
		switch set.name {
		case "lt_now":
			if set.value.Bool() {
				out = append(out, when(unknown(at, ".After(", clock, ")"), t.broken("timestamp.lt_now", "must be less than now")))
			}
		case "gt_now":
			if set.value.Bool() {
				out = append(out, when(unknown(at, ".Before(", clock, ")"), t.broken("timestamp.gt_now", "must be greater than now")))
			}
		case "within":
			out = append(out, b.within(t, at, set)...)
		}
	}
	return out
}

func (b *builder) within(t target, at expr, set setting) []node {
	distance, ok := point(set.value.Message())
	if !ok || set.value.Message().Interface().(*durationpb.Duration).AsDuration() <= 0 {
		b.refuse(set.site, badWithin)
		return nil
	}
	return []node{when(unknown("!", call(validatePackage, "Near", at, distance.code)),
		t.broken("timestamp.within", "must be within "+distance.text+" of now"))}
}

// mask returns the checks of a field mask.
func (b *builder) mask(t target, settings []setting) []node {
	paths := join(t.value, ".GetPaths()")
	var out []node
	for _, set := range settings {
		switch set.name {
		case "const":
			want := set.value.Message().Interface().(*fieldmaskpb.FieldMask).GetPaths()
			same := call(slicesPackage, "Equal", paths, join("[]string{", list(quoted(want)), "}"))
			out = append(out, when(unknown("!", same), t.broken("field_mask.const", "must equal paths ["+words(want)+"]")))
		case "in":
			given := texts(set.value.List())
			within := call(validatePackage, "MaskWithin", paths, list(quoted(given)))
			out = append(out, when(unknown("!", within), t.broken("field_mask.in", "must only contain paths in ["+words(given)+"]")))
		case "not_in":
			given := texts(set.value.List())
			touches := call(validatePackage, "MaskTouches", paths, list(quoted(given)))
			out = append(out, when(unknown(touches), t.broken("field_mask.not_in", "must not contain any paths in ["+words(given)+"]")))
		}
	}
	return out
}

func texts(values protoreflect.List) []string {
	out := make([]string, values.Len())
	for i := range out {
		out[i] = values.Get(i).String()
	}
	return out
}

func quoted(values []string) []expr {
	out := make([]expr, len(values))
	for i, value := range values {
		out[i] = expr{quote(value)}
	}
	return out
}
