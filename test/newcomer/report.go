package main

import (
	"fmt"
	"strings"
)

// report is a table of what was done.
func (d *day) report() string {
	var out strings.Builder
	row := func(t *tally, took string) {
		lines := 0
		for _, n := range t.lines {
			lines += n
		}
		fmt.Fprintf(&out, "%-50s %8d %8s %6d %6d\n", t.part, t.commands, took, len(t.lines), lines)
	}
	fmt.Fprintf(&out, "%-50s %8s %8s %6s %6s\n", "", "commands", "time", "files", "lines")
	all := &tally{part: "all; a file that is changed again counts once", lines: map[string]int{}}
	for _, t := range d.done {
		row(t, fmt.Sprintf("%.1f s", t.took.Seconds()))
		all.took += t.took
		all.commands += t.commands
		for name, n := range t.lines {
			all.lines[name] += n
		}
	}
	row(all, fmt.Sprintf("%.1f min", all.took.Minutes()))
	return out.String()
}
