// Package httprule has the paths of google.api.http: their grammar, and a router
// that finds the rule for a path. It is one reading of the specification, for the
// generator, which refuses what it does not accept, and for the runtime. The
// specification is the comment in google/api/http.proto.
package httprule

import (
	"slices"
	"strings"
)

// Kind is what a segment of a template stands for.
type Kind uint8

// The kinds, the most specific first.
const (
	Literal Kind = iota // this text
	Single              // *, any one segment that is not empty
	Multi               // **, all segments that are left, which may be none
)

// Segment is what stands between two slashes of a template, its variables
// expanded: /v1/{name=shelves/*} has the segments v1, shelves and *.
type Segment struct {
	Kind Kind
	// Literal is the text of a literal, without percent-encoding.
	Literal string
}

// Variable is a {field.path=segments} of a template.
type Variable struct {
	// Field is the path of the field in the request, "shelf.name".
	Field string
	// First is the index of its first segment, Count how many it has. The last
	// one may be **, and then what it captures ends with the path.
	First, Count int
}

// Template is a path of google.api.http. The zero value is the path "/".
type Template struct {
	Segments  []Segment
	Variables []Variable
	// Verb is what follows the colon at the end, without percent-encoding;
	// empty where there is none.
	Verb string
}

// rest reports whether a variable takes all that is left of a path.
func (t Template) rest(v Variable) bool {
	return v.Count > 0 && t.Segments[v.First+v.Count-1].Kind == Multi
}

// Overlap reports whether some path is matched by both templates equally well,
// so that neither is more specific: /v1/{name=shelves/*} and /v1/shelves/{id} are
// such a pair. Of templates that overlap in part, one is more specific.
func Overlap(a, b Template) bool {
	return a.Verb == b.Verb && slices.Equal(a.Segments, b.Segments)
}

// String is the template in its canonical form, which [Parse] reads as the same
// template: {a=*} is {a}, and literals escape what need not stand for itself.
func (t Template) String() string {
	var out strings.Builder
	variables := t.Variables
	for i := 0; i < len(t.Segments); {
		out.WriteByte('/')
		if len(variables) == 0 || variables[0].First != i {
			t.Segments[i].print(&out)
			i++
			continue
		}
		t.printVariable(&out, variables[0])
		i += variables[0].Count
		variables = variables[1:]
	}
	if len(t.Segments) == 0 {
		out.WriteByte('/')
	}
	if t.Verb != "" {
		out.WriteByte(':')
		printLiteral(&out, t.Verb)
	}
	return out.String()
}

func (t Template) printVariable(out *strings.Builder, v Variable) {
	out.WriteString("{" + v.Field)
	segments := t.Segments[v.First : v.First+v.Count]
	if v.Count > 1 || segments[0].Kind != Single {
		separator := byte('=')
		for _, s := range segments {
			out.WriteByte(separator)
			s.print(out)
			separator = '/'
		}
	}
	out.WriteByte('}')
}

func (s Segment) print(out *strings.Builder) {
	switch s.Kind {
	case Literal:
		printLiteral(out, s.Literal)
	case Single:
		out.WriteString("*")
	case Multi:
		out.WriteString("**")
	}
}

// printLiteral escapes colons too, which would begin a verb in some places.
func printLiteral(out *strings.Builder, text string) {
	const hex = "0123456789ABCDEF"
	for i := range len(text) {
		if c := text[i]; c != ':' && plain(c) {
			out.WriteByte(c)
		} else {
			out.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
}
