package model

import (
	"regexp"
	"slices"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// refusesEmpty reports whether the rules of a string field refuse the empty
// string, so that a key is always there. The rules of a field that tracks
// presence say nothing about the field when it is not set.
func refusesEmpty(fd protoreflect.FieldDescriptor) bool {
	rules := extension[*validate.FieldRules](fd, validate.E_Field)
	switch {
	case rules.GetIgnore() != validate.Ignore_IGNORE_UNSPECIFIED:
		return false
	case fd.HasPresence():
		return rules.GetRequired() && stringRefusesEmpty(rules.GetString())
	default:
		return rules.GetRequired() || stringRefusesEmpty(rules.GetString())
	}
}

// requiredToo is what a field that tracks presence needs besides.
func requiredToo(fd protoreflect.FieldDescriptor) string {
	if fd.HasPresence() {
		return ", and required = true"
	}
	return ""
}

func stringRefusesEmpty(r *validate.StringRules) bool {
	return r.GetMinLen() > 0 || r.GetLen() > 0 || r.GetMinBytes() > 0 || r.GetLenBytes() > 0 ||
		r.GetConst() != "" || r.GetPrefix() != "" || r.GetSuffix() != "" || r.GetContains() != "" ||
		len(r.GetIn()) > 0 && !slices.Contains(r.GetIn(), "") ||
		slices.Contains(r.GetNotIn(), "") ||
		formatRefusesEmpty(r) || patternRefusesEmpty(r.GetPattern())
}

// formatRefusesEmpty reports whether a well-known format is asked for that the
// empty string does not have.
func formatRefusesEmpty(r *validate.StringRules) bool {
	m := r.ProtoReflect()
	format := m.WhichOneof(m.Descriptor().Oneofs().ByName("well_known"))
	switch {
	case format == nil, format.Name() == "uri_ref":
		return false
	case format.Kind() == protoreflect.BoolKind:
		return m.Get(format).Bool()
	default:
		return r.GetWellKnownRegex() == validate.KnownRegex_KNOWN_REGEX_HTTP_HEADER_NAME
	}
}

// patternRefusesEmpty leaves a pattern that does not compile to package rules.
func patternRefusesEmpty(pattern string) bool {
	compiled, err := regexp.Compile(pattern)
	return err == nil && !compiled.MatchString("")
}
