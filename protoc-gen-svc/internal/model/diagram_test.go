package model

import (
	"fmt"
	"slices"
	"testing"
)

// systemOf is a system whose services call each other, by "a b" for a calls b; "a ~b"
// defers.
func systemOf(services int, calls ...string) *System {
	s := &System{}
	byName := map[string]*Service{}
	for i := range services {
		name := string(rune('a' + i%26))
		one := &Service{Name: name, FullName: name, System: "shop"}
		byName[name] = one
		s.Services = append(s.Services, one)
	}
	for _, call := range calls {
		from, to := byName[call[:1]], byName[call[len(call)-1:]]
		m := &Method{}
		if deferred := len(call) > 3; deferred {
			m.Defers = []Call{{Service: to.FullName}}
		} else {
			m.Calls = []Call{{Service: to.FullName}}
		}
		from.Methods = append(from.Methods, m)
		if !slices.ContainsFunc(from.Callees, func(c *Callee) bool { return c.Service == to }) {
			from.Callees = append(from.Callees, &Callee{FullName: to.FullName, Service: to})
		}
	}
	s.connect()
	return s
}

// TestDiagram: what is drawn, and how.
func TestDiagram(t *testing.T) {
	s := systemOf(4, "a b", "a ~b", "a ~c")
	s.Services[1].Database = &Database{}
	for _, one := range s.Services[:2] { // the same external service
		one.HTTPCallees = append(one.HTTPCallees, &HTTPCallee{Name: "fraud_check", URL: "https://fraud.example.com"})
	}
	s.Services[2].HTTPCallees = []*HTTPCallee{{Name: "fraud_check", URL: "https://other.example.com"}}
	d := s.Diagram()
	var lines, boxes []string
	for _, l := range d.Lines {
		lines = append(lines, fmt.Sprintf("%s>%s %t %t", l.From, l.To, l.Deferred, l.Arrow))
	}
	for _, b := range d.Boxes {
		boxes = append(boxes, fmt.Sprint(b.Label, " ", b.Width))
	}
	wantLines := []string{
		"a>b false true", "a>c true true",
		"a>external fraud_check false false", ">external fraud_check false false", ">external fraud_check false true",
		"b>external fraud_check false true", "c>external fraud_check false true",
	}
	if !slices.Equal(lines, wantLines) {
		t.Errorf("lines are %q, want %q", lines, wantLines)
	}
	if want := []string{"a 29", "b 45", "c 29", "fraud_check 104", "fraud_check 104"}; !slices.Equal(boxes, want) {
		t.Errorf("boxes are %q, want %q", boxes, want)
	}
	if alone := s.Alone(); len(alone) != 1 || alone[0].Name != "d" {
		t.Errorf("alone are %v, want d", alone)
	}
}

// TestNoDiagram: nothing is drawn where there is nothing to see, or too much.
func TestNoDiagram(t *testing.T) {
	tests := []struct {
		name            string
		system          *System
		drawn, drawable bool
	}{
		{"no services", systemOf(0), false, true},
		{"no calls", systemOf(3), false, true},
		{"as many as one can read", systemOf(150, "a b"), true, true},
		{"one more", systemOf(151, "a b"), false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.system.Diagram() != nil; got != test.drawn || test.system.Drawable() != test.drawable {
				t.Errorf("drawn: %t, drawable: %t; want %t, %t", got, test.system.Drawable(), test.drawn, test.drawable)
			}
		})
	}
}

func TestShorten(t *testing.T) {
	for in, want := range map[string]string{"": "", "order": "order", "abcdefg": "abcdefg", "abcdefgh": "abc…fgh", "äöüäöüäöü": "äöü…äöü"} {
		if got := shorten(in, 7); got != want {
			t.Errorf("shorten(%q) = %q, want %q", in, got, want)
		}
	}
}
