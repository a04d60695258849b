package main_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	_ "google.golang.org/protobuf/types/known/wrapperspb" // contracts import it
	"google.golang.org/protobuf/types/pluginpb"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/plugin"
	"github.com/protosvc/protosvc/templates"
)

// FuzzGenerate makes a contract of bytes, as hostile as can be: strange names,
// any text in comments and options, any numbers. The plugin refuses it with
// messages of one line each, or what it generates is well formed and keeps the
// contract's text inert. It never panics.
//
//	go test ./protoc-gen-svc -run '^$' -fuzz FuzzGenerate -fuzztime 10m
func FuzzGenerate(f *testing.F) {
	for i := range uint64(20) {
		f.Add(noise(i))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		contract := newFuzzContract(data)
		if _, err := run(t, contract); err != nil {
			t.Errorf("%v\n\nThe contract:\n%s", err, contract)
		}
	})
}

// noise is the same for each number, and enough for a contract.
func noise(n uint64) []byte {
	data := make([]byte, 1500)
	random := rand.New(rand.NewPCG(n, n))
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	return data
}

// outcome is how a run ended.
type outcome int

const (
	notDescriptors outcome = iota // no compiler would have sent that
	refused
	generated
)

// run runs the plugin over a contract. The error is what is wrong with the
// plugin.
func run(t *testing.T, c *fuzzContract) (outcome, error) {
	t.Helper()
	wire, err := proto.Marshal(c.request())
	if err != nil {
		t.Fatal(err)
	}
	request := &pluginpb.CodeGeneratorRequest{}
	if err := proto.Unmarshal(wire, request); err != nil {
		t.Fatal(err)
	}
	response, err := plugin.Respond(request, templates.FS)
	if err != nil {
		return notDescriptors, nil // protogen says what a compiler would have said
	}
	if response.Error != nil {
		return refused, checkFaults(response.GetError())
	}
	files := map[string]string{}
	for _, f := range response.GetFile() {
		if _, twice := files[f.GetName()]; twice {
			return generated, fmt.Errorf("%s is generated twice", f.GetName())
		}
		files[f.GetName()] = f.GetContent()
	}
	return generated, checkFiles(files)
}

// request is what a compiler would send.
func (c *fuzzContract) request() *pluginpb.CodeGeneratorRequest {
	request := &pluginpb.CodeGeneratorRequest{Parameter: proto.String("root=" + root + c.one("", ",handlers=example.com/x/handlers", ",system=true"))}
	request.ProtoFile = append(slices.Clip(dependencies()), c.files...)
	for _, f := range c.files {
		request.FileToGenerate = append(request.FileToGenerate, f.GetName())
	}
	return request
}

// dependencies are the files that a contract imports, those that they import
// first.
var dependencies = sync.OnceValue(func() []*descriptorpb.FileDescriptorProto {
	var out []*descriptorpb.FileDescriptorProto
	seen := map[string]bool{}
	var add func(protoreflect.FileDescriptor)
	add = func(fd protoreflect.FileDescriptor) {
		if seen[fd.Path()] {
			return
		}
		seen[fd.Path()] = true
		for i := range fd.Imports().Len() {
			add(fd.Imports().Get(i).FileDescriptor)
		}
		out = append(out, protodesc.ToFileDescriptorProto(fd))
	}
	for _, name := range imported {
		fd, err := protoregistry.GlobalFiles.FindFileByPath(name)
		if err != nil {
			panic(err) // it is not linked
		}
		add(fd)
	}
	return out
})

// String is the contract for people.
func (c *fuzzContract) String() string {
	var out strings.Builder
	for _, f := range c.files {
		fmt.Fprintf(&out, "%+v\n", f)
	}
	return out.String()
}

// isTree tells the lines of trees: the path of a file may begin with spaces, too,
// but what is said about it follows a colon.
func isTree(line string) bool { return strings.HasPrefix(line, "  ") && !strings.Contains(line, ": ") }

