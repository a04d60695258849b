package main_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/plugin"
	"github.com/protosvc/protosvc/templates"
)

// tenMistakes is the proto in testdata/ten_mistakes.txtar.
const tenMistakes = "mistakes/v1/bad.proto"

// TestTenMistakes: many mistakes in one proto give as many messages in one run,
// each with the position of the field, and not one file.
func TestTenMistakes(t *testing.T) {
	c := loadCorpus(t)
	one := c.named(t, "ten_mistakes")
	response, err := plugin.Respond(c.request(one.parameter, tenMistakes), templates.FS)
	if err != nil {
		t.Fatal(err)
	}
	if files := response.GetFile(); len(files) > 0 {
		t.Errorf("%d files in spite of the faults, the first one is %s", len(files), files[0].GetName())
	}
	headline, messages, _ := strings.Cut(response.GetError(), "\n")
	lines := strings.Split(messages, "\n")
	if want := strconv.Itoa(len(lines)) + " faults in the contract (what buf prints below about plugins comes from these):"; headline != want || len(lines) < 10 {
		t.Errorf("headline %q, want %q and 10 or more", headline, want)
	}
	source := strings.Split(texts(one.archive)[tenMistakes], "\n")
	for _, line := range lines {
		checkPosition(t, source, line)
	}
}

// faultLine is path:line:column: Subject: rule: field.path message.
var faultLine = regexp.MustCompile(`^` + regexp.QuoteMeta(tenMistakes) + `:(\d+):(\d+): [\w.]+: [\w-]+: (\S+) `)

// checkPosition wants the field that a message names at the position that it
// names, or a field around it: buf has no positions inside the elements of a
// list. A message that is a field has none either, but its own fields have.
func checkPosition(t *testing.T, source []string, message string) {
	t.Helper()
	m := faultLine.FindStringSubmatch(message)
	if m == nil {
		t.Errorf("%q is not path:line:column: Subject: rule: field message", message)
		return
	}
	line, _ := strconv.Atoi(m[1])
	column, _ := strconv.Atoi(m[2])
	at := source[line-1][column-1:]
	above := strings.TrimSpace(source[line-2])
	for _, step := range strings.Split(m[3], ".") {
		field, _, _ := strings.Cut(step, "[")
		if strings.HasPrefix(at, field+":") || above == field+": {" {
			return
		}
	}
	if !strings.HasPrefix(at, "(google.api.http)") { // what a message about a route is about
		t.Errorf("%q points at %q", message, at)
	}
}

// named returns a case.
func (c *corpus) named(t *testing.T, name string) *testCase {
	t.Helper()
	for _, one := range c.cases {
		if one.name == name {
			return one
		}
	}
	t.Fatalf("no case %s", name)
	return nil
}

// TestWithoutPositions: a compiler that keeps no positions gets the same
// messages without them.
func TestWithoutPositions(t *testing.T) {
	c := loadCorpus(t)
	request := func() *pluginpb.CodeGeneratorRequest {
		return c.request(c.named(t, "ten_mistakes").parameter, tenMistakes)
	}
	_, with := generate(request())
	_, without := generate(withoutPositions(request()))
	position := regexp.MustCompile(regexp.QuoteMeta(tenMistakes) + `:\d+:\d+`)
	want := strings.Split(position.ReplaceAllString(with.Error(), tenMistakes), "\n")
	got := strings.Split(without.Error(), "\n")
	if len(want) != len(got) {
		t.Fatalf("%d lines without positions, %d with", len(got), len(want))
	}
	for _, line := range want {
		if !strings.Contains(without.Error(), line) {
			t.Errorf("without positions there is no %q", line)
		}
	}
}

// TestSystemFiles: what is about all services comes with system=true only.
func TestSystemFiles(t *testing.T) {
	c := loadCorpus(t)
	for parameter, want := range map[string]bool{"root=" + root: false, "root=" + root + ",system=true": true} {
		files, err := generate(c.request(parameter, "bare/v1/bare.proto"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"deploy/README.md", "deploy/index.html", "deploy/kustomization.yaml", "deploy/protosvc.yaml"} {
			if _, got := files[name]; got != want {
				t.Errorf("with %q: %s is written: %t, want %t", parameter, name, got, want)
			}
		}
	}
}

// TestFeatures: the plugin tells the compiler what it understands, and does so
// even when it refuses the contract.
func TestFeatures(t *testing.T) {
	c := loadCorpus(t)
	got, err := plugin.Respond(c.request("root="+root, tenMistakes), templates.FS)
	if err != nil {
		t.Fatal(err)
	}
	if got.Error == nil {
		t.Fatal("no faults")
	}
	if got.GetSupportedFeatures() == 0 || got.GetMinimumEdition() == 0 || got.GetMaximumEdition() < got.GetMinimumEdition() {
		t.Errorf("features %v, editions %v to %v", got.GetSupportedFeatures(), got.GetMinimumEdition(), got.GetMaximumEdition())
	}
}
