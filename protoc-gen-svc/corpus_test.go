package main_test

import (
	"errors"
	"path"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/plugin"
	"github.com/protosvc/protosvc/templates"
)

const (
	// module is the Go module that the cases generate for.
	module = "example.com/golden"

	// root is where outputs lie in it. A case may say more in a file "parameter".
	root = module + "/generated"
)

// testCase is one archive of testdata; README.md there says what is in it.
type testCase struct {
	name    string
	archive *txtar.Archive
	// parameter is what buf.gen.yaml would have under opt.
	parameter string
	// good are the protos of the one run that succeeds.
	good []string
	// bad are the runs that are refused.
	bad []*badRun
	// system is what comes out of the good protos as a whole system.
	system func() ([]plugin.File, error)
}

// badRun is a proto "bad….proto", or all protos below a folder "bad…".
type badRun struct {
	name   string // of the proto or the folder
	protos []string
}

// These tests generate thousands of times, each time with little that lives on: they
// have the memory to collect it less often.
func init() { debug.SetGCPercent(400) }

// corpus is all cases, with their protos compiled.
type corpus struct {
	cases []*testCase
	files map[string]*descriptorpb.FileDescriptorProto
}

var loadOnce = sync.OnceValues(load)

// loadCorpus reads and compiles testdata, the first time it is called.
func loadCorpus(t *testing.T) *corpus {
	t.Helper()
	c, err := loadOnce()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func load() (*corpus, error) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		return nil, errors.Join(errors.New("no archives in testdata"), err)
	}
	c := &corpus{files: map[string]*descriptorpb.FileDescriptorProto{}}
	sources := map[string][]byte{}
	for _, name := range archives {
		one, err := readCase(name, sources)
		if err != nil {
			return nil, err
		}
		c.cases = append(c.cases, one)
	}
	image, err := compile(sources)
	if err != nil {
		return nil, err
	}
	for _, f := range image.GetFile() {
		c.files[f.GetName()] = f
	}
	for _, one := range c.cases {
		one.system = sync.OnceValues(func() ([]plugin.File, error) { return plugin.Files(c.systemRequest(one), templates.FS) })
	}
	return c, nil
}

func readCase(name string, sources map[string][]byte) (*testCase, error) {
	archive, err := txtar.ParseFile(name)
	if err != nil {
		return nil, err
	}
	c := &testCase{
		name:      strings.TrimSuffix(filepath.Base(name), ".txtar"),
		archive:   archive,
		parameter: "root=" + root,
	}
	for _, f := range archive.Files {
		switch {
		case f.Name == "parameter":
			c.parameter += "," + strings.TrimSpace(string(f.Data))
		case path.Ext(f.Name) != ".proto":
			continue
		case sources[f.Name] != nil:
			return nil, errors.New(name + ": another case has the proto " + f.Name + " too")
		case badName.MatchString(f.Name):
			c.addBad(badName.FindString(f.Name), f.Name)
		default:
			c.good = append(c.good, f.Name)
		}
		sources[f.Name] = f.Data
	}
	return c, nil
}

// badName is the part of a path that ends with the first element "bad…".
var badName = regexp.MustCompile(`^(?:[^/]+/)*?bad[^/]*`)

func (c *testCase) addBad(run, proto string) {
	for _, b := range c.bad {
		if b.name == run {
			b.protos = append(b.protos, proto)
			return
		}
	}
	c.bad = append(c.bad, &badRun{run, []string{proto}})
}

// request is what buf would send for a run over some files. Those are the caller's to
// change; what they import is shared, and most of the bytes.
func (c *corpus) request(parameter string, generate ...string) *pluginpb.CodeGeneratorRequest {
	request := &pluginpb.CodeGeneratorRequest{Parameter: &parameter, FileToGenerate: generate}
	seen := map[string]bool{}
	var add func(name string)
	add = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		for _, dependency := range c.files[name].GetDependency() {
			add(dependency)
		}
		file := c.files[name]
		if slices.Contains(generate, name) {
			file = proto.CloneOf(file)
		}
		request.ProtoFile = append(request.ProtoFile, file)
	}
	for _, name := range generate {
		add(name)
	}
	return request
}

// systemRequest is for a case as a whole system.
func (c *corpus) systemRequest(one *testCase) *pluginpb.CodeGeneratorRequest {
	return c.request(one.parameter+",system=true", one.good...)
}

// withoutPositions takes positions and comments out of a request.
func withoutPositions(request *pluginpb.CodeGeneratorRequest) *pluginpb.CodeGeneratorRequest {
	for i, f := range request.GetProtoFile() {
		if f.SourceCodeInfo != nil {
			request.ProtoFile[i] = proto.CloneOf(f) // it may be shared
			request.ProtoFile[i].SourceCodeInfo = nil
		}
	}
	return request
}

// generate runs the plugin: files, or faults for the user.
func generate(request *pluginpb.CodeGeneratorRequest) (files map[string]string, faults error) {
	outputs, err := plugin.Files(request, templates.FS)
	if err != nil {
		return nil, err
	}
	files = map[string]string{}
	for _, o := range outputs {
		if _, twice := files[o.Path]; twice {
			return nil, errors.New(o.Path + " is generated twice")
		}
		files[o.Path] = o.Text
	}
	return files, nil
}

// generateGood returns the outputs of the case's run that succeeds, nil if it
// has none.
func (c *corpus) generateGood(t *testing.T, one *testCase) map[string]string {
	t.Helper()
	if len(one.good) == 0 {
		return nil
	}
	files, err := generate(c.request(one.parameter, one.good...))
	if err != nil {
		t.Fatalf("%s: %v", one.name, err)
	}
	return files
}
