package httprule_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/protosvc/protosvc/internal/httprule"
)

// route finds the rules in any order, which must not matter, and prints what is
// found: the rule and its captures, or the methods that are allowed.
func route(t testing.TB, rules []string, method, path string) string {
	t.Helper()
	var parsed []httprule.Rule
	for _, rule := range rules {
		method, text, _ := strings.Cut(rule, " ")
		parsed = append(parsed, httprule.Rule{Method: method, Template: parse(t, text)})
	}
	var answers []string
	for range 4 {
		order := rand.Perm(len(rules))
		shuffled := make([]httprule.Rule, len(rules))
		for i, from := range order {
			shuffled[i] = parsed[from]
		}
		m := httprule.New(shuffled).Match(method, path)
		answer := [...]string{"not found", "", "not allowed", "malformed"}[m.Outcome]
		if m.Outcome == httprule.Found {
			answer = rules[order[m.Rule]]
		}
		for _, more := range [][]string{m.Captures, m.Allow} {
			if more != nil {
				answer += " [" + strings.Join(more, "|") + "]"
			}
		}
		answers = append(answers, answer)
	}
	if all := slices.Compact(answers); len(all) > 1 {
		t.Errorf("%s %s depends on the order of the rules: %q", method, path, all)
	}
	return answers[0]
}

