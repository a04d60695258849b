package rules

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	runtime "github.com/protosvc/protosvc/svc/validate/format"
)

// checked is a function of svc/validate/format that tells whether a string has a format:
// its name, for the generated code, and itself.
type checked struct {
	function string
	has      func(string) bool
}

// missed is the condition that a string does not have the format.
func (c checked) missed(value expr) test {
	return test{join("!", call(formatPackage, c.function, value)), func(v any) bool { return !c.has(v.(string)) }}
}

// formats are the formats of strings: the function that checks one, and what to
// call it.
var formats = map[protoreflect.Name]struct {
	checked
	want string
}{
	"email":               {checked{"Email", runtime.Email}, "a valid email address"},
	"hostname":            {checked{"Hostname", runtime.Hostname}, "a valid hostname"},
	"ip":                  {checked{"IP", runtime.IP}, "a valid IP address"},
	"ipv4":                {checked{"IPv4", runtime.IPv4}, "a valid IPv4 address"},
	"ipv6":                {checked{"IPv6", runtime.IPv6}, "a valid IPv6 address"},
	"uri":                 {checked{"URI", runtime.URI}, "a valid URI"},
	"uri_ref":             {checked{"URIRef", runtime.URIRef}, "a valid URI Reference"}, // the empty string is one
	"address":             {checked{"Address", runtime.Address}, "a valid hostname, or ip address"},
	"uuid":                {checked{"UUID", runtime.UUID}, "a valid UUID"},
	"tuuid":               {checked{"TUUID", runtime.TUUID}, "a valid trimmed UUID"},
	"ulid":                {checked{"ULID", runtime.ULID}, "a valid ULID"},
	"ip_with_prefixlen":   {checked{"IPWithPrefix", runtime.IPWithPrefix}, "a valid IP prefix"},
	"ipv4_with_prefixlen": {checked{"IPv4WithPrefix", runtime.IPv4WithPrefix}, "a valid IPv4 address with prefix length"},
	"ipv6_with_prefixlen": {checked{"IPv6WithPrefix", runtime.IPv6WithPrefix}, "a valid IPv6 address with prefix length"},
	"ip_prefix":           {checked{"IPPrefix", runtime.IPPrefix}, "a valid IP prefix"},
	"ipv4_prefix":         {checked{"IPv4Prefix", runtime.IPv4Prefix}, "a valid IPv4 prefix"},
	"ipv6_prefix":         {checked{"IPv6Prefix", runtime.IPv6Prefix}, "a valid IPv6 prefix"},
	"host_and_port":       {checked{"HostAndPort", runtime.HostAndPort}, "a valid host (hostname or IP address) and port pair"},
	"protobuf_fqn":        {checked{"ProtobufName", runtime.ProtobufName}, "a valid fully-qualified Protobuf name"},
	"protobuf_dot_fqn":    {checked{"ProtobufDotName", runtime.ProtobufDotName}, "a valid fully-qualified Protobuf name with a leading dot"},
}

// formatted is the rule that a string has a format.
func formatted(t target, set setting) []node {
	f, ok := formats[set.name]
	if !ok || !set.value.Bool() {
		return nil
	}
	return []node{when(f.missed(t.value),
		format{t.at, t.value, "string." + string(set.name), f.want})}
}
