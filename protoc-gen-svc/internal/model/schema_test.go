package model

import "testing"

// TestPortable: patterns that RE2 and ECMA 262, with the flag u, read alike.
func TestPortable(t *testing.T) {
	for pattern, want := range map[string]bool{
		"":                      true,
		"^[A-Z]{3}$":            true,
		`^[a-z0-9_.+-]+(?:,x)*`: true,
		`\d+\.\w{1,3}|a{2,}`:    true,
		`^[^\]\[/]+$`:           true,
		`^[-a-f\d_]+[\w.-]$`:    true,
		`[\w-a]`:                false, // a range that begins with a class
		"(?i)abc":               false, // flags
		"(?P<name>a)":           false, // named groups
		`\pL`:                   false, // classes of Unicode
		`\A\z`:                  false,
		`[[:alpha:]]`:           false,
		`\Qa.b\E`:               false,
		`a\-b`:                  false, // no escape of ECMA 262 outside of a class
		"a.b":                   false, // to ECMA 262 no line ends with \r
		`\s`:                    false, // more white space
		"é":                     false, // two units without the flag u
		"a}":                    false,
	} {
		if got := portable(pattern); got != want {
			t.Errorf("%q: got %v, want %v", pattern, got, want)
		}
	}
}
