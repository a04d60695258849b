package fault

import (
	"regexp"
	"slices"
	"strings"
)

// Message is one thing that can be said about a contract: a row of the tables
// that the plugin prints from and that docs/diagnostics.md is made of.
type Message struct {
	// Rule is the name of the rule that is broken, in kebab case. Several
	// messages may be about one rule.
	Rule string

	// Format is the text, with verbs as for fmt.Sprintf.
	Format string
}

// Rule says why a rule is there and what to do about it, in Markdown.
type Rule struct{ Name, Why string }

var verb = regexp.MustCompile(`%[qsdv]`)

// Markdown is the reference of the rules, by name, with their messages.
func Markdown(rules []Rule, messages []Message) string {
	var out strings.Builder
	out.WriteString(preamble)
	rules = slices.SortedFunc(slices.Values(rules), func(a, b Rule) int { return strings.Compare(a.Name, b.Name) })
	for _, r := range rules {
		out.WriteString("\n## " + r.Name + "\n\n" + r.Why + "\n\n")
		for _, m := range messages {
			if m.Rule == r.Name {
				out.WriteString("- `" + verb.ReplaceAllString(m.Format, "…") + "`\n")
			}
		}
	}
	return out.String()
}

const preamble = `<!-- Written by "protoc-gen-svc doc diagnostics" from the tables that the plugin prints from. DO NOT EDIT. -->

# Diagnostics

What protoc-gen-svc says about a contract that cannot work. Nothing is written then. All mistakes
are said in one run, in the order of the files:

    path:line:column: Service.Method: rule: text

The position is that of the option's field as far as the compiler knows it: buf knows the fields
inside an option, protoc the option, neither an element of a list; so the text names the field,
` + "`calls[1]`" + `. Paths are as in the import; the option ` + "`proto_root=proto`" + ` of the plugin puts a folder
before them, from which editors find the file. In the texts below, … stands for what the contract
says, or for a suggestion.
`
