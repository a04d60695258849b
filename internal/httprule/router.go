package httprule

import (
	"slices"
	"strings"
)

// AnyMethod is the method of a rule that holds for all methods: the kind "*" of a
// custom pattern.
const AnyMethod = "*"

// Rule is a template for requests of one HTTP method.
type Rule struct {
	Method   string
	Template Template
}

// Router finds the rule for a request. It may be used by several goroutines.
type Router struct {
	rules   []Rule
	methods []string // sorted, without AnyMethod
	roots   map[string]*node
}

// New makes a router. The order of the rules does not matter, except among those
// of one method that one path matches equally well, see [Overlap]: the last wins.
func New(rules []Rule) *Router {
	r := &Router{rules: slices.Clone(rules), roots: map[string]*node{}}
	for i, rule := range r.rules {
		if r.roots[rule.Method] == nil {
			r.roots[rule.Method] = &node{}
			r.methods = append(r.methods, rule.Method)
		}
		r.roots[rule.Method].add(rule.Template, index(i+1))
	}
	r.methods = slices.DeleteFunc(r.methods, func(m string) bool { return m == AnyMethod })
	slices.Sort(r.methods)
	return r
}

// Outcome is how a search ended.
type Outcome uint8

// The outcomes, and the status that HTTP has for each.
const (
	NotFound   Outcome = iota // 404
	Found                     // a rule
	NotAllowed                // 405: only rules of other methods match the path
	Malformed                 // 400: a percent sign without two hexadecimal digits
)

// Match is what a router says about a request.
type Match struct {
	Outcome Outcome
	// Rule is the index of the rule when there is one.
	Rule int
	// Captures are the values of its variables, in their order. Those of one
	// segment are decoded; in those of several, "%2F" remains as it is. Nothing says
	// that they are UTF-8.
	Captures []string
	// Allow are the methods that the path does have when the method is none of
	// them, sorted.
	Allow []string
}

// Match finds the most specific rule that has the method and matches the path,
// which is as it came over the wire, [net/url.URL.EscapedPath].
//
// Of two templates the more specific one is that which at the first segment where
// they differ has a literal rather than a wildcard, or * rather than **; or which
// has a verb, where their segments do not tell. Rules of any method come last.
func (r *Router) Match(method, path string) Match {
	if malformed(path) {
		return Match{Outcome: Malformed}
	}
	p, ok := split(path)
	if !ok {
		return Match{}
	}
	found := r.roots[method].match(p)
	if found == none {
		found = r.roots[AnyMethod].match(p)
	}
	if found != none {
		i := int(found - 1)
		return Match{Outcome: Found, Rule: i, Captures: r.rules[i].Template.captures(p)}
	}
	if allow := r.allow(p); allow != nil {
		return Match{Outcome: NotAllowed, Allow: allow}
	}
	return Match{}
}

// Methods are those that a path has, sorted, for a client that means to use one of them:
// where a rule of any method matches it is among them. They are nil where none match.
func (r *Router) Methods(method, path string) []string {
	p, ok := split(path)
	if !ok || malformed(path) {
		return nil
	}
	out := r.allow(p)
	if r.roots[AnyMethod].match(p) != none && !slices.Contains(out, method) {
		out = append(out, method)
		slices.Sort(out)
	}
	return out
}

func (r *Router) allow(p target) (out []string) {
	for _, method := range r.methods {
		if r.roots[method].match(p) != none {
			out = append(out, method)
		}
	}
	return out
}

// target is a path without the slash it begins with, and what of it may be a verb:
// what follows the last colon of the last segment.
type target struct{ path, verb string }

func split(path string) (target, bool) {
	path, ok := strings.CutPrefix(path, "/")
	last := strings.LastIndexByte(path, '/') + 1
	colon := strings.LastIndexByte(path[last:], ':')
	if colon < 0 {
		return target{path: path}, ok
	}
	return target{path, path[last+colon+1:]}, ok
}

// captures are the values of the variables in a path that matches.
func (t Template) captures(p target) []string {
	if len(t.Variables) == 0 {
		return nil
	}
	path := p.path
	if t.Verb != "" {
		path = withoutVerb(path, p.verb)
	}
	out := make([]string, len(t.Variables))
	for i, v := range t.Variables {
		text := skip(path, v.First)
		switch {
		case t.rest(v):
			out[i] = decodeSegments(text)
		case v.Count > 1:
			out[i] = decodeSegments(take(text, v.Count))
		default:
			out[i] = decode(take(text, 1))
		}
	}
	return out
}

func withoutVerb(path, verb string) string { return path[:len(path)-len(verb)-1] }

// skip is a path without its first segments.
func skip(path string, segments int) string {
	for range segments {
		_, path, _ = strings.Cut(path, "/")
	}
	return path
}

// take are the first segments of a path.
func take(path string, segments int) string {
	end := 0
	for range segments {
		i := strings.IndexByte(path[end:], '/')
		if i < 0 {
			return path
		}
		end += i + 1
	}
	return path[:end-1]
}