func TestMatch(t *testing.T) {
	for _, group := range []struct {
		rules []string
		want  map[string]string
	}{
		{[]string{"GET /v1/{name=shelves/*}", "GET /v1/{name=shelves/*/books/*}", "GET /v1/{name=authors/*}", "GET /v1/files/{name=**}", "GET /v1/files/{name}"}, map[string]string{
			"GET /v1/shelves/1":             "GET /v1/{name=shelves/*} [shelves/1]",
			"GET /v1/shelves/1/books/2":     "GET /v1/{name=shelves/*/books/*} [shelves/1/books/2]",
			"GET /v1/shelves/1/books":       "not found",
			"GET /v1/shelves/":              "not found",
			"GET /v1/authors/a%2Fb%20c":     "GET /v1/{name=authors/*} [authors/a%2Fb c]",
			"GET /v1/files":                 "GET /v1/files/{name=**} []",
			"GET /v1/files/":                "GET /v1/files/{name=**} []",
			"GET /v1/files/a%2Fb":           "GET /v1/files/{name} [a/b]",
			"GET /v1/files/a/b%2fc%2Fd%41/": "GET /v1/files/{name=**} [a/b%2fc%2FdA/]",
			"GET /v1/files//":               "GET /v1/files/{name=**} [/]",
			"GET /v1/%66iles/a":             "GET /v1/files/{name} [a]",
			"GET /v1%2Ffiles/a":             "not found",
			"GET v1/files/a":                "not found",
			"GET ":                          "not found",
			"GET /":                         "not found",
			"GET *":                         "not found",
			"PUT /v1/files/a":               "not allowed [GET]",
			"PUT /v1":                       "not found",
			"get /v1/files/a":               "not allowed [GET]",
		}},
		{[]string{"GET /v1/users/me", "GET /v1/users/{id}", "DELETE /v1/users/all", "DELETE /v1/users/{id}", "PATCH /v1/users/{id}", "GET /v1/books/{id}:read", "GET /v1/books/{id}"}, map[string]string{
			"GET /v1/users/me":          "GET /v1/users/me",
			"GET /v1/users/%6De":        "GET /v1/users/me",
			"GET /v1/users/5":           "GET /v1/users/{id} [5]",
			"GET /v1/users/me:x":        "GET /v1/users/{id} [me:x]",
			"DELETE /v1/users/me":       "DELETE /v1/users/{id} [me]",
			"DELETE /v1/users/all":      "DELETE /v1/users/all",
			"POST /v1/users/me":         "not allowed [DELETE|GET|PATCH]",
			"GET /v1/books/1:read":      "GET /v1/books/{id}:read [1]",
			"GET /v1/books/1:%72ead":    "GET /v1/books/{id}:read [1]",
			"GET /v1/books/1%3Aread":    "GET /v1/books/{id} [1:read]",
			"GET /v1/books/a:b:read":    "GET /v1/books/{id}:read [a:b]",
			"GET /v1/books/1":           "GET /v1/books/{id} [1]",
			"GET /v1/books/1:write":     "GET /v1/books/{id} [1:write]",
			"GET /v1/books/:read":       "GET /v1/books/{id} [:read]",
			"GET /v1/books/1:":          "GET /v1/books/{id} [1:]",
			"GET /v1/books/1:read/":     "not found",
			"GET /v1/books/%":           "malformed",
			"GET /nowhere/%4":           "malformed",
			"PUT /v1/users/%g0":         "malformed",
			"GET /v1/books/%ff%25%2B+?": "GET /v1/books/{id} [\xff%++?]",
		}},
		{[]string{"GET /a/*/c", "GET /a/b/**", "GET /a/b/d", "GET /*/b/e", "GET /**"}, map[string]string{
			"GET /a/b/c": "GET /a/b/**", // literal before *
			"GET /a/x/c": "GET /a/*/c",
			"GET /a/b/e": "GET /a/b/**",
			"GET /a/b":   "GET /a/b/**",
			"GET /a/b/d": "GET /a/b/d",
			"GET /x/b/e": "GET /*/b/e", // back from the literal
			"GET /a/x/e": "GET /**",
			"GET /":      "GET /**",
			"GET //":     "GET /**",
		}},
		{[]string{"GET /{a=**}:read", "GET /{a}", "GET /{a=**}", "GET /x%3Aread", "GET /x:read"}, map[string]string{
			"GET /x:read":   "GET /x:read",
			"GET /x%3Aread": "GET /x%3Aread",
			"GET /y:read":   "GET /{a} [y:read]",
			"GET /y/z:read": "GET /{a=**}:read [y/z]",
			"GET /:read":    "GET /{a} [:read]",
			"GET /y/:read":  "GET /{a=**}:read [y/]",
			"GET /y/z":      "GET /{a=**} [y/z]",
			"GET /y:read/z": "GET /{a=**} [y:read/z]",
		}},
		{[]string{"GET /", "POST /**", "POST /"}, map[string]string{
			"GET /":  "GET /",
			"POST /": "POST /",
			"PUT /":  "not allowed [GET|POST]",
			"GET //": "not allowed [POST]",
		}},
		{[]string{"POST /{a=b}/{c=d/**}", "POST /{a.b=x/*}/{c}/{d=e/f/*}:g"}, map[string]string{
			"POST /b/d":           "POST /{a=b}/{c=d/**} [b|d]",
			"POST /b/d/":          "POST /{a=b}/{c=d/**} [b|d/]",
			"POST /b/d/e/%2a":     "POST /{a=b}/{c=d/**} [b|d/e/*]",
			"POST /%62/d/%7E%2D":  "POST /{a=b}/{c=d/**} [b|d/~-]",
			"POST /x/1/2/e/f/3:g": "POST /{a.b=x/*}/{c}/{d=e/f/*}:g [x/1|2|e/f/3]",
			"POST /x/1/2/e/f/3":   "not found",
		}},
		{[]string{"* /v1/{id}", "GET /v1/{id}", "* /v1/me", "PURGE /v1/me", "* /w"}, map[string]string{
			"GET /v1/me":   "GET /v1/{id} [me]",
			"PURGE /v1/me": "PURGE /v1/me",
			"PUT /v1/me":   "* /v1/me",
			"PUT /v1/x":    "* /v1/{id} [x]",
			"* /w":         "* /w",
			"BREW /w":      "* /w",
		}},
	} {
		for request, want := range group.want {
			method, path, _ := strings.Cut(request, " ")
			if got := route(t, group.rules, method, path); got != want {
				t.Errorf("%s: %s, want %s", request, got, want)
			}
		}
	}
}

// A rule of any method has the one that a client asks about, too.
func TestMethods(t *testing.T) {
	var rules []httprule.Rule
	for _, rule := range []string{"POST /v1/a", "GET /v1/a", "* /v1/any", "GET /v1/any"} {
		method, path, _ := strings.Cut(rule, " ")
		template, err := httprule.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, httprule.Rule{Method: method, Template: template})
	}
	r := httprule.New(rules)
	for request, want := range map[string]string{
		"PUT /v1/a": "GET POST", "GET /v1/any": "GET", "DELETE /v1/any": "DELETE GET",
		"GET /v1/b": "", "GET v1/a": "", "DELETE /v1/any%": "",
	} {
		method, path, _ := strings.Cut(request, " ")
		if got := strings.Join(r.Methods(method, path), " "); got != want {
			t.Errorf("%s: %q, want %q", request, got, want)
		}
	}
}

