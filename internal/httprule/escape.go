package httprule

import "strings"

// escaped reports whether a text begins with a percent-encoded byte.
func escaped(s string) bool {
	return len(s) > 2 && s[0] == '%' && nibble(s[1]) < 16 && nibble(s[2]) < 16
}

// nibble is the value of a hexadecimal digit; 16 of what is none.
func nibble(c byte) byte {
	switch {
	case digit(c):
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 16
}

// malformed reports whether a percent sign begins no percent-encoded byte.
func malformed(s string) bool {
	for {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			return false
		}
		if !escaped(s[i:]) {
			return true
		}
		s = s[i+3:]
	}
}

// appendDecoded appends a text without its percent-encoding, which must not be
// malformed.
func appendDecoded(to []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			c = nibble(s[i+1])<<4 | nibble(s[i+2])
			i += 2
		}
		to = append(to, c)
	}
	return to
}

// decode is what a variable of one segment captures.
func decode(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	return string(appendDecoded(make([]byte, 0, len(s)), s))
}

// decodeSegments is what a variable of several segments captures: an escaped slash
// remains as it is, since it separates no segments.
func decodeSegments(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for len(s) > 0 {
		n := 1
		if s[0] == '%' {
			n = 3
		}
		out = appendButSlash(out, s[:n])
		s = s[n:]
	}
	return string(out)
}

// appendButSlash appends a byte, without its percent-encoding unless it is a slash.
func appendButSlash(to []byte, s string) []byte {
	decoded := appendDecoded(to, s)
	if len(s) == 3 && decoded[len(to)] == '/' {
		return append(to, s...)
	}
	return decoded
}
