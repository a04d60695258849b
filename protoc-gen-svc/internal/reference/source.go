package reference

import (
	"regexp"
	"strings"
)

// comments are the comments of a proto file by the name of what they stand in
// front of, without the package: "Service", "Service.name", "Balance.BALANCE_UNSPECIFIED".
// Extensions have their own name: "service".
type comments map[string]string

var (
	block = regexp.MustCompile(`^(message|enum|extend)\s+([\w.]+)\s*\{$`)
	entry = regexp.MustCompile(`^(?:(?:optional|repeated)\s+)?(?:[\w.]+\s+)?(\w+)\s*=\s*\d+`)
)

// readComments reads the comments of a file that has been formatted by buf: a
// declaration on a line of its own, line comments above it, one block in
// another at the most. It is made for svc.proto, which a test holds it against.
func readComments(source string) comments {
	out := comments{}
	var above []string
	prefix := ""
	for line := range strings.Lines(source) {
		line = strings.TrimSpace(line)
		if text, ok := strings.CutPrefix(line, "//"); ok {
			above = append(above, strings.TrimPrefix(text, " "))
			continue
		}
		text := strings.Join(above, "\n")
		above = nil
		if m := block.FindStringSubmatch(line); m != nil {
			prefix = m[2] + "."
			if m[1] == "extend" {
				prefix = ""
			} else {
				out[m[2]] = text
			}
			continue
		}
		if m := entry.FindStringSubmatch(line); m != nil {
			out[prefix+m[1]] = text
		}
	}
	return out
}

// about is a comment taken apart.
type about struct {
	meaning  string
	fallback string // what holds when the field is not set; empty when not said
	example  string
	required bool
}

// The sentences by which comments say defaults and examples.
var (
	defaultSentence  = regexp.MustCompile(`\bDefault: (.+?)\.( Example: |\s*$|$)`)
	exampleSentence  = regexp.MustCompile(`\bExample: (.+?)\.$`)
	requiredSentence = regexp.MustCompile(`\bRequired(?:\.|[, ])`)
)

// parse takes the comment of a field apart. Its last sentences are, in this
// order, "Required." or "Default: …." and "Example: ….".
func parse(comment string) about {
	text := strings.Join(strings.Fields(comment), " ")
	var a about
	if m := exampleSentence.FindStringSubmatchIndex(text); m != nil {
		a.example = text[m[2]:m[3]]
		text = strings.TrimSpace(text[:m[0]])
	}
	if m := defaultSentence.FindStringSubmatchIndex(text); m != nil {
		a.fallback = text[m[2]:m[3]]
		text = strings.TrimSpace(text[:m[0]])
	}
	a.required = requiredSentence.MatchString(text)
	a.meaning = strings.TrimSpace(strings.TrimSuffix(text, "Required."))
	return a
}
