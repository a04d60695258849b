package main_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/internal/testfolder"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
)

// TestBuild puts the outputs of all cases into one module, with what the other
// plugins generate for the same protos, and builds, vets and runs all of it.
func TestBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs every case")
	}
	t.Parallel()
	c := loadCorpus(t)
	repository, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	dir := testfolder.New(t, "build")
	writeAll(t, dir, c.moduleFiles(t, repository))
	// Vet compiles every library and checks the types of the mains, which
	// differ in two identifiers; linking each of them would take minutes.
	goCommand(t, dir, "vet", "./...")
	goCommand(t, dir, "build", "-o", "bin/", "./runner", "./generated/deploy/bare/cmd/bare")

	t.Run("every service", func(t *testing.T) {
		t.Parallel()
		runner := exec.Command("bin/runner")
		runner.Dir = dir
		out, err := output(runner)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s", out)
	})
	t.Run("process", func(t *testing.T) {
		t.Parallel()
		testProcess(t, filepath.Join(dir, "bin/bare"), filepath.Join(dir, "generated/deploy/bare/config.yaml"))
	})
}

func goCommand(t *testing.T, dir string, args ...string) {
	t.Helper()
	command := exec.Command("go", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if _, err := output(command); err != nil {
		t.Fatal(err)
	}
}

func writeAll(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := write(filepath.Join(dir, name), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
}

// moduleFiles are the files of the module that all cases share.
func (c *corpus) moduleFiles(t *testing.T, repository string) map[string]string {
	t.Helper()
	files := map[string]string{}
	var protos []string
	var systems []*model.System
	for _, one := range c.cases {
		outputs := c.generateGood(t, one)
		for name, text := range outputs {
			if path.Dir(name) == "deploy" || strings.HasPrefix(name, "deploy/components/") || strings.HasPrefix(name, "deploy/overlays/") {
				continue // about one case's system
			}
			if _, twice := files["generated/"+name]; twice {
				t.Fatalf("%s: another case generates %s too: give the service another name", one.name, name)
			}
			files["generated/"+name] = text
		}
		protos = append(protos, one.good...)
		systems = append(systems, c.model(t, one))
	}
	for _, plugin := range []string{"protoc-gen-go", "protoc-gen-go-grpc"} {
		maps.Copy(files, runPlugin(t, repository, plugin, c.request("module="+module, protos...)))
	}
	maps.Copy(files, goModule(t, repository))
	maps.Copy(files, handlers(systems))
	for _, name := range []string{"runner/main.go", "runner/fakes.go"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	files["runner/services.go"] = runnerServices(systems)
	return files
}

// runPlugin runs a plugin that is pinned as a tool of the repository. It sees no
// comments: what those plugins make of hostile ones is not ours to test.
func runPlugin(t *testing.T, repository, name string, request *pluginpb.CodeGeneratorRequest) map[string]string {
	t.Helper()
	input, err := proto.Marshal(withoutPositions(request))
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("go", "tool", name)
	command.Dir = repository
	command.Stdin = strings.NewReader(string(input))
	answer, err := output(command)
	if err != nil {
		t.Fatal(err)
	}
	response := &pluginpb.CodeGeneratorResponse{}
	if err := proto.Unmarshal(answer, response); err != nil || response.Error != nil {
		t.Fatalf("%s: %v %s", name, err, response.GetError())
	}
	files := map[string]string{}
	for _, f := range response.GetFile() {
		files[f.GetName()] = f.GetContent()
	}
	return files
}

var (
	moduleLine = regexp.MustCompile(`(?m)^module (.*)$`)
	toolBlock  = regexp.MustCompile(`(?ms)^tool (\(.*?^\)|.*?)$`)
)

// goModule is go.mod and go.sum: what the repository requires, and the
// repository itself.
func goModule(t *testing.T, repository string) map[string]string {
	t.Helper()
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(repository, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	mod := read("go.mod")
	own := moduleLine.FindStringSubmatch(mod)[1]
	mod = moduleLine.ReplaceAllString(toolBlock.ReplaceAllString(mod, ""), "module "+module)
	mod += fmt.Sprintf("\nrequire %[1]s v0.0.0\n\nreplace %[1]s => %[2]s\n", own, repository)
	return map[string]string{"go.mod": mod, "go.sum": read("go.sum")}
}

// model is the model of the case's run that succeeds.
func (c *corpus) model(t *testing.T, one *testCase) *model.System {
	t.Helper()
	request := c.request("", one.good...)
	p, err := protogen.Options{}.New(request)
	if err != nil {
		t.Fatal(err)
	}
	system, faults := model.Build(p, model.Options{
		Root:     root,
		Handlers: parameterOf(one.parameter, "handlers"),
	})
	if !faults.Empty() {
		t.Fatalf("%s: %v", one.name, faults.Err())
	}
	return system
}

func parameterOf(parameters, name string) string {
	for _, p := range strings.Split(parameters, ",") {
		if value, ok := strings.CutPrefix(p, name+"="); ok {
			return value
		}
	}
	return ""
}

// handlers are the packages that mains import where a case names handlers.
func handlers(systems []*model.System) map[string]string {
	files := map[string]string{}
	for s := range allServices(systems) {
		if s.Handler.Path == "" {
			continue
		}
		text := fmt.Sprintf("package %s\n\nimport (\n\t\"embed\"\n\n\tlibrary %q\n)\n\nvar New = library.Unimplemented%s\n\nvar Migrations embed.FS\n", s.Handler.Name, string(s.Package.Path), s.GoName)
		files[strings.TrimPrefix(string(s.Handler.Path), module+"/")+"/handler.go"] = text
	}
	return files
}

// runnerServices is the table of all services for testdata/runner.
func runnerServices(systems []*model.System) string {
	imports := map[string]string{}
	var rows strings.Builder
	for s := range allServices(systems) {
		alias := imports[string(s.Package.Path)]
		if alias == "" {
			alias = fmt.Sprintf("p%d", len(imports))
			imports[string(s.Package.Path)] = alias
		}
		migrations := ""
		if s.Database != nil {
			migrations = ", nil"
		}
		unary := ""
		for _, m := range s.Methods {
			if m.Kind == model.Unary {
				unary = m.Wire
			}
		}
		fmt.Fprintf(&rows, "\t{%[1]s.%[2]s(%[1]s.Unimplemented%[2]s%[3]s), %[4]q, %[5]q},\n",
			alias, s.GoName, migrations, path.Join("generated", s.Deploy, "config.yaml"), unary)
	}
	var out strings.Builder
	out.WriteString("package main\n\nimport (\n")
	for _, p := range slices.Sorted(maps.Keys(imports)) {
		fmt.Fprintf(&out, "\t%s %q\n", imports[p], p)
	}
	return out.String() + ")\n\nvar services = []generated{\n" + rows.String() + "}\n"
}

func allServices(systems []*model.System) func(func(*model.Service) bool) {
	return func(yield func(*model.Service) bool) {
		for _, system := range systems {
			for _, s := range system.Services {
				if !yield(s) {
					return
				}
			}
		}
	}
}
