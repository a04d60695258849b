package lint

import (
	"fmt"
	"slices"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// requiredOptional finds fields that say "optional" and mean the contrary. Only
// proto3 has the choice: proto2 wants a label everywhere, editions have none.
func requiredOptional(_ settings, f protoreflect.FieldDescriptor) string {
	if f.ParentFile().Syntax() != protoreflect.Proto3 || !f.HasOptionalKeyword() {
		return ""
	}
	if rules, _ := proto.GetExtension(f.Options(), validate.E_Field).(*validate.FieldRules); !rules.GetRequired() {
		return ""
	}
	return fmt.Sprintf("field %q is optional and (buf.validate.field).required at once: take out one of the two", f.Name())
}

// floats are the messages that stand for a float or double.
var floats = []protoreflect.FullName{"google.protobuf.DoubleValue", "google.protobuf.FloatValue"}

// moneyFloat finds amounts of money in binary fractions.
func moneyFloat(s settings, f protoreflect.FieldDescriptor) string {
	if f.IsMap() {
		// What the map holds is a field of its entry, called value.
		return moneyIn(s, f.Name(), f.MapValue())
	}
	if parent := f.ContainingMessage(); !f.IsExtension() && parent.IsMapEntry() {
		return ""
	}
	return moneyIn(s, f.Name(), f)
}

func moneyIn(s settings, name protoreflect.Name, f protoreflect.FieldDescriptor) string {
	kind := f.Kind().String()
	if f.Message() != nil {
		kind = string(f.Message().FullName())
	}
	isFloat := f.Kind() == protoreflect.DoubleKind || f.Kind() == protoreflect.FloatKind || f.Message() != nil && slices.Contains(floats, f.Message().FullName())
	word := moneyWord(s, name)
	if !isFloat || word == "" {
		return ""
	}
	return fmt.Sprintf("field %q is %s, in which money (%q) loses cents: want a whole number of minor units with a currency, or google.type.Money", name, kind, word)
}

// moneyWord is the word by which a name says that it is money, or "". It is the
// last one, but for units: unit_price, price_usd, price_per_item.
func moneyWord(s settings, name protoreflect.Name) string {
	words := split(string(name))
	for i := range words {
		words[i] = strings.ToLower(words[i])
	}
	if i := slices.Index(words, "per"); i > 0 {
		words = words[:i]
	}
	for _, word := range slices.Backward(words) {
		one := strings.TrimSuffix(word, "s")
		for _, form := range []string{word, one} {
			if money[form] || slices.Contains(s.moneyWords, form) {
				return form
			}
		}
		if !qualifiers[word] && !qualifiers[one] {
			return ""
		}
	}
	return ""
}
