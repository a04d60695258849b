package httprule_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/protosvc/protosvc/internal/httprule"
)

func lit(text string) httprule.Segment { return httprule.Segment{Literal: text} }

var (
	star = httprule.Segment{Kind: httprule.Single}
	rest = httprule.Segment{Kind: httprule.Multi}
)

type (
	segments  = []httprule.Segment
	variables = []httprule.Variable
)

func TestParse(t *testing.T) {
	for text, want := range map[string]httprule.Template{
		"/":                         {},
		"/v1":                       {Segments: segments{lit("v1")}},
		"/v1/*/x":                   {Segments: segments{lit("v1"), star, lit("x")}},
		"/v1/**":                    {Segments: segments{lit("v1"), rest}},
		"/v1/**:read":               {Segments: segments{lit("v1"), rest}, Verb: "read"},
		"/v1/{id}":                  {Segments: segments{lit("v1"), star}, Variables: variables{{"id", 1, 1}}},
		"/v1/{id=*}":                {Segments: segments{lit("v1"), star}, Variables: variables{{"id", 1, 1}}},
		"/v1/{id=me}":               {Segments: segments{lit("v1"), lit("me")}, Variables: variables{{"id", 1, 1}}},
		"/v1/{id}:read":             {Segments: segments{lit("v1"), star}, Variables: variables{{"id", 1, 1}}, Verb: "read"},
		"/v1/{a.b_2.c=x/*/**}:read": {Segments: segments{lit("v1"), lit("x"), star, rest}, Variables: variables{{"a.b_2.c", 1, 3}}, Verb: "read"},
		"/{a=x/*}/y/{b}":            {Segments: segments{lit("x"), star, lit("y"), star}, Variables: variables{{"a", 0, 2}, {"b", 3, 1}}},
		"/a:b/c:d:e":                {Segments: segments{lit("a:b"), lit("c:d")}, Verb: "e"},
		"/{a=b:c}":                  {Segments: segments{lit("b:c")}, Variables: variables{{"a", 0, 1}}},
		"/a%2fb/%C3%bc:%3a":         {Segments: segments{lit("a/b"), lit("ü")}, Verb: ":"},
		"/-._~!$&'()+,;=@":          {Segments: segments{lit("-._~!$&'()+,;=@")}},
		"/{a}/{ab}":                 {Segments: segments{star, star}, Variables: variables{{"a", 0, 1}, {"ab", 1, 1}}},
	} {
		got, err := httprule.Parse(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]httprule.Error{
		"":               {0, `a path begins with "/"`},
		"v1/x":           {0, `a path begins with "/"`},
		"//":             {1, "a segment is empty"},
		"/v1/":           {4, "a segment is empty"},
		"/v1//x":         {4, "a segment is empty"},
		"/:read":         {1, "a segment is empty"},
		"/v1/:read":      {4, "a segment is empty"},
		"/{a=}":          {4, "a segment is empty"},
		"/{a=x/}":        {6, "a segment is empty"},
		"/}":             {1, "a segment is empty"},
		"/v1:":           {4, `the verb after ":" is empty`},
		"/v1/{id}:":      {9, `the verb after ":" is empty`},
		"/v1}":           {3, `'}' is out of place (want "/", or ":" and a verb at the end)`},
		"/**/x":          {4, `a segment follows "**", which takes the rest of the path`},
		"/{a=**}/{b}":    {8, `a segment follows "**", which takes the rest of the path`},
		"/{a=**/x}":      {7, `a segment follows "**", which takes the rest of the path`},
		"/***":           {3, `'*' follows a wildcard, which is a segment of its own`},
		"/*x":            {2, `'x' follows a wildcard, which is a segment of its own`},
		"/x*":            {2, `"*" is a segment of its own (write %2A for the character)`},
		"/x:a*":          {4, `"*" is a segment of its own (write %2A for the character)`},
		"/{a}x":          {4, `'x' follows a variable, which is a segment of its own`},
		"/{a}:read/x":    {4, `':' follows a variable, which is a segment of its own`},
		"/{a}{b}":        {4, `'{' follows a variable, which is a segment of its own`},
		"/x{a}":          {2, "a variable is a segment of its own"},
		"/{a=x/{b}}":     {6, "a variable stands inside another one"},
		"/{a":            {3, `the variable "a" is not closed (want "}")`},
		"/{a/b":          {3, `the variable "a" is not closed (want "}")`},
		"/{a=*":          {5, `the variable "a" is not closed (want "}")`},
		"/{}":            {2, "the name of a field is missing"},
		"/{a.}":          {4, "the name of a field is missing"},
		"/{.a}":          {2, "the name of a field is missing"},
		"/{1a}":          {2, "the name of a field is missing"},
		"/{a}/{a}":       {6, `the variable "a" is bound twice`},
		"/{a}/{a.b}":     {6, `the variables "a" and "a.b" set one field`},
		"/{a.b.c}/{a.b}": {10, `the variables "a.b.c" and "a.b" set one field`},
		"/a%2":           {2, `"%" is not followed by two hexadecimal digits`},
		"/a%g0":          {2, `"%" is not followed by two hexadecimal digits`},
		"/a:b%":          {4, `"%" is not followed by two hexadecimal digits`},
		"/a%2:b":         {2, `"%" is not followed by two hexadecimal digits`},
		"/a b":           {2, "a character does not belong in a path (write %20)"},
		"/a?b":           {2, "a character does not belong in a path (write %3F)"},
		"/ü":             {1, "a character does not belong in a path (write %C3%BC)"},
		"/\xff":          {1, "a character does not belong in a path (write %FF)"},
		"/a\x00":         {2, "a character does not belong in a path (write %00)"},
		"/*\x00":         {2, `'\x00' is out of place (want "/", or ":" and a verb at the end)`},
		"/{a}\x00":       {4, `'\x00' is out of place (want "/", or ":" and a verb at the end)`},
	} {
		_, err := httprule.Parse(text)
		var got *httprule.Error
		if !errors.As(err, &got) || *got != want {
			t.Errorf("Parse(%q): %v, want %v", text, err, &want)
		}
	}
	if got, want := (&httprule.Error{Offset: 3, Text: "a segment is empty"}).Error(), "at offset 3: a segment is empty"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}

func TestString(t *testing.T) {
	for text, want := range map[string]string{
		"/":                       "/",
		"/v1/{id=*}/{x=**}":       "/v1/{id}/{x=**}",
		"/{a=x/*/**}:read":        "/{a=x/*/**}:read",
		"/{a=me}/*":               "/{a=me}/*",
		"/a:b/c:d:e":              "/a%3Ab/c%3Ad:e",
		"/%61%2f%2A%c3%bc:%3a%7E": "/a%2F%2A%C3%BC:%3A~",
	} {
		if got := parse(t, text).String(); got != want {
			t.Errorf("Parse(%q).String() = %q, want %q", text, got, want)
		}
	}
}

func TestOverlap(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"/v1/{name=shelves/*}", "/v1/shelves/{id}", true},
		{"/v1/users/{x}", "/v1/{x=users/*}", true},
		{"/v1/{id}", "/v1/{name=*}", true},
		{"/v1/{id}", "/v1/*", true},
		{"/v1/{a=**}", "/v1/**", true},
		{"/v1/a%62", "/v1/ab", true},
		{"/v1/{id}:read", "/v1/{name}:%72ead", true},
		{"/v1/{id}:read", "/v1/{id}", false},
		{"/v1/{id}:read", "/v1/{id}:write", false},
		{"/v1/files/{name=**}", "/v1/files/{name}", false},
		{"/v1/{name=shelves/*}", "/v1/{name=authors/*}", false},
		{"/v1/{name=shelves/*}", "/v1/{name=shelves/*/books/*}", false},
		{"/v1/*/me", "/v1/users/*", false},
		{"/v1/users%3Afind", "/v1/users:find", false},
	} {
		a, b := parse(t, test.a), parse(t, test.b)
		if got := httprule.Overlap(a, b); got != test.want || httprule.Overlap(b, a) != got {
			t.Errorf("Overlap(%s, %s) = %t, want %t, and the same the other way round", a, b, got, test.want)
		}
	}
}

func parse(t testing.TB, text string) httprule.Template {
	t.Helper()
	template, err := httprule.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return template
}

// FuzzParse: what Parse accepts has a canonical form, which is the same template.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"/", "/v1/{id}:read", "/{a.b=x/*/**}:y", "/a%2Fb/c:d:e", "/{a=b:c}", "/{a}/{a}", "//", "/{", "/%", "/*\x00", "/\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		template, err := httprule.Parse(text)
		if err != nil {
			var at *httprule.Error
			if !errors.As(err, &at) || at.Offset < 0 || at.Offset > len(text) || at.Text == "" {
				t.Fatalf("Parse(%q): %#v", text, err)
			}
			return
		}
		canonical := template.String()
		again, err := httprule.Parse(canonical)
		if err != nil || !reflect.DeepEqual(again, template) || again.String() != canonical {
			t.Fatalf("Parse(%q) = %+v, printed %q, read %+v, %v", text, template, canonical, again, err)
		}
	})
}
