package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/protosvc/protosvc/test/guide"
)

func newDay(t *testing.T) *day {
	t.Helper()
	return &day{ctx: t.Context(), root: "../..", dir: t.TempDir(), done: []*tally{{lines: map[string]int{}}}}
}

func TestTyped(t *testing.T) {
	d := newDay(t)
	d.addresses = map[string]string{"localhost:8080": "127.0.0.1:1"}
	if err := d.typed("echo a \\\n  b >out\necho localhost:8080 localhost:9 >>out\n"); err != nil {
		t.Fatal(err)
	}
	out, err := os.ReadFile(filepath.Join(d.dir, "out"))
	if want := "a b\n127.0.0.1:1 localhost:9\n"; err != nil || string(out) != want || d.now().commands != 2 {
		t.Errorf("%d commands wrote %q (%v), want 2 and %q", d.now().commands, out, err, want)
	}
	if err := d.typed("echo why; false | true\n"); err == nil || !strings.Contains(err.Error(), "false | true\nexit status 1\nwhy\n") {
		t.Errorf("a command that fails: %v", err)
	}
	if err := d.console("$ echo a\nb\n"); err == nil || !strings.Contains(err.Error(), "the page has\nb\n") {
		t.Errorf("a command that says something else: %v", err)
	}
}

// TestWritten: what is made and what is changed counts, what is quoted does not.
func TestWritten(t *testing.T) {
	d := newDay(t)
	for _, b := range []guide.Block{
		{File: "a/f", Text: "1\n2\n"},
		{File: "a/f", Language: "diff", Text: " 1\n-2\n+3\n+4\n+5\n"},
		{File: "a/f", Quoted: true, Text: "3\n4\n"},
		{File: "g", Text: "1\n"},
	} {
		if err := d.write(b); err != nil {
			t.Fatal(err)
		}
	}
	d.done = append(d.done, &tally{part: "more", took: 90 * time.Second, commands: 2, lines: map[string]int{filepath.Join(d.dir, "g"): 4}})
	d.done[0].commands = 1
	for line, want := range map[int][]string{1: {"1", "0.0", "s", "2", "6"}, 2: {"2", "90.0", "s", "1", "4"}, 3: {"3", "1.5", "min", "2", "10"}} {
		row := strings.Fields(strings.Split(d.report(), "\n")[line])
		if got := row[len(row)-len(want):]; !slices.Equal(got, want) {
			t.Errorf("line %d of the report has %q, want %q", line, got, want)
		}
	}
}
