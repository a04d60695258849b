package arrows_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// marked is a line by which people and tools know that a file is generated. It
// has to stand alone, whatever starts a comment in the language of the file. A JSON Schema has a keyword
// for comments.
var marked = regexp.MustCompile(`(?m)^(//|#|--|<!--) ?Code generated .* DO NOT EDIT\.( -->)?$|^  "\$comment": "Code generated .* DO NOT EDIT\.`)

// headLines are how far down the mark may stand: after a #! line, a package's
// comment or the leading comment of a proto.
const headLines = 30

// outside are generated files that do not lie below generated/.
var outside = []string{
	"proto/svc/v1/svc.pb.go",    // the annotations, public and committed, so that deleting generated/ can be repaired
	"docs/annotations.md",       // the reference of the annotations, made from their proto
	"test/siege/bare/orderhttp", // what grpc-gateway makes of a contract, for comparison
}

// notMarked are generated files that cannot say so: JSON has no comments.
var notMarked = regexp.MustCompile(`^generated/.*\.openapi\.json$`)

// aboutGenerated reports whether a file is about generated code: a template of
// it, or an expected result.
func aboutGenerated(name string) bool {
	return within(name, "templates") || strings.Contains(name, "/testdata/")
}

// TestFiles checks both ways that generated/ is wholly the machine's, and that
// nothing else is.
func TestFiles(t *testing.T) {
	checked := 0
	for _, name := range repositoryFiles(t) {
		head, ok := readHead(t, name)
		if !ok {
			continue // deleted, and not committed yet
		}
		checked++
		generated := marked.MatchString(head)
		switch {
		case within(name, "generated"):
			if !generated && !notMarked.MatchString(name) {
				t.Errorf("%s is below generated/ and does not say that it is generated", name)
			}
		case generated && !aboutGenerated(name) && !withinAny(name, outside):
			t.Errorf("%s says that it is generated, and is not below generated/", name)
		}
	}
	if checked < 100 {
		t.Errorf("only %d files were checked", checked)
	}
}

// repositoryFiles lists what git tracks or would track.
func repositoryFiles(t *testing.T) []string {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "-coz", "--exclude-standard")
	cmd.Dir = repository
	names, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	return strings.Split(strings.TrimSuffix(string(names), "\x00"), "\x00")
}

// readHead returns the first lines of a file.
func readHead(t *testing.T, name string) (head string, ok bool) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, name))
	if os.IsNotExist(err) {
		return "", false
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfterN(string(text), "\n", headLines+1)
	return strings.Join(lines[:min(len(lines), headLines)], ""), true
}
