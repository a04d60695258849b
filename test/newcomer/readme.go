package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// section is part of README.md. What it does not have is empty, and then a command or a
// file is missing, which the next command notices.
type section string

func (d *day) section(title string) (section, error) {
	text, err := os.ReadFile(filepath.Join(d.root, "README.md"))
	if err != nil {
		return "", err
	}
	_, after, found := strings.Cut(string(text), "\n## "+title+"\n")
	if !found {
		return "", fmt.Errorf("README.md has no section %q", title)
	}
	part, _, _ := strings.Cut(after, "\n## ")
	return section(part), nil
}

// file is the YAML that follows a paragraph which begins with the name of a file.
func (s section) file(name string) string {
	return s.block("(?s)\n`" + regexp.QuoteMeta(name) + "`[^`]*```yaml\n(.*?)```")
}

// commands are the first block of commands that has some words in it.
func (s section) commands(words string) string {
	return s.block("```sh\n([^`]*" + regexp.QuoteMeta(words) + "[^`]*)```")
}

func (s section) block(pattern string) string {
	m := regexp.MustCompile(pattern).FindStringSubmatch(string(s))
	if m == nil {
		return ""
	}
	return m[1]
}