// TestSlash: what several segments capture keeps escaped slashes, and nothing else, as
// they are on the wire.
func TestSlash(t *testing.T) {
	var path, want strings.Builder
	path.WriteByte('/')
	for c := range 256 {
		escape := "%" + strings.ToUpper(strconv.FormatInt(int64(c)+256, 16)[1:])
		path.WriteString(escape)
		if c == '/' {
			want.WriteString(escape)
		} else {
			want.WriteByte(byte(c))
		}
	}
	router := httprule.New([]httprule.Rule{{Method: "GET", Template: parse(t, "/{a=**}")}})
	if got := router.Match("GET", path.String()); !slices.Equal(got.Captures, []string{want.String()}) {
		t.Errorf("got %q, want %q", got.Captures, want.String())
	}
}

// TestLast: of rules that match equally well, the last one wins.
func TestLast(t *testing.T) {
	for _, text := range []string{"/v1/{a}", "/v1/**", "/v1/x:y"} {
		rule := httprule.Rule{Method: "GET", Template: parse(t, text)}
		if got := httprule.New([]httprule.Rule{rule, rule}).Match("GET", "/v1/x:y"); got.Rule != 1 {
			t.Errorf("%s twice: rule %d", text, got.Rule)
		}
	}
}

func TestAllocations(t *testing.T) {
	router := httprule.New([]httprule.Rule{
		{"GET", parse(t, "/v1/users/{id}/books/{book}:read")},
		{"GET", parse(t, "/v1/users/{id}/{any=**}")},
		{"GET", parse(t, "/v1/users/me")},
	})
	for path, want := range map[string]float64{
		"/v1/us%65rs/me":             0,
		"/v1/nothing":                0,
		"/v1/users/1/books/2:read":   1,
		"/v1/users/1/books/2:re%61d": 1,
		"/v1/users/%31%32/b":         2, // the slice and the one that is decoded
		"/v1/users/1/b/%41/%41":      2,
	} {
		if got := testing.AllocsPerRun(100, func() { router.Match("GET", path) }); got != want {
			t.Errorf("%s: %v allocations, want %v", path, got, want)
		}
	}
}

// FuzzMatch compares the router with a matcher that tries each rule by itself.
func FuzzMatch(f *testing.F) {
	f.Add("GET /v1/{a}\nGET /v1/{a}:b\nPUT /v1/**\n* /v1", "GET", "/v1/x:b", uint64(1))
	f.Add("GET /a/*/c\nGET /a/b/**\nGET /*/b/{e=**}:x", "GET", "/a/b/%2F:x", uint64(2))
	f.Add("GET /x%3Ay\nGET /x:y\nGET /x/**:y\nGET /x%3Ay/**\nGET /\nGET /**", "GET", "/x:y", uint64(3))
	f.Add("GET /*/**:y\nGET /*\nGET /*:y", "POST", "/x:y", uint64(4))
	f.Fuzz(func(t *testing.T, text, method, path string, seed uint64) {
		var rules []httprule.Rule
		for line := range strings.Lines(text) {
			method, path, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			if template, err := httprule.Parse(path); err == nil {
				rules = append(rules, httprule.Rule{Method: method, Template: template})
			}
		}
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(rules), func(i, j int) { rules[i], rules[j] = rules[j], rules[i] })
		got, want := httprule.New(rules).Match(method, path), naive(rules, method, path)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%v: %s %q: %+v, want %+v", rules, method, path, got, want)
		}
	})
}

// TestRandom compares both on paths and templates of few letters, so that many
// templates match one path.
func TestRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	text := func(segments ...string) string {
		out := ""
		for range 1 + random.IntN(4) {
			out += "/" + pick(segments...)
		}
		return out + pick("", "", ":x", ":%79", ":a:x")
	}
	matched := 0
	for range 20_000 {
		var rules []httprule.Rule
		for range 12 {
			template, err := httprule.Parse(text("a", "%61", "b", "a%3Ax", "*", "*", "{v}", "{v=a}", "{w=a/*}", "{w=**}", "{u=b/**}", "**"))
			if err == nil {
				rules = append(rules, httprule.Rule{Method: pick("GET", "GET", "PUT", "*"), Template: template})
			}
		}
		path := text("a", "b", "c%2fd%2D", "", "a:x", "a%3Ax", ":x")
		got, want := httprule.New(rules).Match("GET", path), naive(rules, "GET", path)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%v: GET %q: %+v, want %+v", rules, path, got, want)
		}
		if got.Outcome == httprule.Found {
			matched++
		}
	}
	if matched < 2000 {
		t.Errorf("%d paths matched", matched)
	}
}
