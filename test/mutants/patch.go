package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// hunk is one place that a patch changes.
type hunk struct {
	// line is where the old lines begin, from 1.
	line     int
	old, new []string
	// lines that the header promises and that have not come yet
	oldLeft, newLeft int
}

// parsePatch returns the hunks of a unified diff by the name of the file. Files
// are changed only, neither created nor renamed.
func parsePatch(diff string) (map[string][]hunk, error) {
	hunks := map[string][]hunk{}
	var from, file string
	var open *hunk
	for line := range strings.Lines(diff) {
		switch {
		case open != nil:
			if err := open.add(line); err != nil {
				return nil, err
			}
		case strings.HasPrefix(line, "--- a/"):
			from = strings.TrimSpace(strings.TrimPrefix(line, "--- a/"))
		case strings.HasPrefix(line, "+++ b/"):
			if file = strings.TrimSpace(strings.TrimPrefix(line, "+++ b/")); file != from {
				return nil, fmt.Errorf("%q becomes %q: a mutant changes files only", from, file)
			}
		case strings.HasPrefix(line, "@@ "):
			h, err := parseHeader(line)
			if err != nil {
				return nil, err
			}
			hunks[file] = append(hunks[file], h)
			open = &hunks[file][len(hunks[file])-1]
		case !strings.HasPrefix(line, "diff ") && !strings.HasPrefix(line, "index "):
			return nil, fmt.Errorf("%q is no line of a patch that changes a file", line)
		}
		if open != nil && open.oldLeft == 0 && open.newLeft == 0 {
			open = nil
		}
	}
	if open != nil {
		return nil, errors.New("the patch ends in the middle of a hunk")
	}
	if len(hunks) == 0 || hunks[""] != nil {
		return nil, errors.New("the patch names no file to change")
	}
	return hunks, nil
}

// parseHeader reads "@@ -5,4 +5,3 @@ func f() {". A count that is left out is 1.
func parseHeader(line string) (hunk, error) {
	fields := strings.Fields(line)
	bad := fmt.Errorf("%q is no header of a hunk", line)
	if len(fields) < 4 || fields[3] != "@@" {
		return hunk{}, bad
	}
	var h hunk
	var newLine int
	for _, side := range []struct {
		text, sign  string
		line, count *int
	}{{fields[1], "-", &h.line, &h.oldLeft}, {fields[2], "+", &newLine, &h.newLeft}} {
		*side.count = 1
		format := side.sign + "%d"
		want := []any{side.line}
		if strings.Contains(side.text, ",") {
			format += ",%d"
			want = append(want, side.count)
		}
		if n, err := fmt.Sscanf(side.text, format, want...); err != nil || n != len(want) {
			return hunk{}, bad
		}
	}
	if h.oldLeft == 0 {
		return hunk{}, fmt.Errorf("%q says nothing of the lines around it", line)
	}
	return h, nil
}

// add takes the next line of the hunk's body.
func (h *hunk) add(line string) error {
	text := line[1:]
	switch line[0] {
	case ' ':
		h.old, h.new = append(h.old, text), append(h.new, text)
		h.oldLeft, h.newLeft = h.oldLeft-1, h.newLeft-1
	case '-':
		h.old = append(h.old, text)
		h.oldLeft--
	case '+':
		h.new = append(h.new, text)
		h.newLeft--
	default:
		return fmt.Errorf("%q is no line of a hunk", line)
	}
	if h.oldLeft < 0 || h.newLeft < 0 {
		return fmt.Errorf("%q is a line more than the hunk has", line)
	}
	return nil
}

// apply returns the source with the hunks' new lines in the place of the old ones.
//
// Old lines that are not where the header says may be elsewhere, as others edit
// the file, but then in one place only: a mutant must not move to where it means
// something else.
func apply(source string, hunks []hunk) (string, error) {
	lines := slices.Collect(strings.Lines(source))
	shift := 0 // what the hunks before have added
	for _, h := range hunks {
		at, err := h.find(lines, h.line-1+shift)
		if err != nil {
			return "", err
		}
		lines = slices.Replace(lines, at, at+len(h.old), h.new...)
		shift += len(h.new) - len(h.old)
	}
	return strings.Join(lines, ""), nil
}

// find returns the index of the line where the hunk begins.
func (h hunk) find(lines []string, want int) (int, error) {
	var places []int
	for i := range len(lines) - len(h.old) + 1 {
		if slices.Equal(lines[i:i+len(h.old)], h.old) {
			places = append(places, i)
		}
	}
	switch {
	case slices.Contains(places, want):
		return want, nil
	case len(places) == 1:
		return places[0], nil
	case len(places) == 0:
		return 0, fmt.Errorf("line %d: the lines that the hunk changes are not in the file", h.line)
	}
	return 0, fmt.Errorf("line %d: the lines that the hunk changes are %d times in the file, and not there", h.line, len(places))
}
