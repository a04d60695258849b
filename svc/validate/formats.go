package validate

import "github.com/protosvc/protosvc/svc/validate/format"

// Email reports whether s is an email address as the HTML standard has it. That
// is deliberately less than RFC 5322, which allows comments and quoted strings.
func Email(s string) bool { return format.Email(s) }

// Hostname reports whether s is a name of labels with dots between: each has 1
// to 63 letters, digits and inner hyphens, and the last one is not a number. The
// whole has at most 253 characters. A dot may follow it.
func Hostname(s string) bool { return format.Hostname(s) }

// Address reports whether s is a hostname or an IP address.
func Address(s string) bool { return format.Address(s) }

// HostAndPort reports whether s is a hostname, an IPv4 address or an IPv6
// address in brackets, then a colon and a port: "[::1]:8080".
func HostAndPort(s string) bool { return format.HostAndPort(s) }

// IP reports whether s is an IPv4 or an IPv6 address.
func IP(s string) bool { return format.IP(s) }

// IPv4 reports whether s is four decimal numbers with dots between, without
// leading zeros.
func IPv4(s string) bool { return format.IPv4(s) }

// IPv6 reports whether s is an IPv6 address, which may have a zone:
// "fe80::1%eth0".
func IPv6(s string) bool { return format.IPv6(s) }

// IPWithPrefix reports whether s is an IP address, a slash and the length of
// its network's prefix: "10.1.2.3/8".
func IPWithPrefix(s string) bool { return format.IPWithPrefix(s) }

// IPv4WithPrefix is [IPWithPrefix] for IPv4.
func IPv4WithPrefix(s string) bool { return format.IPv4WithPrefix(s) }

// IPv6WithPrefix is [IPWithPrefix] for IPv6. There can be no zone.
func IPv6WithPrefix(s string) bool { return format.IPv6WithPrefix(s) }

// IPPrefix reports whether s is an IP network: an address, a slash and the
// length of the prefix, with all bits after the prefix zero: "10.0.0.0/8".
func IPPrefix(s string) bool { return format.IPPrefix(s) }

// IPv4Prefix is [IPPrefix] for IPv4.
func IPv4Prefix(s string) bool { return format.IPv4Prefix(s) }

// IPv6Prefix is [IPPrefix] for IPv6. There can be no zone.
func IPv6Prefix(s string) bool { return format.IPv6Prefix(s) }

// URI reports whether s is a URI as in RFC 3986. An IPv6 address in it may have
// a zone, as in RFC 6874, and is written without dots.
func URI(s string) bool { return format.URI(s) }

// URIRef reports whether s is a URI, or a reference relative to one:
// "../orders?page=2".
func URIRef(s string) bool { return format.URIRef(s) }

// UUID reports whether s is a UUID: 32 hex digits in groups of 8, 4, 4, 4 and
// 12 with hyphens between.
func UUID(s string) bool { return format.UUID(s) }

// TUUID reports whether s is a UUID without hyphens.
func TUUID(s string) bool { return format.TUUID(s) }

// ULID reports whether s is a ULID: 26 letters and digits of Crockford's base
// 32, in either case. The first one is at most 7, since a ULID has 128 bits.
func ULID(s string) bool { return format.ULID(s) }

// ProtobufName reports whether s is a full name in protobuf: "order.v1.Order".
func ProtobufName(s string) bool { return format.ProtobufName(s) }

// ProtobufDotName reports whether s is a full name with a dot before it.
func ProtobufDotName(s string) bool { return format.ProtobufDotName(s) }

// HeaderName reports whether s is the name of an HTTP header, or of a pseudo
// header: ":path".
func HeaderName(s string) bool { return format.HeaderName(s) }

// HeaderValue reports whether s may be the value of an HTTP header: no control
// characters but the tab.
func HeaderValue(s string) bool { return format.HeaderValue(s) }

// LooseHeaderName reports whether s can do no harm as the name of an HTTP
// header: it is not empty and does not end the line.
func LooseHeaderName(s string) bool { return format.LooseHeaderName(s) }

// LooseHeaderValue reports whether s can do no harm as the value of an HTTP
// header: it does not end the line.
func LooseHeaderValue(s string) bool { return format.LooseHeaderValue(s) }
