// Package guide plays docs/guide: its pages, in order, make a project, and what they say
// of it is compared.
package guide

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/protosvc/protosvc/internal/testreadme"
)

// Block is a fenced block of a page.
type Block struct {
	Line     int    // of its text
	Language string // console, diff, or that of a file
	File     string // that the line before it names
	Quoted   bool   // it is part of the file, and does not make it
	Text     string
}

var (
	fence = regexp.MustCompile("^```(\\w+)$")
	// before is the end of the line before a block of a file.
	before = regexp.MustCompile("`([^` ]+)`( has)?:$")
)

// Parse returns the blocks of a page. All but those of the console have a file.
func Parse(page string) ([]Block, error) {
	var blocks []Block
	lines := strings.Split(page, "\n")
	last := "" // that is not empty
	for i := 0; i < len(lines); i++ {
		m := fence.FindStringSubmatch(lines[i])
		if m == nil {
			if lines[i] != "" {
				last = lines[i]
			}
			continue
		}
		b := Block{Line: i + 2, Language: m[1]}
		if place := before.FindStringSubmatch(last); place != nil {
			b.File, b.Quoted = place[1], place[2] != ""
		}
		if (b.File == "") != (b.Language == "console") {
			return nil, fmt.Errorf("line %d: a block of %s after %q", i+1, b.Language, last)
		}
		for i++; i < len(lines) && lines[i] != "```"; i++ {
			b.Text += lines[i] + "\n"
		}
		blocks, last = append(blocks, b), ""
	}
	return blocks, nil
}

// Apply returns the text of the file after the block, and an error if a block that changes
// or quotes the file does not fit it.
func (b Block) Apply(old string) (string, error) {
	switch {
	case b.Quoted:
		if !regexp.MustCompile(`(?m)^` + Pattern(b.Text)).MatchString(Normal(old)) {
			return old, fmt.Errorf("line %d: %s does not have\n%s", b.Line, b.File, b.Text)
		}
		return old, nil
	case b.Language == "diff":
		text, err := testreadme.Edit(old, b.Text)
		if err != nil {
			return old, fmt.Errorf("line %d: %s: %w", b.Line, b.File, err)
		}
		return text, nil
	}
	return b.Text, nil
}

// Pattern is what a page shows, where "…" stands for anything on the line, and on a line
// of its own for any lines. Indentation does not matter, nor do spaces in a row.
func Pattern(shown string) string {
	var out strings.Builder
	for line := range strings.Lines(shown) {
		line = strings.Join(strings.Fields(line), " ")
		if line == "…" {
			out.WriteString("(?:.*\n)*?")
			continue
		}
		out.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*") + "\n")
	}
	return out.String()
}

// Normal is text as a Pattern is about.
func Normal(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
	}
	return out.String()
}

// Command is a line of the console, and what the page shows of its output.
type Command struct {
	Line, Output string
}

// Commands are those of a block. A line that ends with a backslash goes on.
func Commands(text string) []Command {
	var all []Command
	open := false
	for line := range strings.Lines(text) {
		command, begins := strings.CutPrefix(line, "$ ")
		switch {
		case begins:
			all = append(all, Command{Line: command})
		case len(all) > 0 && open:
			all[len(all)-1].Line += line
		case len(all) > 0:
			all[len(all)-1].Output += line
		}
		open = (begins || open) && strings.HasSuffix(line, "\\\n")
	}
	return all
}

// Compare returns an error if the command says something else than the page shows.
func (c Command) Compare(said string) error {
	if c.Output != "" && !regexp.MustCompile(`^`+Pattern(c.Output)+`$`).MatchString(Normal(said)) {
		return fmt.Errorf("$ %ssays\n%s\nthe page has\n%s", c.Line, said, c.Output)
	}
	return nil
}
