// Package weborigin knows the origins of pages, as browsers send them.
package weborigin

import (
	"net/url"
	"strings"
)

// Any stands for the pages of everybody.
const Any = "*"

// ports are those that no origin names, by scheme.
var ports = map[string]string{"http": "80", "https": "443"}

// Valid reports whether a browser can send the text in the header Origin: a scheme, a
// host in lower case and in ASCII, and a port that is not the scheme's own.
func Valid(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || text != strings.ToLower(u.Scheme+"://"+u.Host) {
		return false
	}
	own, known := ports[u.Scheme]
	return known && u.Port() != own && !strings.HasSuffix(u.Host, ":") && !strings.ContainsFunc(u.Host, foreign)
}

// foreign are characters that no host has: names of other scripts are in Punycode.
func foreign(r rune) bool { return r > '~' || strings.ContainsRune(`*'"(),;!$&+=`, r) }
