package format

import (
	"strconv"
	"strings"
)

// Email reports whether s is an email address as the HTML standard has it. That
// is deliberately less than RFC 5322, which allows comments and quoted strings.
func Email(s string) bool {
	local, domain, found := strings.Cut(s, "@")
	if !found || local == "" || !only(local, atext) {
		return false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if !isLabel(label) {
			return false
		}
	}
	return true
}

// Hostname reports whether s is a name of labels with dots between: each has 1
// to 63 letters, digits and inner hyphens, and the last one is not a number. The
// whole has at most 253 characters. A dot may follow it.
func Hostname(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if len(s) > 253 {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(s, ".") {
		if !isLabel(label) {
			return false
		}
		last = label
	}
	return !only(last, digit)
}

// Address reports whether s is a hostname or an IP address.
func Address(s string) bool { return Hostname(s) || IP(s) }

// HostAndPort reports whether s is a hostname, an IPv4 address or an IPv6
// address in brackets, then a colon and a port: "[::1]:8080".
func HostAndPort(s string) bool {
	colon := strings.LastIndexByte(s, ':')
	if colon < 0 || !isPort(s[colon+1:]) {
		return false
	}
	host := s[:colon]
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		return IPv6(host[1 : len(host)-1])
	}
	return Hostname(host) || IPv4(host)
}

func isLabel(s string) bool {
	return s != "" && len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-' && only(s, alpha|digit|hyphen)
}

// isPort reports whether s is a number of 0 to 65535, without leading zeros.
func isPort(s string) bool {
	if s == "" || s[0] == '0' && len(s) > 1 || !only(s, digit) {
		return false
	}
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}
