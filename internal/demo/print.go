package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// The styles of a terminal, as parameters of its escape sequence.
const (
	bold  = "1"
	faint = "2"
	red   = "31"
	green = "32"
	cyan  = "36"
)

// keyWidth is where the second column begins.
const keyWidth = 10

// printer writes for a person.
type printer struct {
	w      io.Writer
	colour bool
	steps  int
}

// newPrinter uses colour on a terminal, unless NO_COLOR is set.
func newPrinter(f *os.File) *printer {
	info, err := f.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return &printer{w: f, colour: terminal && os.Getenv("NO_COLOR") == ""}
}

// title begins the next step.
func (p *printer) title(text string) {
	p.steps++
	fmt.Fprintf(p.w, "\n%s\n", p.style(bold, fmt.Sprintf("%2d. %s", p.steps, text)))
}

// row is a line of two columns.
func (p *printer) row(key, format string, args ...any) {
	fmt.Fprintf(p.w, "    %s %s\n", p.style(faint, fmt.Sprintf("%-*s", keyWidth, key)), fmt.Sprintf(format, args...))
}

// command is a line to copy.
func (p *printer) command(line string) {
	fmt.Fprintf(p.w, "    %s\n", p.style(cyan, line))
}

// heading is a line above commands.
func (p *printer) heading(text string) {
	fmt.Fprintf(p.w, "\n%s\n", p.style(bold, text))
}

func (p *printer) success(format string, args ...any) {
	fmt.Fprintf(p.w, "\n%s\n", p.style(green, fmt.Sprintf(format, args...)))
}

func (p *printer) failure(err error) {
	fmt.Fprintf(p.w, "\n%s %s\n", p.style(red, "FAILED:"), strings.TrimSpace(err.Error()))
}

func (p *printer) style(parameter, text string) string {
	if !p.colour {
		return text
	}
	return "\x1b[" + parameter + "m" + text + "\x1b[0m"
}
