package workflow_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// upgrade makes a new version of the plugin, whose images differ, and checks that
// it says so, through buf, about exactly the files that "buf generate" then
// changes, and that it changes none itself.
func upgrade(t *testing.T, c checkout) {
	c.bufGenerate(t)
	c.edit(t, "templates/docker/Dockerfile.tmpl", edit{`^FROM scratch$`, "FROM scratch\nLABEL of=\"the next version\""})
	c.edit(t, "protoc-gen-svc/internal/release/release.go",
		edit{`^const Version = "[0-9.]+"$`, `const Version = "99.0.0"`},
		edit{`(\treturn \[\]Change\{)`, "$1\n{\"99.0.0\", \"docker/*\", \"images have a label\", \"they are known\"},"})

	before := c.snapshot(t, ".")
	said := c.run(t, "go", "run", "./protoc-gen-svc", "upgrade", "--buf="+strings.Join(buf, " "))
	wantSame(t, before, c.snapshot(t, "."))
	if n := strings.Count(said, "\n           99.0.0: images have a label, so that they are known\n"); n != 3 {
		t.Errorf("the reason is given %d times, want 3:\n%s", n, said)
	}

	c.bufGenerate(t)
	var changed []string
	for name, content := range c.snapshot(t, "generated") {
		if before[name] != content {
			changed = append(changed, strings.TrimPrefix(name, "generated/"))
		}
	}
	slices.Sort(changed)
	var named []string
	for _, f := range regexp.MustCompile(`(?m)^changed +(\S+)`).FindAllStringSubmatch(said, -1) {
		named = append(named, f[1])
	}
	if len(changed) != 4 || !slices.Equal(named, changed) {
		t.Errorf("upgrade names %q, and %q changed\n%s", named, changed, said)
	}
}
