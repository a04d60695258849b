// Package testreadme has what README.md and docs/own-module.md tell readers to do, for
// tests that do so.
package testreadme

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Section is part of a page.
type Section struct{ page, text string }

// Find returns a section of a page.
func Find(page, title string) (Section, error) {
	text, err := os.ReadFile(page)
	if err != nil {
		return Section{}, err
	}
	_, after, found := strings.Cut(string(text), "\n## "+title+"\n")
	if !found {
		return Section{}, fmt.Errorf("%s has no section %q", page, title)
	}
	part, _, _ := strings.Cut(after, "\n## ")
	return Section{page, part}, nil
}

// Block returns the first block of a language that has some words in it.
func (s Section) Block(language, words string) (string, error) {
	m := regexp.MustCompile("```" + language + "\n([^`]*" + regexp.QuoteMeta(words) + "[^`]*)```").FindStringSubmatch(s.text)
	if m == nil {
		return "", fmt.Errorf("%s has no block of %s with %q", s.page, language, words)
	}
	return m[1], nil
}

// OwnModule is what is said of services in a module of the reader's own. Begin, Generate
// and Handlers are commands, Edit is the diff of buf.gen.yaml before the last of them.
type OwnModule struct{ Begin, Generate, Edit, Handlers string }

const (
	release = "go run github.com/protosvc/protosvc/protoc-gen-svc@latest init\n"
	beside  = "../protosvc "
)

// ReadOwnModule reads the pages of a checkout, which takes the place of the release, as
// README.md says too.
func ReadOwnModule(root string) (m OwnModule, err error) {
	begin, err := Find(filepath.Join(root, "README.md"), "In your own module")
	if err != nil {
		return m, err
	}
	handlers, err := Find(filepath.Join(root, "docs/own-module.md"), "Handlers")
	if err != nil {
		return m, err
	}
	var checkout string
	for _, b := range []struct {
		to              *string
		from            Section
		language, words string
	}{
		{&m.Begin, begin, "sh", release},
		{&checkout, begin, "sh", beside},
		{&m.Generate, begin, "sh", "buf generate\n"},
		{&m.Edit, handlers, "diff", "handlers="},
		{&m.Handlers, handlers, "sh", "protoc-gen-svc sync\n"},
	} {
		if *b.to, err = b.from.Block(b.language, b.words); err != nil {
			return m, err
		}
	}
	m.Begin = strings.Replace(m.Begin, release, strings.Replace(checkout, beside, "'"+root+"' ", 1), 1)
	return m, nil
}

// WithHandlers is a buf.gen.yaml after the edit.
func (m OwnModule) WithHandlers(text string) (string, error) { return Edit(text, m.Edit) }

// Edit returns the text after a diff without line numbers: what it removes and has around
// that must be there exactly once. A line of "@@" begins the next change.
func Edit(text, diff string) (string, error) {
	for _, hunk := range regexp.MustCompile(`(?m)^@@.*\n`).Split(diff, -1) {
		var from, to strings.Builder
		for line := range strings.Lines(hunk) {
			kind, rest := line[0], line[1:]
			if kind == '\n' { // an empty line around a change
				kind, rest = ' ', line
			}
			if kind != '+' {
				from.WriteString(rest)
			}
			if kind != '-' {
				to.WriteString(rest)
			}
		}
		if n := strings.Count(text, from.String()); n != 1 {
			return "", fmt.Errorf("this is there %d times, want once:\n%s", n, &from)
		}
		text = strings.Replace(text, from.String(), to.String(), 1)
	}
	return text, nil
}
