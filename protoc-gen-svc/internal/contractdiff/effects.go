package contractdiff

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
)

// effect is what a change of rules does to the values that are allowed.
type effect int

const (
	same    effect = iota
	tighter        // a part of what was allowed
	looser         // all that was allowed, and more
	other          // neither
	unclear        // nobody can tell
	absent         // messages without a new field are refused
)

// Who is hurt by a change depends on who sends the message. Requests and config
// files are refused when they break a rule, so a rule that became tighter breaks
// their authors, and a looser one nobody. Nothing refuses a response: its rules are
// what the service promises. Looser ones bring callers values that they never met,
// which is like an error that they do not know yet: it works, and somebody should
// know. Tighter ones bring nothing new.
var effectOn = map[effect]map[sender]verdict{
	tighter: {
		caller:   {Breaking, "requests that were fine are refused"},
		callee:   {Safe, "callers get a part of what they got"},
		operator: {Breaking, "config files that were fine are refused"},
	},
	looser: {
		caller:   {Safe, "more requests are let through"},
		callee:   {Look, "callers may get what they did not before"},
		operator: {Safe, "more config files are accepted"},
	},
	other: {
		caller:   {Breaking, "requests that were fine are refused, and others let through"},
		callee:   {Look, "callers may get what they did not before"},
		operator: {Breaking, "config files that were fine are refused, and others accepted"},
	},
	unclear: {
		caller:   {Look, "cannot be compared: see whether requests that were fine are refused"},
		callee:   {Look, "cannot be compared: see whether callers may get what they did not before"},
		operator: {Look, "cannot be compared: see whether config files that were fine are refused"},
	},
	absent: {
		caller:   {Breaking, "requests without the field are refused"},
		callee:   {Safe, "callers get the field"},
		operator: {Breaking, "config files without the field are refused"},
	},
}

// verdictOf is the gravest verdict of all who send the message.
func verdictOf(e effect, by sender) verdict {
	var verdicts []verdict
	for _, s := range []sender{caller, operator, callee} {
		if by&s != 0 {
			verdicts = append(verdicts, effectOn[e][s])
		}
	}
	for _, level := range []Level{Breaking, Look} {
		if i := slices.IndexFunc(verdicts, func(v verdict) bool { return v.level == level }); i >= 0 {
			return verdicts[i]
		}
	}
	return verdicts[0]
}

// row says how a kind of rule is compared.
type row struct {
	// group joins rules that are judged as one; empty: the rule is by itself.
	group string
	// compare judges a change; one side may be empty.
	compare func(old, now []rule) effect
	// absent judges the rules of a new field that has its zero value in messages
	// of those who do not know it; nil: they let it through.
	absent func([]rule) effect
}

// rowOf finds the row of a rule. One that the table does not have, such as a
// predefined one, cannot be compared.
func rowOf(name string) row {
	name, _, _ = strings.Cut(name, "[") // the element of a list
	if r, ok := rows[name]; ok {
		return r
	}
	return row{compare: func(_, _ []rule) effect { return unclear }}
}

var (
	bounds   = row{"bounds", compareSpans, spansWithoutZero}
	length   = row{"length", compareSpans, spansWithoutZero}
	octets   = row{"bytes", compareSpans, spansWithoutZero}
	count    = row{"count", compareSpans, spansWithoutZero}
	choice   = row{"choice", compareChoices, choicesWithoutZero}
	formats  = row{"format", compareFormats, formatsWithoutEmpty}
	switches = row{"", compareFlags, nil}
)

// rows are the rules of buf.validate, by the name of their field.
var rows = map[string]row{
	"required": {"", compareFlags, refused},
	"ignore":   {"", compareIgnore, nil},

	"cel":            {"", compareExpressions, doubtful},
	"cel_expression": {"", compareExpressions, doubtful},
	"oneof":          {"", compareOneofs, nil},

	"lt": bounds, "lte": bounds, "gt": bounds, "gte": bounds,
	"len": length, "min_len": length, "max_len": length,
	"len_bytes": octets, "min_bytes": octets, "max_bytes": octets,
	"min_items": count, "max_items": count, "min_pairs": count, "max_pairs": count,
	"within": {"", compareSpans, nil},

	"const": choice, "in": choice,
	"not_in": {"", compareExcluded, excludedZero},

	"finite": switches, "unique": switches, "defined_only": switches, "lt_now": switches, "gt_now": switches,

	"prefix":       {"", comparePart(strings.HasPrefix), partOfEmpty},
	"suffix":       {"", comparePart(strings.HasSuffix), partOfEmpty},
	"contains":     {"", comparePart(strings.Contains), partOfEmpty},
	"not_contains": {"", comparePart(func(s, part string) bool { return strings.Contains(part, s) }), nil},
	"pattern":      {"", compareExpressions, patternOfEmpty},

	"email": formats, "hostname": formats, "ip": formats, "ipv4": formats, "ipv6": formats, "uri": formats, "uri_ref": formats,
	"address": formats, "uuid": formats, "tuuid": formats, "ip_with_prefixlen": formats, "ipv4_with_prefixlen": formats,
	"ipv6_with_prefixlen": formats, "ip_prefix": formats, "ipv4_prefix": formats, "ipv6_prefix": formats,
	"host_and_port": formats, "ulid": formats, "protobuf_fqn": formats, "protobuf_dot_fqn": formats,
	"well_known_regex": formats, "strict": formats,
}

func refused(rules []rule) effect {
	if rules[0].value.Bool() {
		return absent
	}
	return same
}

func doubtful([]rule) effect { return unclear }

// by is the effect of a change of which one side includes the other, or not.
func by(oldHasNew, newHasOld bool) effect {
	switch {
	case oldHasNew && newHasOld:
		return same
	case oldHasNew:
		return tighter
	case newHasOld:
		return looser
	}
	return other
}

