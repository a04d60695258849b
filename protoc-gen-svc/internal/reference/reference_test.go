package reference

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/reflect/protoreflect"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

var update = flag.Bool("update", false, "rewrite docs/annotations.md")

// TestFresh: docs/annotations.md is what svc.proto says.
func TestFresh(t *testing.T) {
	const file = "../../../docs/annotations.md"
	got, err := Markdown()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("docs/annotations.md is stale (go test ./protoc-gen-svc/internal/reference -update rewrites it; -want +got):\n%s", diff)
	}
}

// TestEveryFieldSaysItsDefault: the comment of each field names a default or
// says "Required". A message has the defaults of its fields.
func TestEveryFieldSaysItsDefault(t *testing.T) {
	all := readComments(svcv1.Source)
	for i := range svcv1.File_svc_v1_svc_proto.Messages().Len() {
		m := svcv1.File_svc_v1_svc_proto.Messages().Get(i)
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			name := string(m.Name()) + "." + string(f.Name())
			if fallback(f, parse(all[name])) == "" {
				t.Errorf("the comment of %s names no default and does not say that it is required: %q", name, all[name])
			}
		}
	}
}

// TestCommentsAreComplete: the reader of comments finds one for every
// declaration that the descriptors have, and nothing else.
func TestCommentsAreComplete(t *testing.T) {
	want := map[string]bool{}
	file := svcv1.File_svc_v1_svc_proto
	for i := range file.Extensions().Len() {
		want[string(file.Extensions().Get(i).Name())] = true
	}
	for i := range file.Messages().Len() {
		m := file.Messages().Get(i)
		want[string(m.Name())] = true
		for i := range m.Fields().Len() {
			want[string(m.Name())+"."+string(m.Fields().Get(i).Name())] = true
		}
	}
	for i := range file.Enums().Len() {
		e := file.Enums().Get(i)
		want[string(e.Name())] = true
		for i := range e.Values().Len() {
			want[string(e.Name())+"."+string(e.Values().Get(i).Name())] = true
		}
	}
	got := map[string]bool{}
	for name, text := range readComments(svcv1.Source) {
		got[name] = strings.TrimSpace(text) != ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("comments (-want +got):\n%s", diff)
	}
}

// TestEveryAnnotationIsInTheTable: the table lists each extension of the file.
func TestEveryAnnotationIsInTheTable(t *testing.T) {
	listed := map[protoreflect.FullName]bool{}
	for _, a := range annotations {
		listed[a.extension.FullName()] = true
	}
	extensions := svcv1.File_svc_v1_svc_proto.Extensions()
	for i := range extensions.Len() {
		if name := extensions.Get(i).FullName(); !listed[name] {
			t.Errorf("%s is not in the table", name)
		}
	}
}

func TestParse(t *testing.T) {
	tests := []struct {
		comment string
		want    about
	}{
		{"Just words.", about{meaning: "Just words."}},
		{"How long.\nDefault: \"2s\".", about{meaning: "How long.", fallback: `"2s"`}},
		{"Share.\nDefault: 0.01. Example: 0.1.", about{meaning: "Share.", fallback: "0.01", example: "0.1"}},
		{"Name. Required. Example: \"a.B\".", about{meaning: "Name.", example: `"a.B"`, required: true}},
		{"Required on every value; OK is refused.", about{meaning: "Required on every value; OK is refused.", required: true}},
		{"Values.\nRequired, one value at the least.", about{meaning: "Values. Required, one value at the least.", required: true}},
		{"One.\nDefault: none; \"{}\" declares one. With defaults.", about{meaning: "One.", fallback: "none; \"{}\" declares one. With defaults"}},
	}
	for _, test := range tests {
		if got := parse(test.comment); got != test.want {
			t.Errorf("%q: got %+v, want %+v", test.comment, got, test.want)
		}
	}
}

func ExampleMarkdown() {
	text, err := Markdown()
	if err != nil {
		panic(err)
	}
	_, _ = os.Stdout.WriteString(text[strings.Index(text, "# Annotations"):strings.Index(text, "\n\nWhat a contract")])
	// Output: # Annotations
}
