package id

import (
	"fmt"
	"regexp"
	"testing"
	"time"
)

func TestNewIsUUIDv7(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for range 10_000 {
		u := New()
		if !form.MatchString(u) {
			t.Fatalf("New() = %q, want a UUID of version 7", u)
		}
		if seen[u] {
			t.Fatalf("New() = %q a second time", u)
		}
		seen[u] = true
	}
}

// The example of RFC 9562, appendix A.6: the time of its first 48 bits.
func TestAtStartsWithTheTime(t *testing.T) {
	u := at(time.Date(2022, 2, 22, 14, 22, 22, 0, time.FixedZone("", -5*3600)))
	if got, want := u[:13], "017f22e2-79b0"; got != want {
		t.Errorf("at() starts with %q, want %q", got, want)
	}
}

func TestIDsSortByTime(t *testing.T) {
	start := time.Now()
	for i := range 100 {
		earlier, later := at(start.Add(time.Duration(i)*time.Millisecond)), at(start.Add(time.Duration(i+1)*time.Millisecond))
		if earlier >= later {
			t.Fatalf("%q is not before %q", earlier, later)
		}
	}
}

func ExampleCanonical() {
	fmt.Println(Canonical("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"))
	// Output: 017f22e2-79b0-7cc3-98c4-dc0c0c07398f
}
