package main

import (
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

func TestGoPackage(t *testing.T) {
	tests := []struct{ file, pkg, goPackage, want string }{
		{"a/x.proto", "shop.v1", "example.org/shop/v1", "example.com/corpora/c/example.org/shop/v1"},
		{"a/x.proto", "shop.v1", "example.org/shop/v1;shopv1", "example.com/corpora/c/example.org/shop/v1;shopv1"},
		{"a/x.proto", "shop.v1", "example.org/internal/testdata", "example.com/corpora/c/example.org/internal_/testdata_"},
		{"a/x.proto", "shop.v1", "/;alias", "example.com/corpora/c;alias"},
		{"a/x.proto", "shop.v1", "", "example.com/corpora/c/shop/v1"},
		{"a/x.proto", "", "", "example.com/corpora/c/a"},
		{"x.proto", "", "", "example.com/corpora/c"},
	}
	for _, test := range tests {
		f := &descriptorpb.FileDescriptorProto{Name: &test.file, Package: &test.pkg}
		if test.goPackage != "" {
			f.Options = &descriptorpb.FileOptions{GoPackage: proto.String(test.goPackage)}
		}
		if got := goPackage("c", f); got != test.want {
			t.Errorf("%+v: got %s", test, got)
		}
	}
}

func TestCompilerFailures(t *testing.T) {
	var r report
	r.compilerFailures("go vet", "# example.com/corpora/shop\n./shop/a/x.go:3:4: undefined: y\nvet: other-shop/b/z.go:5:6: unreachable\n")
	r.fail("shop", "", "buf: no")
	want := "other-shop: b/z.go:5:6: go vet: unreachable\n" +
		"shop: buf: no\n" +
		"shop: a/x.go:3:4: go vet: undefined: y\n" +
		"0 corpora, 0 files, 0 services, 0 packages built, 3 failures\n"
	if got := r.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestUnknownFailure(t *testing.T) {
	var r report
	r.compilerFailures("go vet", "no space left\n")
	if got := r.String(); !strings.HasPrefix(got, "go vet: no space left\n") {
		t.Errorf("got\n%s", got)
	}
}

// TestTable holds what the table of corpora promises: names of their own, and
// modules that are pinned.
func TestTable(t *testing.T) {
	pins, err := os.ReadFile("pins/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	used := map[string]bool{"": true}
	for _, c := range corpora {
		if names[c.name] {
			t.Errorf("there are two corpora %s", c.name)
		}
		names[c.name] = true
		for _, s := range append(c.from, wellKnown...) {
			used[s.module] = true
		}
	}
	for line := range strings.Lines(string(pins)) {
		if f := strings.Fields(line); len(f) == 2 && strings.HasPrefix(line, "\t") && !used[f[0]] {
			t.Errorf("pins/go.mod requires %s, which no corpus is from", f[0])
		}
	}
	if t.Failed() {
		return
	}
	for m := range used {
		if !strings.Contains(string(pins), m) {
			t.Errorf("pins/go.mod lacks %s", m)
		}
	}
}
