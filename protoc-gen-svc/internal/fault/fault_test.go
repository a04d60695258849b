package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
)

func ExampleList() {
	var faults fault.List
	faults.Add(fault.Position{Path: "order/v1/order.proto", Line: 12, Column: 5, Subject: "OrderService.CreateOrder"},
		fault.Message{Rule: "duration-format", Format: "%q is not a duration (want for example %q)"}, "timeout ", "5 sec", "5s")
	faults.Add(fault.Position{Path: "order/v1/order.proto", Line: 3, Column: 1}, fault.Message{Rule: "empty", Format: "no services"}, "")
	faults.Explain("order\n└─ v1\n")
	faults.Under("../proto")
	fmt.Println(faults.Err())
	// Output:
	// 2 faults in the contract:
	// ../proto/order/v1/order.proto:3:1: empty: no services
	//   order
	//   └─ v1
	// ../proto/order/v1/order.proto:12:5: OrderService.CreateOrder: duration-format: timeout "5 sec" is not a duration (want for example "5s")
}

func TestListOrder(t *testing.T) {
	at := func(path string, line, column int) fault.Position {
		return fault.Position{Path: path, Line: line, Column: column, Subject: "S"}
	}
	var more, faults fault.List
	faults.Add(at("b", 1, 1), fault.Message{Rule: "r", Format: "x"}, "")
	faults.Add(at("a", 10, 1), fault.Message{Rule: "r", Format: "x"}, "")
	faults.Add(at("a", 9, 2), fault.Message{Rule: "r", Format: "y"}, "")
	faults.Add(at("a", 9, 2), fault.Message{Rule: "r", Format: "x"}, "")
	more.Add(at("a", 9, 1), fault.Message{Rule: "r", Format: "z"}, "")
	more.Add(at("a", 9, 2), fault.Message{Rule: "r", Format: "x"}, "") // once more
	more.Add(at("a", 0, 0), fault.Message{Rule: "r", Format: "no position"}, "")
	faults.Merge(more)
	const want = `6 faults in the contract:
a: S: r: no position
a:9:1: S: r: z
a:9:2: S: r: x
a:9:2: S: r: y
a:10:1: S: r: x
b:1:1: S: r: x`
	for range 5 {
		if got := faults.String(); got != want {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	}
	if n := len(faults.Faults()); n != 6 {
		t.Errorf("%d faults, want 6", n)
	}
}

// TestOneLine: a contract's text does not end the line of its fault.
func TestOneLine(t *testing.T) {
	f := fault.Fault{Path: "a\nb.proto", Line: 1, Column: 2, Subject: "S", Rule: "r", Text: "missing ]: `[\r\u2028äöü'`"}
	if got, want := f.String(), "a\\nb.proto:1:2: S: r: missing ]: `[\\r\\u2028äöü'`"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestListEmpty(t *testing.T) {
	var faults fault.List
	if err := faults.Err(); err != nil || !faults.Empty() || faults.String() != "" {
		t.Errorf("an empty list has the error %v, the text %q", err, faults.String())
	}
	faults.Add(fault.Position{Path: "a"}, fault.Message{Rule: "r", Format: "x"}, "")
	err := faults.Err()
	faults.Add(fault.Position{Path: "b"}, fault.Message{Rule: "r", Format: "y"}, "")
	if want := "1 fault in the contract:\na: r: x"; err.Error() != want {
		t.Errorf("Err() = %q, want %q", err, want)
	}
}

// TestForCompiler: buf prints more behind the faults, and the headline says why. Other
// errors are as they are.
func TestForCompiler(t *testing.T) {
	var faults fault.List
	faults.Add(fault.Position{Path: "a"}, fault.Message{Rule: "r", Format: "x: y"}, "")
	one := faults.Err()
	faults.Add(fault.Position{Path: "b"}, fault.Message{Rule: "r", Format: "z"}, "")
	for want, err := range map[string]error{
		"1 fault in the contract (what buf prints below about plugins comes from this):\na: r: x: y":            one,
		"2 faults in the contract (what buf prints below about plugins comes from these):\na: r: x: y\nb: r: z": faults.Err(),
		"option a: none": errors.New("option a: none"),
	} {
		if got := fault.ForCompiler(err); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSuggest(t *testing.T) {
	candidates := []string{"ORDER_ERROR_USER_NOT_FOUND", "ORDER_ERROR_PAYMENT_DECLINED", "GetUser", "GetUsers", "id", "ip"}
	for name, want := range map[string]string{
		"ORDER_ERROR_USER_NOTFOUND": "ORDER_ERROR_USER_NOT_FOUND",
		"GetUesr":                   "GetUser",
		"getUser":                   "GetUser",
		"GetUsers":                  "GetUsers",
		"ix":                        "id", // as near as "ip", and first
		"di":                        "id", // a swap is one mistake, and "ip" is two
		"pi":                        "ip",
		"CreateOrder":               "",
		"":                          "",
	} {
		if got := fault.Suggest(name, candidates); got != want {
			t.Errorf("Suggest(%q) = %q, want %q", name, got, want)
		}
	}
	if got := fault.Suggest("x", nil); got != "" {
		t.Errorf("Suggest without candidates = %q", got)
	}
}

// TestSuggestLimit: a third of the letters may be wrong, and one more; each of the
// four mistakes counts for one.
func TestSuggestLimit(t *testing.T) {
	for name, near := range map[string]bool{
		"abcdef":   true,
		"abdcef":   true,  // swapped
		"badcfe":   true,  // thrice
		"abcxyz":   true,  // replaced thrice
		"abxyzw":   false, // four times
		"abc":      false, // three letters less, of which two may be wrong
		"abcd":     true,
		"abcdefgh": true,
		"bca":      false,
		"cdefab":   false, // letters that are not neighbours
	} {
		if got := fault.Suggest(name, []string{"abcdef"}); (got != "") != near {
			t.Errorf("Suggest(%q) = %q, want near: %t", name, got, near)
		}
	}
}
