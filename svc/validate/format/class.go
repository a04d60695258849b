package format

import "strings"

// class is a set of ASCII characters: a union of the sets below.
type class uint16

const (
	alpha  class = 1 << iota // A to Z, a to z
	digit                    // 0 to 9
	hex                      // 0 to 9, A to F, a to f
	hyphen                   // -
	mark                     // - . _ ~
	delim                    // the sub-delims of RFC 3986
	colon                    // :
	at                       // @
	slash                    // /
	query                    // ?
	atext                    // the local part of an email address
	token                    // the name of an HTTP header

	unreserved = alpha | digit | mark // as RFC 3986 has it
	pchar      = unreserved | delim | colon | at
)

// classes has the sets of each byte. It is never changed.
var classes = func() (out [256]class) {
	const (
		letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		digits  = "0123456789"
	)
	for members, set := range map[string]class{
		letters:                alpha | atext | token,
		digits:                 digit | hex | atext | token,
		"ABCDEFabcdef":         hex,
		"-":                    hyphen,
		"-._~":                 mark,
		"!$&'()*+,;=":          delim,
		":":                    colon,
		"@":                    at,
		"/":                    slash,
		"?":                    query,
		".!#$%&'*+/=?^_`{|}~-": atext,
		"!#$%&'*+.-^_|~`":      token,
	} {
		for i := range len(members) {
			out[members[i]] |= set
		}
	}
	return out
}()

// only reports whether all bytes of s are of the class.
func only(s string, of class) bool {
	for i := range len(s) {
		if classes[s[i]]&of == 0 {
			return false
		}
	}
	return true
}

// encoded reports whether s consists of bytes of the class and of octets in
// percent encoding.
func encoded(s string, of class) bool {
	for {
		plain, rest, found := strings.Cut(s, "%")
		if !only(plain, of) {
			return false
		}
		if !found {
			return true
		}
		if len(rest) < 2 || !only(rest[:2], hex) {
			return false
		}
		s = rest[2:]
	}
}
