package model

import (
	"testing"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
)

func TestDuration(t *testing.T) {
	const byDefault = 7 * time.Second
	tests := []struct {
		in       string
		want     time.Duration
		fault    string // of duration
		positive string // of positive
	}{
		{"", byDefault, "", ""},
		{"800ms", 800 * time.Millisecond, "", ""},
		{"1h30m", 90 * time.Minute, "", ""},
		{"1.5s", 1500 * time.Millisecond, "", ""},
		{"1us", time.Microsecond, "", ""},
		{"0s", 0, "", `"0s" is not above zero (want for example "7s")`},
		{"0", 0, "", `"0" is not above zero (want for example "7s")`},
		{"5", 0, `"5" is not a duration (want for example "5s")`, `"5" is not a duration (want for example "5s")`},
		{"5 sec", 0, `"5 sec" is not a duration (want for example "5s")`, `"5 sec" is not a duration (want for example "5s")`},
		{" ", 0, `" " is not a duration (want for example "5s")`, `" " is not a duration (want for example "5s")`},
		{"1d", 0, `"1d" is not a duration (want for example "5s")`, `"1d" is not a duration (want for example "5s")`},
		{"9999999h", 0, `"9999999h" is not a duration (want for example "5s")`, `"9999999h" is not a duration (want for example "5s")`},
		{"-1s", 0, `"-1s" is negative (want for example "5s")`, `"-1s" is negative (want for example "5s")`},
	}
	for _, test := range tests {
		got, err := duration(test.in, byDefault)
		if got != test.want || textOf(err) != test.fault {
			t.Errorf("duration(%q) = %v, %q, want %v, %q", test.in, got, textOf(err), test.want, test.fault)
		}
		if _, err := positive(test.in, byDefault); textOf(err) != test.positive {
			t.Errorf("positive(%q) says %q, want %q", test.in, textOf(err), test.positive)
		}
	}
}

func TestQuantity(t *testing.T) {
	tests := []struct {
		in    string
		want  float64
		fault string
	}{
		{"250m", 0.25, ""},
		{"1", 1, ""},
		{"0.5", 0.5, ""},
		{"128Mi", 128 << 20, ""},
		{"1Gi", 1 << 30, ""},
		{"1.5Gi", 1.5 * (1 << 30), ""},
		{"2k", 2000, ""},
		{"1Ki", 1 << 10, ""},
		{"1M", 1e6, ""},
		{"1G", 1e9, ""},
		{"1T", 1e12, ""},
		{"1Ti", 1 << 40, ""},
		{"", 0, `"" is not a quantity (want for example "250m")`},
		{"half", 0, `"half" is not a quantity (want for example "250m")`},
		{"128MB", 0, `"128MB" is not a quantity (want for example "250m")`},
		{"128 Mi", 0, `"128 Mi" is not a quantity (want for example "250m")`},
		{"-1", 0, `"-1" is not a quantity (want for example "250m")`},
		{"1.", 0, `"1." is not a quantity (want for example "250m")`},
		{"128mi", 0, `"128mi" is not a quantity (want for example "250m")`},
		{"0", 0, `"0" is not a quantity above zero (want for example "250m")`},
		{"0.0Gi", 0, `"0.0Gi" is not a quantity above zero (want for example "250m")`},
	}
	for _, test := range tests {
		got, err := quantity(test.in, "250m")
		if got != test.want || textOf(err) != test.fault {
			t.Errorf("quantity(%q) = %v, %q, want %v, %q", test.in, got, textOf(err), test.want, test.fault)
		}
	}
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestResolve(t *testing.T) {
	in := map[protoreflect.FullName]string{}
	for _, full := range []protoreflect.FullName{"a.b.c.Here", "a.b.Outer", "a.Outermost", "Rootmost", "a.b.c.Twice", "a.Twice", "x.y.Z", "a.b.c.Message.VALUE"} {
		in[full] = string(full)
	}
	tests := []struct{ name, want string }{
		{"Here", "a.b.c.Here"},
		{"Outer", "a.b.Outer"},
		{"Outermost", "a.Outermost"},
		{"Rootmost", "Rootmost"},
		{"Twice", "a.b.c.Twice"},
		{"b.Outer", "a.b.Outer"},
		{"x.y.Z", "x.y.Z"},
		{"a.b.c.Here", "a.b.c.Here"},
		{".a.Twice", "a.Twice"},
		{"Message.VALUE", "a.b.c.Message.VALUE"},
		{".Twice", ""},
		{"y.Z", ""},
		{"Nowhere", ""},
		{"", ""},
		{".", ""},
	}
	for _, test := range tests {
		got, ok := resolve(in, "a.b.c", test.name)
		if got != test.want || ok != (test.want != "") {
			t.Errorf("resolve(%q) = %q, %t, want %q", test.name, got, ok, test.want)
		}
	}
	if got, _ := resolve(in, "", "Rootmost"); got != "Rootmost" {
		t.Errorf("without a package Rootmost is %q", got)
	}
}

func TestSuggestion(t *testing.T) {
	in := map[protoreflect.FullName]bool{"a.v1.Config": true, "a.v1.Settings": true, "b.v1.Limits": true, "c.v1.Limits": true}
	tests := []struct{ name, want string }{
		{"Confg", ` (did you mean "Config"?)`},
		{"a.v1.Confg", ` (did you mean "a.v1.Config"?)`},
		{"Limits", ` (did you mean "b.v1.Limits"?)`},
		{"Whatever", ""},
	}
	for _, test := range tests {
		if got := suggestion(in, "a.v1", test.name); got != test.want {
			t.Errorf("suggestion(%q) = %q, want %q", test.name, got, test.want)
		}
	}
}

func TestComment(t *testing.T) {
	tests := []struct {
		comment  Comment
		sentence string
	}{
		{"", ""},
		{"One sentence.", "One sentence"},
		{"One. Two.", "One"},
		{"Over two\nlines. And more.", "Over two lines"},
		{"Version 1.5 works", "Version 1.5 works"},
	}
	for _, test := range tests {
		if got := test.comment.Sentence(); got != test.sentence {
			t.Errorf("the sentence of %q is %q, want %q", test.comment, got, test.sentence)
		}
	}
}
