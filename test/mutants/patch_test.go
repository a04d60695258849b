package main

import (
	"strings"
	"testing"
)

const patched = `diff --git a/a/b.go b/a/b.go
index 899ad3b..6cce609 100644
--- a/a/b.go
+++ b/a/b.go
@@ -2,3 +2,2 @@ func f() {
 two
-three
 four
@@ -6 +5,2 @@
-six
+6
+six and a half
`

func TestPatch(t *testing.T) {
	hunks, err := parsePatch(patched)
	if err != nil {
		t.Fatal(err)
	}
	if len(hunks) != 1 || len(hunks["a/b.go"]) != 2 {
		t.Fatalf("hunks %v, want two of a/b.go", hunks)
	}
	for _, c := range []struct{ name, source, want, err string }{
		{"as it was", "one two three four five six seven", "one two four five 6 six_and_a_half seven", ""},
		{"further down", "zero one two three four five six", "zero one two four five 6 six_and_a_half", ""},
		{"further up", "two three four six", "two four 6 six_and_a_half", ""},
		{"twice, and once there", "one two three four five six two three four", "one two four five 6 six_and_a_half two three four", ""},
		{"twice, and not there", "two three four two three four six", "", "line 2: the lines that the hunk changes are 2 times in the file, and not there"},
		{"changed", "one two 3 four five six", "", "line 2: the lines that the hunk changes are not in the file"},
		{"short", "one", "", "line 2: the lines that the hunk changes are not in the file"},
		{"second hunk only changed", "one two three four five 6", "", "line 6: the lines that the hunk changes are not in the file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := apply(asLines(c.source), hunks["a/b.go"])
			if c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Errorf("error %v, want %s", err, c.err)
				}
				return
			}
			if err != nil || got != asLines(c.want) {
				t.Errorf("%q, %v, want %q", got, err, asLines(c.want))
			}
		})
	}
}

// asLines makes a line of each word.
func asLines(words string) string {
	return strings.ReplaceAll(strings.ReplaceAll(words, " ", "\n"), "_", " ") + "\n"
}

func TestPatchesRefused(t *testing.T) {
	const head = "--- a/b.go\n+++ b/b.go\n"
	for _, c := range []struct{ name, diff, err string }{
		{"nothing", "", "the patch names no file to change"},
		{"no file", "@@ -1 +1 @@\n-a\n+b\n", "the patch names no file to change"},
		{"new file", "--- /dev/null\n+++ b/b.go\n@@ -0,0 +1 @@\n+b\n", `"--- /dev/null\n" is no line of a patch that changes a file`},
		{"renamed", "--- a/a.go\n+++ b/b.go\n", `"a.go" becomes "b.go": a mutant changes files only`},
		{"prose", head + "hello\n", `"hello\n" is no line of a patch that changes a file`},
		{"header", head + "@@ -1,x +1 @@\n", `"@@ -1,x +1 @@\n" is no header of a hunk`},
		{"no context", head + "@@ -1,0 +2 @@\n+b\n", `"@@ -1,0 +2 @@\n" says nothing of the lines around it`},
		{"too short", head + "@@ -1,2 +1 @@\n-a\n", "the patch ends in the middle of a hunk"},
		{"too long", head + "@@ -1 +1,2 @@\n-a\n-b\n", `"-b\n" is a line more than the hunk has`},
		{"no newline", head + "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n", `"\\ No newline at end of file\n" is no line of a hunk`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := parsePatch(c.diff); err == nil || err.Error() != c.err {
				t.Errorf("error %v, want %s", err, c.err)
			}
		})
	}
}