// compareFlags judges a rule that holds or does not. False is as good as none.
func compareFlags(old, now []rule) effect {
	was, is := len(old) > 0 && old[0].value.Bool(), len(now) > 0 && now[0].value.Bool()
	return by(is || !was, was || !is)
}

// compareOneofs judges a list of fields of which one at most may be set, or must.
func compareOneofs(old, now []rule) effect {
	strength := func(rules []rule) int {
		switch {
		case len(rules) == 0:
			return 0
		case !rules[0].value.Bool():
			return 1
		}
		return 2
	}
	return by(strength(now) >= strength(old), strength(now) <= strength(old))
}

// compareIgnore judges when rules do not count: never, with the zero value, always.
func compareIgnore(old, now []rule) effect {
	number := func(rules []rule) validate.Ignore {
		if len(rules) == 0 {
			return validate.Ignore_IGNORE_UNSPECIFIED
		}
		return validate.Ignore(rules[0].value.Enum())
	}
	return by(number(now) <= number(old), number(now) >= number(old))
}

// compareExpressions judges what only a person understands: CEL, regular expressions.
func compareExpressions(old, now []rule) effect {
	switch {
	case len(old) == 0:
		return tighter
	case len(now) == 0:
		return looser
	}
	return unclear
}

// elementsOf are the values of all rules of the name.
func elementsOf(rules []rule, name string) []string {
	var out []string
	for _, r := range rules {
		switch {
		case r.name != name:
		case r.field.IsList():
			out = append(out, texts(r.value.List(), r.field)...)
		default:
			out = append(out, r.text())
		}
	}
	return out
}

// choices are the values that const and in leave.
func choices(rules []rule) []string {
	if one := elementsOf(rules, "const"); len(one) > 0 {
		return one
	}
	return elementsOf(rules, "in")
}

func includes(all, part []string) bool {
	return !slices.ContainsFunc(part, func(s string) bool { return !slices.Contains(all, s) })
}

func compareChoices(old, now []rule) effect {
	was, is := choices(old), choices(now)
	return by(len(was) == 0 || len(is) > 0 && includes(was, is), len(is) == 0 || len(was) > 0 && includes(is, was))
}

func compareExcluded(old, now []rule) effect {
	was, is := elementsOf(old, "not_in"), elementsOf(now, "not_in")
	return by(includes(is, was), includes(was, is))
}

// zeros are the texts of zero values.
var zeros = []string{`""`, "0", "false"}

func hasZero(values []string) bool {
	return slices.ContainsFunc(values, func(s string) bool { return slices.Contains(zeros, s) })
}

func choicesWithoutZero(rules []rule) effect {
	if hasZero(choices(rules)) {
		return same
	}
	return absent
}

func excludedZero(rules []rule) effect {
	if hasZero(elementsOf(rules, "not_in")) {
		return absent
	}
	return same
}

// comparePart judges a text that values must have. has reports whether values with
// the first text all have the second.
func comparePart(has func(s, part string) bool) func(old, now []rule) effect {
	return func(old, now []rule) effect {
		switch {
		case len(old) == 0:
			return tighter
		case len(now) == 0:
			return looser
		}
		was, is := bare(old[0]), bare(now[0])
		return by(has(is, was), has(was, is))
	}
}

func bare(r rule) string {
	text, _ := strconv.Unquote(r.text())
	return text
}

func partOfEmpty(rules []rule) effect {
	if bare(rules[0]) == "" {
		return same
	}
	return absent
}

func patternOfEmpty(rules []rule) effect {
	if re, err := regexp.Compile(bare(rules[0])); err == nil && re.MatchString("") {
		return same
	}
	return absent
}

// wider are the formats that let through all that a format does.
var wider = map[string][]string{
	"hostname":            {"address"},
	"ip":                  {"address"},
	"ipv4":                {"ip", "address"},
	"ipv6":                {"ip", "address"},
	"uri":                 {"uri_ref"},
	"ipv4_with_prefixlen": {"ip_with_prefixlen"},
	"ipv6_with_prefixlen": {"ip_with_prefixlen"},
	"ip_prefix":           {"ip_with_prefixlen"},
	"ipv4_prefix":         {"ip_prefix", "ipv4_with_prefixlen", "ip_with_prefixlen"},
	"ipv6_prefix":         {"ip_prefix", "ipv6_with_prefixlen", "ip_with_prefixlen"},
}

// formatOf is the one format that is wanted, empty for none. Those of HTTP headers
// are "HEADER" with their name, and the loose variant of one is wider.
func formatOf(rules []rule) (format string, loose bool) {
	for _, r := range rules {
		switch {
		case r.name == "strict":
			loose = !r.value.Bool()
		case r.field.Enum() != nil:
			format = r.text()
		case r.value.Bool():
			format = r.name
		}
	}
	return format, loose
}

func compareFormats(old, now []rule) effect {
	was, wasLoose := formatOf(old)
	is, isLoose := formatOf(now)
	within := func(narrow, wide string, narrowLoose, wideLoose bool) bool {
		return wide == "" || narrow == wide && (wideLoose || !narrowLoose) || slices.Contains(wider[narrow], wide)
	}
	return by(within(is, was, isLoose, wasLoose), within(was, is, wasLoose, isLoose))
}

// formatsWithoutEmpty: the empty text has hardly any format.
func formatsWithoutEmpty(rules []rule) effect {
	switch format, _ := formatOf(rules); format {
	case "", "uri_ref", validate.KnownRegex_KNOWN_REGEX_HTTP_HEADER_VALUE.String():
		return same
	}
	return absent
}
