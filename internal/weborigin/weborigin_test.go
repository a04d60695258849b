package weborigin_test

import (
	"testing"

	"github.com/protosvc/protosvc/internal/weborigin"
)

func TestValid(t *testing.T) {
	for text, want := range map[string]bool{
		"https://shop.example":          true,
		"http://localhost:8080":         true,
		"http://[::1]:8080":             true,
		"https://xn--bcher-kva.example": true,
		"":                              false,
		"*":                             false,
		"null":                          false,
		"shop.example":                  false,
		"//shop.example":                false,
		"https://":                      false,
		"https://:8443":                 false,
		"https://shop.example/":         false,
		"https://shop.example?":         false,
		"https://shop.example#":         false,
		"https://me@shop.example":       false,
		"https://Shop.example":          false,
		"HTTPS://shop.example":          false,
		"https://bücher.example":        false,
		"https://*.example":             false,
		"https://a.example,b.example":   false,
		"https://shop.example:443":      false,
		"http://shop.example:80":        false,
		"https://shop.example:80":       true,
		"https://shop.example:":         false,
		"ftp://shop.example":            false,
		"https://shop example":          false,
	} {
		if got := weborigin.Valid(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