// checkFaults wants a headline with a number, and as many lines, trees aside.
func checkFaults(text string) error {
	lines := slices.DeleteFunc(strings.Split(text, "\n"), isTree)
	want := fmt.Sprintf("%d faults in the contract (what buf prints below about plugins comes from these):", len(lines)-1)
	if len(lines) == 2 {
		want = "1 fault in the contract (what buf prints below about plugins comes from this):"
	}
	if lines[0] != want {
		return fmt.Errorf("headline %q, want %q: %q", lines[0], want, text)
	}
	for _, line := range lines[1:] {
		message := faultForm.FindStringSubmatch(line)
		if message == nil || strings.TrimSpace(message[1]) == "" || strings.ContainsFunc(line, notPrintable) {
			return fmt.Errorf("%q is not a message on one line", line)
		}
	}
	return nil
}

// faultForm is path, position and message.
var faultForm = regexp.MustCompile(`^.*\.proto"?(?::\d+:\d+)?: (.+)$`)

func notPrintable(r rune) bool { return !unicode.IsPrint(r) }

// TestFuzzContracts: the contracts that FuzzGenerate makes are worth the time.
// Compilers would send nearly all of them, many are generated for, and those have
// every option.
func TestFuzzContracts(t *testing.T) {
	skipSlow(t)
	t.Parallel()
	const runs = 1000
	count := map[outcome]int{}
	used := map[protoreflect.FullName]bool{}
	for i := range uint64(runs) {
		c := newFuzzContract(noise(1000 + i))
		how, err := run(t, c)
		if err != nil {
			t.Errorf("%v\n\nThe contract:\n%s", err, c)
		}
		count[how]++
		if how == generated {
			for _, f := range c.files {
				options(f.ProtoReflect(), used)
			}
		}
	}
	if count[notDescriptors] > runs/6 || count[generated] < runs/4 {
		t.Errorf("of %d contracts, %d are no descriptors, %d are refused, %d are generated for", runs, count[notDescriptors], count[refused], count[generated])
	}
	messages := svcv1.File_svc_v1_svc_proto.Messages()
	for i := range messages.Len() {
		fields := messages.Get(i).Fields()
		for j := range fields.Len() {
			if name := fields.Get(j).FullName(); !used[name] {
				t.Errorf("no contract that is generated for has %s", name)
			}
		}
	}
}

// options notes every field that is set in a message or below it.
func options(m protoreflect.Message, used map[protoreflect.FullName]bool) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		used[fd.FullName()] = true
		switch {
		case fd.IsMap() || fd.Message() == nil:
		case fd.IsList():
			for i := range v.List().Len() {
				options(v.List().Get(i).Message(), used)
			}
		default:
			options(v.Message(), used)
		}
		return true
	})
}

// checkFiles checks the outputs of a run, each by the rules of its kind, and the
// Go files of each folder together.
func checkFiles(files map[string]string) error {
	packages := map[string]map[string]string{}
	var problems []error
	for name, text := range files {
		if err := checkFile(name, text); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w\n%s", name, err, text))
		}
		if path.Ext(name) == ".go" {
			dir := path.Dir(name)
			if packages[dir] == nil {
				packages[dir] = map[string]string{}
			}
			packages[dir][name] = text
		}
	}
	if len(problems) == 0 {
		for _, pkg := range packages {
			problems = append(problems, checkTypes(pkg))
		}
	}
	return errors.Join(problems...)
}

var outputName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9]+)*$`)

func checkFile(name, text string) error {
	for _, element := range strings.Split(name, "/") {
		if !outputName.MatchString(element) {
			return fmt.Errorf("%q is not the name of a file or folder", element)
		}
	}
	if i := strings.IndexFunc(text, forbidden); i >= 0 {
		return fmt.Errorf("%q is in it", []rune(text[i:])[0])
	}
	kind := path.Ext(name)
	if kind == "" {
		kind = path.Base(name)
	}
	checks := textChecks[kind]
	if checks == nil {
		return errors.New("nobody checks it")
	}
	for _, check := range checks {
		if err := check(name, text); err != nil {
			return err
		}
	}
	return nil
}

// forbidden are characters that end a line, start a file or turn the order of
// what one reads, to some reader or another.
func forbidden(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || slices.Contains([]rune("\u2028\u2029\ufeff\ufffe\uffff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"), r)
}
