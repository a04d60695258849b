package main_test

import (
	"flag"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/settings"
)

var update = flag.Bool("update", false, "rewrite what the archives in testdata want")

// Sections of an archive that hold what is wanted.
const (
	wantPrefix    = "want/"    // an output, whole
	changesPrefix = "changes/" // what an option changes in all outputs
	faultsSuffix  = ".faults"  // what is said about a proto that is refused
	explained     = "explain"  // what is in force, as the command prints it
)

// TestGolden compares what the plugin makes of testdata/*.txtar with what the
// archives want.
func TestGolden(t *testing.T) {
	c := loadCorpus(t)
	for _, one := range c.cases {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			want := &txtar.Archive{Comment: one.archive.Comment, Files: c.sections(t, one)}
			compare(t, one, want)
		})
	}
}

// sections are the files of the archive as they should be: the inputs as they
// are, each wanted section with what comes out today.
func (c *corpus) sections(t *testing.T, one *testCase) []txtar.File {
	t.Helper()
	outputs := c.generateGood(t, one)
	var next []txtar.File
	for _, f := range one.archive.Files {
		name, isWant := strings.CutPrefix(f.Name, wantPrefix)
		option, isChange := strings.CutPrefix(f.Name, changesPrefix)
		switch {
		case isWant:
			text, ok := outputs[name]
			if !ok {
				t.Errorf("no output %s: there are %s", name, strings.Join(slices.Sorted(maps.Keys(outputs)), ", "))
			}
			f.Data = []byte(text)
		case isChange:
			f.Data = []byte(c.changes(t, one, outputs, option))
		case f.Name == explained:
			f.Data = []byte(c.explain(t, one))
		case strings.HasSuffix(f.Name, faultsSuffix):
			continue // follows the last of its protos
		}
		next = append(next, f)
		for _, run := range one.bad {
			if f.Name == run.protos[len(run.protos)-1] {
				next = append(next, txtar.File{Name: run.name + faultsSuffix, Data: []byte(c.faults(t, one, run))})
			}
		}
	}
	return next
}

func (c *corpus) explain(t *testing.T, one *testCase) string {
	t.Helper()
	groups, err := settings.OfRequests([]*pluginpb.CodeGeneratorRequest{c.request(one.parameter, one.good...)})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := settings.Verbose(&out, groups); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func (c *corpus) faults(t *testing.T, one *testCase, run *badRun) string {
	t.Helper()
	files, err := generate(c.request(one.parameter, run.protos...))
	if err == nil {
		t.Errorf("%s is not refused and generates %d files", run.name, len(files))
		return ""
	}
	return err.Error() + "\n"
}

func compare(t *testing.T, one *testCase, next *txtar.Archive) {
	t.Helper()
	if *update {
		if err := write(filepath.Join("testdata", one.name+".txtar"), txtar.Format(next)); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(texts(one.archive), texts(next)); diff != "" {
		t.Errorf("testdata/%s.txtar wants something else (-want +got; go test ./protoc-gen-svc -update rewrites it):\n%s", one.name, diff)
	}
}

func texts(a *txtar.Archive) map[string]string {
	out := map[string]string{}
	for _, f := range a.Files {
		out[f.Name] = string(f.Data)
	}
	return out
}
