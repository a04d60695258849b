package validate_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	svcerrors "github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/validate"
)

// A generated validator looks like this.
func ExampleViolations() {
	type item struct{ SKU string }
	type order struct{ Items []item }

	check := func(m item, at validate.Path, v *validate.Violations) {
		if m.SKU == "" {
			v.Add(at.Field("sku"), "string.min_len", "must be at least 1 characters")
		}
	}
	validateOrder := func(m order) error {
		at, v := validate.Path{}, new(validate.Violations)
		for i, item := range m.Items {
			check(item, at.Index("items", i), v)
		}
		return v.Err()
	}

	err := validateOrder(order{Items: []item{{"A-1"}, {""}}})
	fmt.Println(err)
	fmt.Println(status.Code(err))
	// Output:
	// invalid request: items[1].sku: must be at least 1 characters [string.min_len]
	// InvalidArgument
}

// violations returns what an error carries on the wire.
func violations(t *testing.T, err error) []*errdetails.BadRequest_FieldViolation {
	t.Helper()
	for _, detail := range status.Convert(err).Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			return bad.GetFieldViolations()
		}
	}
	t.Fatalf("no BadRequest in the status of %v", err)
	return nil
}

func TestErr(t *testing.T) {
	var v validate.Violations
	if err := v.Err(); err != nil {
		t.Fatalf("without violations: %v", err)
	}
	var root validate.Path
	v.Add(root, "message.oneof", "one of a, b must be set")
	v.AddFormat(root.Field("email"), "", "string.email", "a valid email address")
	v.AddFormat(root.Field("email"), "x", "string.email", "a valid email address")
	err := v.Err()
	if !errors.Is(err, svcerrors.InvalidRequest) {
		t.Errorf("%v is not InvalidRequest", err)
	}
	if s := status.Convert(err); s.Code() != codes.InvalidArgument || s.Message() != "invalid request" {
		t.Errorf("status %v", s)
	}
	const text = "invalid request: one of a, b must be set [message.oneof]; " +
		"email: value is empty, which is not a valid email address [string.email_empty]; email: must be a valid email address [string.email]"
	if err.Error() != text {
		t.Errorf("Error() = %q, want %q", err, text)
	}
	var got []string
	for _, each := range violations(t, err) {
		got = append(got, each.GetField()+"|"+each.GetReason())
	}
	if want := "|message.oneof email|string.email_empty email|string.email"; strings.Join(got, " ") != want {
		t.Errorf("violations %q, want %q", got, want)
	}
}

// TestErrBounded has many violations, with long keys, and expects a status that
// fits into a header.
func TestErrBounded(t *testing.T) {
	var v validate.Violations
	var root validate.Path
	for range 1000 {
		v.Add(root.StringKey("labels", strings.Repeat("é", 10_000)), "string.max_len", "must be at most 3 characters")
	}
	const listed = 32
	list := violations(t, v.Err())
	if len(list) != listed+1 {
		t.Fatalf("%d violations, want %d and one more", len(list), listed)
	}
	if last, want := list[len(list)-1], "968 more violations"; last.GetDescription() != want || last.GetField() != "" {
		t.Errorf("the last one is %v, want %q", last, want)
	}
	if got, want := list[0].GetField(), `labels["`+strings.Repeat("é", 32)+`…"]`; got != want {
		t.Errorf("field %s, want %s", got, want)
	}
}

func TestPath(t *testing.T) {
	var root validate.Path
	a := root.Field("a")
	items := a.Index("items", 3)
	for want, path := range map[string]validate.Path{
		"":                                   root,
		"a":                                  a,
		"a.items[3]":                         items,
		`a.items[3].m["k\"\n"]`:              items.StringKey("m", "k\"\n"),
		`a.items[3].m[-5]`:                   items.IntKey("m", -5),
		`a.items[3].m[18446744073709551615]`: items.UintKey("m", math.MaxUint64),
		`a.items[3].m[true]`:                 items.BoolKey("m", true),
		`a.items[3].m[false]`:                items.BoolKey("m", false),
	} {
		if got := path.String(); got != want {
			t.Errorf("String() = %s, want %s", got, want)
		}
	}
}

