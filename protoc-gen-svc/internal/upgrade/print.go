package upgrade

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// json prints the whole report; diffs only where they are asked for.
func (r Report) json(out io.Writer, o Options) error {
	if !o.Diff {
		r.Files = slices.Clone(r.Files)
		for i := range r.Files {
			r.Files[i].Diff = ""
		}
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// text prints what differs, and why as far as it is known.
func (r Report) text(out io.Writer, o Options) error {
	var text strings.Builder
	text.WriteString(r.headline() + "\n")
	for _, line := range r.settings() {
		text.WriteString(line + "\n")
	}
	text.WriteByte('\n')
	width := r.width(o.Verbose)
	for _, f := range r.Files {
		if f.State != Unchanged || o.Verbose {
			f.text(&text, width, o.Diff)
		}
	}
	if width > 0 {
		text.WriteByte('\n')
	}
	text.WriteString(r.summary())
	_, err := io.WriteString(out, text.String())
	return err
}

// width is that of the longest path that is printed, 0 for none.
func (r Report) width(verbose bool) (width int) {
	for _, f := range r.Files {
		if f.State != Unchanged || verbose {
			width = max(width, len(f.Path))
		}
	}
	return width
}

func (f File) text(out *strings.Builder, width int, withDiff bool) {
	line := fmt.Sprintf("%-9s  %-*s", f.State, width, f.Path)
	if f.Added > 0 {
		line += fmt.Sprintf("  +%d", f.Added)
	}
	if f.Removed > 0 {
		line += fmt.Sprintf("  -%d", f.Removed)
	}
	out.WriteString(strings.TrimRight(line, " ") + "\n")
	for _, c := range f.Changes {
		fmt.Fprintf(out, "           %s\n", c)
	}
	if withDiff {
		out.WriteString(f.Diff)
	}
}

// summary counts, and says where differences come from that no version explains.
func (r Report) summary() string {
	counts := map[State]int{}
	for _, f := range r.Files {
		counts[f.State]++
	}
	var parts []string
	for _, s := range []State{Unchanged, Changed, New, Gone} {
		parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
	}
	text := strings.Join(parts, ", ") + "\n"
	if counts[Unchanged] == len(r.Files) {
		return text
	}
	if r.Recorded != nil && r.Recorded.Version == r.Version {
		text += "The version is the same, so the contract, an option or a template has changed, or a file was edited.\n"
	}
	if counts[Gone] > 0 {
		text += "Files that are gone stay where they are, unless buf.gen.yaml says \"clean: true\".\n"
	}
	return text + "Nothing is written: \"buf generate\" does that.\n"
}
