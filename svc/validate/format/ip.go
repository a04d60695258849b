package format

import (
	"net/netip"
	"strings"
)

// IP reports whether s is an IPv4 or an IPv6 address.
func IP(s string) bool { return IPv4(s) || IPv6(s) }

// IPv4 reports whether s is four decimal numbers with dots between, without
// leading zeros.
func IPv4(s string) bool {
	// Without the look first, the parser would make an error for each IPv6
	// address that IP is asked about.
	if strings.IndexByte(s, ':') >= 0 {
		return false
	}
	ip, err := netip.ParseAddr(s)
	return err == nil && ip.Is4()
}

// IPv6 reports whether s is an IPv6 address, which may have a zone:
// "fe80::1%eth0".
func IPv6(s string) bool {
	address, zone, zoned := strings.Cut(s, "%")
	if zoned && (zone == "" || strings.IndexByte(address, '.') >= 0) {
		return false
	}
	if strings.IndexByte(address, ':') < 0 {
		return false
	}
	_, err := netip.ParseAddr(address)
	return err == nil
}

// IPWithPrefix reports whether s is an IP address, a slash and the length of
// its network's prefix: "10.1.2.3/8".
func IPWithPrefix(s string) bool { return IPv4WithPrefix(s) || IPv6WithPrefix(s) }

// IPv4WithPrefix is [IPWithPrefix] for IPv4.
func IPv4WithPrefix(s string) bool {
	_, ok := parsePrefix(s, false /* v6 */)
	return ok
}

// IPv6WithPrefix is [IPWithPrefix] for IPv6. There can be no zone.
func IPv6WithPrefix(s string) bool {
	_, ok := parsePrefix(s, true /* v6 */)
	return ok
}

// IPPrefix reports whether s is an IP network: an address, a slash and the
// length of the prefix, with all bits after the prefix zero: "10.0.0.0/8".
func IPPrefix(s string) bool { return IPv4Prefix(s) || IPv6Prefix(s) }

// IPv4Prefix is [IPPrefix] for IPv4.
func IPv4Prefix(s string) bool {
	prefix, ok := parsePrefix(s, false /* v6 */)
	return ok && prefix == prefix.Masked()
}

// IPv6Prefix is [IPPrefix] for IPv6. There can be no zone.
func IPv6Prefix(s string) bool {
	prefix, ok := parsePrefix(s, true /* v6 */)
	return ok && prefix == prefix.Masked()
}

func parsePrefix(s string, v6 bool) (netip.Prefix, bool) {
	if v6 != (strings.IndexByte(s, ':') >= 0) {
		return netip.Prefix{}, false
	}
	prefix, err := netip.ParsePrefix(s)
	return prefix, err == nil
}
