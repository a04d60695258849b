// Package page writes sections of docs/benchmarks.md, each of which has a command of its own.
package page

import (
	"fmt"
	"os"
	"strings"
)

const written = "<!-- Written by "

// Write replaces what a command has written to the page before, or appends it. A section
// ends where the next one begins.
func Write(path, command, text string) error {
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(replace(string(before), command, text)), 0o644)
}

func replace(page, command, text string) string {
	mark := fmt.Sprintf("%s%s. DO NOT EDIT. -->\n", written, command)
	section := mark + "\n" + strings.TrimSpace(text) + "\n"
	before, old, found := strings.Cut(page, mark)
	if !found {
		return strings.TrimRight(page, "\n") + "\n\n" + section
	}
	if next := strings.Index(old, written); next >= 0 {
		section += "\n" + old[next:]
	}
	return before + section
}
