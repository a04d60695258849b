package rules_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/rules"
)

var update = flag.Bool("update", false, "rewrite the wanted outputs in testdata")

// repository is the root of the repository, where the tools run.
const repository = "../../.."

// TestGolden compares what is generated for testdata/*.txtar, or refused, with
// what the archives want. All protos are compiled in one run of buf, so each
// archive has a proto package of its own.
func TestGolden(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	module := t.TempDir()
	protos := map[string][]string{}
	for _, name := range archives {
		protos[name] = extract(t, name, filepath.Join(module, "proto"))
	}
	image := compile(t, module)
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			got := generate(t, image, protos[name])
			golden(t, name, got)
			for range 4 {
				slices.Reverse(protos[name])
				if diff := cmp.Diff(got, generate(t, image, protos[name])); diff != "" {
					t.Fatalf("another run has another output (-first +now):\n%s", diff)
				}
			}
		})
	}
}

// extract writes the protos of an archive and returns their names.
func extract(t *testing.T, archive, to string) []string {
	t.Helper()
	var names []string
	for _, file := range parse(t, archive).Files {
		if !strings.HasSuffix(file.Name, ".proto") {
			continue
		}
		names = append(names, file.Name)
		write(t, filepath.Join(to, file.Name), file.Data)
	}
	return names
}

func parse(t *testing.T, archive string) *txtar.Archive {
	t.Helper()
	out, err := txtar.ParseFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// compile builds the protos of a folder with buf.
func compile(t *testing.T, module string) *descriptorpb.FileDescriptorSet {
	t.Helper()
	const validate = "buf/validate/validate.proto"
	var downloaded struct{ Dir string }
	if err := json.Unmarshal(run(t, "go", "mod", "download", "-json", "github.com/bufbuild/protovalidate@v1.2.2"), &downloaded); err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(downloaded.Dir, "proto/protovalidate", validate))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(module, "validate", validate), source)
	write(t, filepath.Join(module, "buf.yaml"), []byte("version: v2\nmodules:\n  - path: proto\n  - path: validate\n"))
	image := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(run(t, "go", "tool", "-modfile=tools/buf/go.mod", "buf", "build", module, "-o", "-"), image); err != nil {
		t.Fatal(err)
	}
	return image
}

func run(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	command := exec.Command(name, args...)
	command.Dir = repository
	var problems bytes.Buffer
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", command, err, problems.String(), out)
	}
	return out
}

// generate returns the outputs for some files by name: the Go code for each of
// them, or the faults.
func generate(t *testing.T, image *descriptorpb.FileDescriptorSet, files []string) map[string]string {
	t.Helper()
	gen, err := protogen.Options{}.New(&pluginpb.CodeGeneratorRequest{
		ProtoFile:      image.GetFile(),
		FileToGenerate: files,
	})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, name := range files {
		file := gen.FilesByPath[name]
		set, faults := rules.Build(file.Messages, "Test", nil)
		if !faults.Empty() {
			out[name+".faults"] = faults.String() + "\n"
			continue
		}
		g := gen.NewGeneratedFile(name+".go", "example.com/rules")
		g.P("package rules")
		set.Emit(g)
		content, err := g.Content()
		if err != nil {
			t.Fatal(err)
		}
		out[name+".go"] = string(content)
	}
	return out
}

// golden compares outputs with those in the archive, or rewrites them.
func golden(t *testing.T, archive string, got map[string]string) {
	t.Helper()
	old := parse(t, archive)
	want := map[string]string{}
	next := &txtar.Archive{Comment: old.Comment}
	for _, file := range old.Files {
		if !strings.HasSuffix(file.Name, ".proto") {
			want[file.Name] = string(file.Data)
			continue
		}
		next.Files = append(next.Files, file)
		for _, suffix := range []string{".go", ".faults"} {
			if text, ok := got[file.Name+suffix]; ok {
				next.Files = append(next.Files, txtar.File{Name: file.Name + suffix, Data: []byte(text)})
			}
		}
	}
	if *update {
		write(t, archive, txtar.Format(next))
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("other output than %s has (-update rewrites it; -want +got):\n%s", archive, diff)
	}
}
