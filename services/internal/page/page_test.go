package page

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"testing"
)

const uuid = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"

func TestTokenComesBackAsPosition(t *testing.T) {
	for _, p := range []Position{{0, uuid}, {-1, uuid}, {math.MaxInt64, uuid}, {1_700_000_000_000_000, "0"}} {
		token := p.Token("orders/" + uuid)
		if len(token) > 200 {
			t.Errorf("token of %v has %d characters, the contracts allow 200", p, len(token))
		}
		if got, err := Parse("orders/"+uuid, token, Position{}); err != nil || got != p {
			t.Errorf("Parse(%q) = %v, %v, want %v", token, got, err, p)
		}
	}
}

func TestEmptyTokenIsTheStart(t *testing.T) {
	start := Position{Time: 7, ID: "x"}
	if got, err := Parse("users", "", start); err != nil || got != start {
		t.Errorf("Parse of no token = %v, %v, want %v", got, err, start)
	}
}

func TestForeignTokensAreRefused(t *testing.T) {
	encode := base64.RawURLEncoding.EncodeToString
	for name, token := range map[string]string{
		"not base64":      "%%%",
		"padded":          Position{1, uuid}.Token("users") + "=",
		"not canonical":   "dXNlcnMgMSAwMB", // "users 1 00" with stray bits at its end
		"other list":      Position{1, uuid}.Token("orders"),
		"too few parts":   encode([]byte("users 1")),
		"too many parts":  encode([]byte("users 1 a b")),
		"time is a word":  encode([]byte("users now " + uuid)),
		"time too large":  encode([]byte("users 9223372036854775808 " + uuid)),
		"no id":           encode([]byte("users 1 ")),
		"id with NUL":     encode([]byte("users 1 a\x00")),
		"id with NUL mid": encode([]byte("users 1 a\x00a")),
		"random bytes":    encode([]byte{0xff, 0x20, 0x20}),
	} {
		if got, err := Parse("users", token, Position{}); !errors.Is(err, ErrToken) {
			t.Errorf("%s: Parse(%q) = %v, %v, want ErrToken", name, token, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Position{1, uuid}.Token("users"))
	f.Fuzz(func(t *testing.T, token string) {
		p, err := Parse("users", token, Position{})
		if err == nil && token != "" && p.ID == "" {
			t.Errorf("Parse(%q) = %v, a position without id", token, p)
		}
	})
}

func ExampleCut() {
	token := func(n int) string { return fmt.Sprint("after ", n) }
	fmt.Println(Cut([]int{1, 2, 3}, 2, token)) // three were read for a page of two
	fmt.Println(Cut([]int{3}, 2, token))
	// Output:
	// [1 2] after 2
	// [3]
}
