package httprule_test

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/protosvc/protosvc/internal/httprule"
)

// naive is Match as one would write it down: it tries each rule, keeps those that
// match and takes the best one.
func naive(rules []httprule.Rule, method, path string) httprule.Match {
	if _, err := url.PathUnescape(path); err != nil {
		return httprule.Match{Outcome: httprule.Malformed}
	}
	var allow []string
	for _, wanted := range []string{method, httprule.AnyMethod} {
		best := httprule.Match{}
		rank := ""
		for i, r := range rules {
			captures, ok := matches(r.Template, path)
			if !ok {
				continue
			}
			if r.Method != httprule.AnyMethod {
				allow = append(allow, r.Method)
			}
			if r.Method != wanted {
				continue
			}
			if mine := rankOf(r.Template); rank == "" || mine <= rank {
				rank, best = mine, httprule.Match{Outcome: httprule.Found, Rule: i, Captures: captures}
			}
		}
		if rank != "" {
			return best
		}
	}
	if allow != nil {
		slices.Sort(allow)
		return httprule.Match{Outcome: httprule.NotAllowed, Allow: slices.Compact(allow)}
	}
	return httprule.Match{}
}

// rankOf is a text that is the lower, the more specific a template is.
func rankOf(t httprule.Template) string {
	rank := ""
	for _, s := range t.Segments {
		rank += map[httprule.Kind]string{httprule.Literal: "b", httprule.Single: "c", httprule.Multi: "d"}[s.Kind]
	}
	if t.Verb == "" {
		return rank + "a1" // the end comes before what may be empty
	}
	return rank + "a0"
}

// matches tries one template.
func matches(t httprule.Template, path string) (captures []string, ok bool) {
	path, ok = strings.CutPrefix(path, "/")
	segments := strings.Split(path, "/")
	if path == "" {
		segments = nil
	}
	if t.Verb != "" && ok {
		parts := strings.Split(path, ":")
		verb := parts[len(parts)-1]
		if len(parts) == 1 || strings.Contains(verb, "/") || unescape(verb) != t.Verb {
			return nil, false
		}
		segments = strings.Split(strings.TrimSuffix(path, ":"+verb), "/")
	}
	if !ok || !fits(t.Segments, segments) {
		return nil, false
	}
	for _, v := range t.Variables {
		captures = append(captures, captured(t.Segments[v.First:v.First+v.Count], segments[v.First:]))
	}
	return captures, true
}

func fits(template []httprule.Segment, segments []string) bool {
	for i, s := range template {
		switch {
		case s.Kind == httprule.Multi:
			return len(segments) >= i
		case i >= len(segments):
			return false
		case s.Kind == httprule.Single && segments[i] == "", s.Kind == httprule.Literal && unescape(segments[i]) != s.Literal:
			return false
		}
	}
	return len(template) == len(segments)
}

var slash = regexp.MustCompile(`(?i)%(2F)`)

func captured(template []httprule.Segment, segments []string) string {
	rest := template[len(template)-1].Kind == httprule.Multi
	if len(template) == 1 && !rest {
		return unescape(segments[0])
	}
	if !rest {
		segments = segments[:len(template)]
	}
	return unescape(slash.ReplaceAllString(strings.Join(segments, "/"), "%25$1"))
}

func unescape(s string) string {
	out, err := url.PathUnescape(s)
	if err != nil {
		panic(err)
	}
	return out
}