// tree is a message that contains itself, with a validator as generated.
type tree struct {
	name     string
	children []*tree
	named    map[string]*tree
}

func validateTree(m *tree) error {
	v := new(validate.Violations)
	checkTree(m, validate.Path{}, v)
	return v.Err()
}

func checkTree(m *tree, at validate.Path, v *validate.Violations) {
	if m.name == "" {
		v.Add(at.Field("name"), "string.min_len", "must be at least 1 characters")
	}
	for i, item := range m.children {
		checkTree(item, at.Index("children", i), v)
	}
	for key, value := range m.named {
		checkTree(value, at.StringKey("named", key), v)
	}
}

// TestAllocations: paths stay on the stack, in recursion and in loops too.
func TestAllocations(t *testing.T) {
	leaf := &tree{name: "leaf"}
	valid := &tree{name: "root", children: []*tree{leaf, {name: "x", named: map[string]*tree{"k": leaf}}}}
	if n := testing.AllocsPerRun(100, func() {
		if err := validateTree(valid); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a valid message costs %v allocations", n)
	}
	valid.children[1].named["k"] = &tree{}
	if err, want := validateTree(valid), `invalid request: children[1].named["k"].name: must be at least 1 characters [string.min_len]`; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

func TestUnique(t *testing.T) {
	for _, n := range []int{0, 1, 2, 32, 33, 1000} {
		list, texts := make([]int, n), make([][]byte, n)
		for i := range n {
			list[i], texts[i] = i, fmt.Append(nil, i)
		}
		if !validate.Unique(list) || !validate.UniqueBytes(texts) {
			t.Errorf("%d different elements are not unique", n)
		}
		if n > 1 {
			list[0], texts[0] = list[n-1], texts[n-1]
			if validate.Unique(list) || validate.UniqueBytes(texts) {
				t.Errorf("%d elements, the first like the last, are unique", n)
			}
		}
	}
	if nan := math.NaN(); !validate.Unique([]float64{nan, nan}) || validate.Unique([]float64{0, math.Copysign(0, -1)}) {
		t.Error("Unique does not compare as == does")
	}
}

func TestMasks(t *testing.T) {
	for _, test := range []struct {
		paths           []string
		within, touches bool
	}{
		{nil, true, false},
		{[]string{"a"}, true, true},
		{[]string{"a.x", "b.c"}, true, true},
		{[]string{"ab"}, false, false},
		{[]string{"b"}, false, false},
		{[]string{"b", "b.c.d"}, false, true},
	} {
		if got := validate.MaskWithin(test.paths, "a", "b.c"); got != test.within {
			t.Errorf("MaskWithin(%q) = %v", test.paths, got)
		}
		if got := validate.MaskTouches(test.paths, "a", "b.c"); got != test.touches {
			t.Errorf("MaskTouches(%q) = %v", test.paths, got)
		}
	}
}

func TestSmallHelpers(t *testing.T) {
	if validate.Count(true, false, true) != 2 || validate.Count() != 0 {
		t.Error("Count is wrong")
	}
	if !validate.Is[*tree](&tree{}) || validate.Is[*tree](nil) || validate.Is[*tree]("") {
		t.Error("Is is wrong")
	}
	if !validate.Finite(1.5) || validate.Finite(math.NaN()) || validate.Finite(float32(math.Inf(-1))) {
		t.Error("Finite is wrong")
	}
	now := time.Now()
	if !validate.Near(now.Add(-time.Minute), time.Hour) || !validate.Near(now.Add(time.Minute), time.Hour) ||
		validate.Near(now.Add(-2*time.Hour), time.Hour) || validate.Near(now.Add(2*time.Hour), time.Hour) {
		t.Error("Near is wrong")
	}
}
