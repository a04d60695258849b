package rules

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	runtime "github.com/protosvc/protosvc/svc/validate/format"
)

// string returns the checks of a string.
func (b *builder) string(t target, settings []setting) []node {
	x := t.value
	empty := join(x, ` == ""`)
	out := b.lengths(characterLengths, t, counted{call(utf8Package, "RuneCountInString", x), empty, characters}, settings)
	out = append(out, b.lengths(byteLengths, t, counted{join("len(", x, ")"), empty, length}, settings)...)
	for _, set := range settings {
		switch set.name {
		case "const":
			out = append(out, when(test{join(x, " != ", quote(set.value.String())), differs(set.value.String())},
				t.broken("string.const", "must equal `"+set.value.String()+"`")))
		case "in":
			out = append(out, b.member(t, x, set, "string.in", "")...)
		case "not_in":
			out = append(out, b.stranger(t, x, set, "string.not_in", "")...)
		case "pattern":
			out = append(out, b.match(t, set, "string.pattern", "does not match regex pattern `")...)
		case "well_known_regex":
			out = append(out, b.header(t, set, settings)...)
		default:
			out = append(out, affix(t, "string", stringsPackage, set, set.value.String(), quote(set.value.String()))...)
			out = append(out, formatted(t, set)...)
		}
	}
	return out
}

// affixes are the rules on what a string or a byte string begins with, ends
// with, contains.
var affixes = map[protoreflect.Name]struct {
	function, text string
	has            func(s, part string) bool
	wanted         bool
}{
	"prefix":       {"HasPrefix", "does not have prefix ", strings.HasPrefix, true},
	"suffix":       {"HasSuffix", "does not have suffix ", strings.HasSuffix, true},
	"contains":     {"Contains", "does not contain ", strings.Contains, true},
	"not_contains": {"Contains", "contains ", strings.Contains, false},
}

func affix(t target, rules string, pkg protogen.GoImportPath, set setting, text string, code any) []node {
	a, ok := affixes[set.name]
	if !ok {
		return nil
	}
	part, _ := newLiteral(t.field, set.value)
	if rules == "string" {
		text = "`" + text + "`"
		if a.function == "Contains" {
			text = "substring " + text
		}
	}
	broken := test{
		code:  call(pkg, a.function, t.value, code),
		holds: func(v any) bool { return a.has(v.(string), part.key.(string)) != a.wanted },
	}
	if a.wanted {
		broken.code = join("!", broken.code)
	}
	return []node{when(broken, t.broken(rules+"."+string(set.name), a.text+text))}
}

// match is the rule that a regular expression matches.
func (b *builder) match(t target, set setting, rule, text string) []node {
	source := set.value.String()
	compiled, err := regexp.Compile(source)
	if err != nil {
		reason := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		b.refuse(set.site, badPattern, source, reason)
		return nil
	}
	p := b.pattern(t.field, source)
	broken := test{
		code:  join("!", p, ".MatchString(", t.value, ")"),
		holds: func(v any) bool { return !utf8.ValidString(v.(string)) || !compiled.MatchString(v.(string)) },
	}
	if t.field.Desc.Kind() == protoreflect.BytesKind {
		// The rule is about text. Without the first condition, a wrong byte
		// would match whatever matches U+FFFD.
		broken.code = join("!", call(utf8Package, "Valid", t.value), " || !", p, ".Match(", t.value, ")")
	}
	return []node{when(broken, t.broken(rule, text+source+"`"))}
}

func (b *builder) pattern(owner *protogen.Field, text string) *pattern {
	for _, p := range b.patterns {
		if p.text == text {
			return p
		}
	}
	p := &pattern{text: text, owner: owner}
	b.patterns = append(b.patterns, p)
	return p
}

// headers are what a name and a value of a header may be made of.
var headers = map[string]struct{ name, value checked }{
	"strict": {checked{"HeaderName", runtime.HeaderName}, checked{"HeaderValue", runtime.HeaderValue}},
	"loose":  {checked{"LooseHeaderName", runtime.LooseHeaderName}, checked{"LooseHeaderValue", runtime.LooseHeaderValue}},
}

// header is the rule that a string is the name or the value of an HTTP header.
func (b *builder) header(t target, set setting, settings []setting) []node {
	allowed := headers["strict"]
	for _, other := range settings {
		if other.name == "strict" && !other.value.Bool() {
			allowed = headers["loose"]
		}
	}
	switch validate.KnownRegex(set.value.Enum()) {
	case validate.KnownRegex_KNOWN_REGEX_UNSPECIFIED:
		return nil
	case validate.KnownRegex_KNOWN_REGEX_HTTP_HEADER_NAME:
		return []node{when(allowed.name.missed(t.value),
			format{t.at, t.value, "string.well_known_regex.header_name", "a valid HTTP header name"})}
	case validate.KnownRegex_KNOWN_REGEX_HTTP_HEADER_VALUE:
		return []node{when(allowed.value.missed(t.value),
			t.broken("string.well_known_regex.header_value", "must be a valid HTTP header value"))}
	}
	b.refuse(set.site, badKnownRegex, set.value.Enum())
	return nil
}

// bytes returns the checks of a byte string. Conversions to string in
// comparisons copy nothing.
func (b *builder) bytes(t target, settings []setting) []node {
	text := join("string(", t.value, ")")
	out := b.lengths(sizes, t, size(t), settings)
	for _, set := range settings {
		switch set.name {
		case "const":
			l, _ := newLiteral(t.field, set.value)
			out = append(out, when(test{join(text, " != ", l.code), differs(l.key)}, t.broken("bytes.const", "must be "+l.text)))
		case "in":
			out = append(out, b.member(t, text, set, "bytes.in", "")...)
		case "not_in":
			out = append(out, b.stranger(t, text, set, "bytes.not_in", "")...)
		case "pattern":
			out = append(out, b.match(t, set, "bytes.pattern", "must match regex pattern `")...)
		case "prefix", "suffix", "contains":
			l, _ := newLiteral(t.field, set.value)
			out = append(out, affix(t, "bytes", bytesPackage, set, l.text, join("[]byte(", l.code, ")"))...)
		case "ip", "ipv4", "ipv6", "uuid":
			if set.value.Bool() {
				out = append(out, sized(t, string(set.name)))
			}
		}
	}
	return out
}

// byteSizes are the formats of byte strings, which are about their length.
var byteSizes = map[string]struct {
	sizes []string
	want  string
}{
	"ip":   {[]string{"4", "16"}, "a valid IP address"},
	"ipv4": {[]string{"4"}, "a valid IPv4 address"},
	"ipv6": {[]string{"16"}, "a valid IPv6 address"},
	"uuid": {[]string{"16"}, "a valid UUID"},
}

func sized(t target, name string) node {
	f := byteSizes[name]
	size := join("len(", t.value, ") != ")
	broken := join(size, f.sizes[0])
	for _, other := range f.sizes[1:] {
		broken = join(broken, " && ", size, other)
	}
	return when(test{broken, func(v any) bool { return !slices.Contains(f.sizes, strconv.Itoa(length(v))) }}, format{t.at, join("string(", t.value, ")"), "bytes." + name, f.want})
}
