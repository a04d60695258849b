package spelling

import "testing"

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "abc", 3},
		{"abc", "", 3},
		{"abc", "abc", 0},
		{"abc", "abxc", 1},
		{"abc", "ac", 1},
		{"abc", "abd", 1},
		{"abc", "bac", 1}, // swapped
		{"ca", "abc", 3},  // no letter moves twice
	} {
		if got := Distance(test.a, test.b); got != test.want {
			t.Errorf("from %q to %q is %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
