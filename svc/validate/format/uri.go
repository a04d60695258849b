package format

import (
	"strings"
	"unicode/utf8"
)

// URI reports whether s is a URI as in RFC 3986. An IPv6 address in it may have
// a zone, as in RFC 6874, and is written without dots.
func URI(s string) bool {
	scheme, rest, found := strings.Cut(s, ":")
	if !found || !isScheme(scheme) {
		return false
	}
	hierarchy, ok := cutQuery(rest)
	return ok && isHierarchy(hierarchy)
}

// URIRef reports whether s is a URI, or a reference relative to one:
// "../orders?page=2".
func URIRef(s string) bool {
	if URI(s) {
		return true
	}
	hierarchy, ok := cutQuery(s)
	if !ok || !isHierarchy(hierarchy) {
		return false
	}
	// What stands before a colon would be a scheme.
	first, _, _ := strings.Cut(hierarchy, "/")
	return strings.IndexByte(first, ':') < 0
}

// isScheme wants a letter, then letters, digits, "+", "-" and ".".
func isScheme(s string) bool {
	if s == "" || !only(s[:1], alpha) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !only(s[i:i+1], alpha|digit|hyphen) && c != '+' && c != '.' {
			return false
		}
	}
	return true
}

// cutQuery returns what stands before the query and the fragment, and whether
// those two are well formed.
func cutQuery(s string) (before string, ok bool) {
	before, fragment, _ := strings.Cut(s, "#")
	before, asked, _ := strings.Cut(before, "?")
	return before, encoded(asked, pchar|slash|query) && encoded(fragment, pchar|slash|query)
}

// isHierarchy wants an authority after two slashes and a path, or a path alone.
func isHierarchy(s string) bool {
	if rest, found := strings.CutPrefix(s, "//"); found {
		end := strings.IndexByte(rest, '/')
		if end < 0 {
			end = len(rest)
		}
		return isAuthority(rest[:end]) && encoded(rest[end:], pchar|slash)
	}
	return encoded(s, pchar|slash)
}

// isAuthority wants a host, with a user before and a port after it if need be.
func isAuthority(s string) bool {
	if user, rest, found := strings.Cut(s, "@"); found {
		if !encoded(user, unreserved|delim|colon) {
			return false
		}
		s = rest
	}
	if literal, found := strings.CutPrefix(s, "["); found {
		literal, rest, closed := strings.Cut(literal, "]")
		port, found := strings.CutPrefix(rest, ":")
		return closed && (rest == "" || found) && only(port, digit) && isLiteral(literal)
	}
	host, port, _ := strings.Cut(s, ":")
	return encoded(host, unreserved|delim) && only(port, digit) && decodesToUTF8(host)
}

// isLiteral wants what may stand in brackets: an IPv6 address, one with a zone
// after "%25", or an address of a future version: "v7.x".
func isLiteral(s string) bool {
	if future, found := strings.CutPrefix(s, "v"); found {
		version, address, _ := strings.Cut(future, ".")
		return version != "" && only(version, hex) &&
			address != "" && only(address, unreserved|delim|colon)
	}
	address, zone, zoned := strings.Cut(s, "%25")
	if zoned && (zone == "" || !encoded(zone, unreserved) || !decodesToUTF8(zone)) {
		return false
	}
	return only(address, hex|colon) && IPv6(address)
}

// decodesToUTF8 reports whether a well-formed percent encoding is text. RFC 3986
// allows no other use of it in a host.
func decodesToUTF8(s string) bool {
	if strings.IndexByte(s, '%') < 0 {
		return true
	}
	var buffer [256]byte // a longer host than DNS allows needs the heap
	out := buffer[:0]
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			out = append(out, s[i])
			continue
		}
		out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
		i += 2
	}
	return utf8.Valid(out)
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
