package rules

import "google.golang.org/protobuf/reflect/protoreflect"

// formats are the formats of strings: the function of svc/validate that checks
// one, and what to call it.
var formats = map[protoreflect.Name]struct{ function, want string }{
	"email":               {"Email", "a valid email address"},
	"hostname":            {"Hostname", "a valid hostname"},
	"ip":                  {"IP", "a valid IP address"},
	"ipv4":                {"IPv4", "a valid IPv4 address"},
	"ipv6":                {"IPv6", "a valid IPv6 address"},
	"uri":                 {"URI", "a valid URI"},
	"uri_ref":             {"URIRef", "a valid URI Reference"}, // the empty string is one
	"address":             {"Address", "a valid hostname, or ip address"},
	"uuid":                {"UUID", "a valid UUID"},
	"tuuid":               {"TUUID", "a valid trimmed UUID"},
	"ulid":                {"ULID", "a valid ULID"},
	"ip_with_prefixlen":   {"IPWithPrefix", "a valid IP prefix"},
	"ipv4_with_prefixlen": {"IPv4WithPrefix", "a valid IPv4 address with prefix length"},
	"ipv6_with_prefixlen": {"IPv6WithPrefix", "a valid IPv6 address with prefix length"},
	"ip_prefix":           {"IPPrefix", "a valid IP prefix"},
	"ipv4_prefix":         {"IPv4Prefix", "a valid IPv4 prefix"},
	"ipv6_prefix":         {"IPv6Prefix", "a valid IPv6 prefix"},
	"host_and_port":       {"HostAndPort", "a valid host (hostname or IP address) and port pair"},
	"protobuf_fqn":        {"ProtobufName", "a valid fully-qualified Protobuf name"},
	"protobuf_dot_fqn":    {"ProtobufDotName", "a valid fully-qualified Protobuf name with a leading dot"},
}

// formatted is the rule that a string has a format.
func formatted(t target, set setting) []node {
	f, ok := formats[set.name]
	if !ok || !set.value.Bool() {
		return nil
	}
	return []node{when(join("!", call(validatePackage, f.function, t.value)),
		format{t.at, t.value, "string." + string(set.name), f.want})}
}
