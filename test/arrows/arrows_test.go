// Package arrows_test holds the repository to its shape: who may import whom,
// and where generated and hand-written files may be.
package arrows_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const (
	repository = "../.."
	module     = "github.com/protosvc/protosvc/"
)

// arrow says what the packages of a folder may import of this module. A folder
// stands for itself and everything below it.
type arrow struct {
	from string
	// main restricts the row to main packages, or to the others.
	main kind
	to   []string
}

type kind string

const (
	anyKind  kind = ""
	program  kind = "main"
	imported kind = "library"
)

// arrows are all that there are. A package is judged by the row with the longest
// folder that it is in; one without a row must get one.
func arrows() []arrow {
	return []arrow{
		// What the generator and the runtime share, and users do not see.
		{from: "internal/rpccode"},
		{from: "internal/httprule"},
		{from: "internal/defaults"},
		{from: "internal/spelling"},
		{from: "internal/weborigin"},
		// What the runtime and the operator say to each other.
		{from: "internal/reload"},
		// What tests of services hand to the runtime.
		{from: "internal/recording"},
		// The runtime knows nothing of what is built with it.
		{from: "svc", to: []string{"svc", "internal/rpccode", "internal/httprule", "internal/defaults", "internal/spelling", "internal/recording", "internal/reload", "internal/weborigin"}},
		// Tests of services need the runtime, and nothing of what is generated.
		{from: "svctest", to: []string{"svc", "internal/recording"}},
		// Fakes are no tests: what they are made of is below both.
		{from: "svctest/fake"},
		// The plugin turns a contract into text. It holds the defaults in there against
		// the formats of the runtime, which has the only copy of them.
		{from: "proto/svc/v1"},
		{from: "templates"},
		{from: "protoc-gen-svc", to: []string{"protoc-gen-svc", "templates", "proto/svc/v1", "svc/validate/format", "internal/rpccode", "internal/httprule", "internal/defaults", "internal/spelling", "internal/weborigin"}},
		// The check plugin knows contracts, nothing of what becomes of them.
		{from: "buf-plugin-svc", to: []string{"buf-plugin-svc", "proto/svc/v1"}},
		// What is generated names, the runtime does.
		{from: "generated", main: imported, to: []string{"generated", "svc", "svctest/fake"}},
		{from: "generated", main: program, to: []string{"generated", "svc", "services"}},
		// Handlers meet each other only by RPC, that is, through generated clients.
		// A service may of course import itself.
		{from: "services", to: []string{"services/internal", "generated", "svc"}},
		// Programs and fixtures of the repository itself: they use it as users do.
		{from: "internal", to: []string{"internal", "generated", "svc", "services"}},
	}
}

// forbidden are packages that the runtime may not even reach through others:
// each would make every image larger, or tie the runtime to one platform.
var forbidden = []string{
	"google.golang.org/protobuf/compiler/protogen",
	"github.com/Masterminds/sprig",
	"text/template",
	"html/template",
	"golang.org/x/net/trace",
	"buf.build/go/protovalidate",
	"buf.build/gen/go/bufbuild/protovalidate",
	"k8s.io",
	"sigs.k8s.io",
	"testing",
}

// pkg is a package as the go command lists it.
type pkg struct {
	ImportPath, Name                   string
	Imports, TestImports, XTestImports []string
}

// folder is where the package is, relative to the repository.
func (p pkg) folder() string { return strings.TrimPrefix(p.ImportPath, module) }

func (p pkg) kind() kind {
	if p.Name == "main" {
		return program
	}
	return imported
}

func TestArrows(t *testing.T) {
	packages := list(t, "./...")
	used := map[string]bool{}
	for _, p := range packages {
		row, ok := rowOf(p)
		if !ok {
			t.Errorf("%s is in no folder that this test knows: say in arrows() what it may import", p.folder())
			continue
		}
		used[row.from+string(row.main)] = true
		for _, path := range p.Imports {
			if to, ours := strings.CutPrefix(path, module); ours && !withinAny(to, row.to) && !sameService(p.folder(), to) {
				t.Errorf("%s imports %s; what is in %s may import of this module only %q", p.folder(), to, row.from, row.to)
			}
		}
	}
	for _, row := range arrows() {
		if !used[row.from+string(row.main)] {
			t.Errorf("no package is in %s any more: remove its row", row.from)
		}
	}
}

// TestRuntimeTests checks that the runtime can be tested alone, too.
func TestRuntimeTests(t *testing.T) {
	for _, p := range list(t, "./svc/...") {
		for _, path := range slices.Concat(p.TestImports, p.XTestImports) {
			if to, ours := strings.CutPrefix(path, module); ours && !within(to, "svc") && to != "internal/defaults" && to != "internal/reload" {
				t.Errorf("a test of %s imports %s", p.folder(), to)
			}
		}
	}
}

// TestRuntimeReach follows the imports of what a service can import of the runtime,
// built as in an image, to the end.
func TestRuntimeReach(t *testing.T) {
	follow := []string{"-deps", "-tags=grpcnotrace,nethttpomithttp2,nosqlite"}
	for _, p := range list(t, "./svc/...") {
		if !strings.Contains(p.ImportPath, "/internal/") {
			follow = append(follow, p.ImportPath)
		}
	}
	packages := list(t, follow...)
	importers := map[string]string{}
	for _, p := range packages {
		for _, path := range p.Imports {
			importers[path] = p.ImportPath
		}
	}
	for _, p := range packages {
		if withinAny(p.ImportPath, forbidden) {
			t.Errorf("svc reaches %s, which is imported by %s", p.ImportPath, importers[p.ImportPath])
		}
	}
}

// TestCheckPluginApart checks that only the check plugin needs what it is made
// with, which would else be in the go.mod of every user.
func TestCheckPluginApart(t *testing.T) {
	for _, p := range list(t, "-deps", "./svc/...", "./protoc-gen-svc/...", "./generated/...", "./services/...") {
		if withinAny(p.ImportPath, []string{"buf.build/go", "pluginrpc.com", "cel.dev", "github.com/google/cel-go"}) {
			t.Errorf("%s is needed by more than buf-plugin-svc", p.ImportPath)
		}
	}
}

// rowOf finds the row with the longest folder.
func rowOf(p pkg) (best arrow, found bool) {
	for _, row := range arrows() {
		if within(p.folder(), row.from) && (row.main == anyKind || row.main == p.kind()) && len(row.from) >= len(best.from) {
			best, found = row, true
		}
	}
	return best, found
}

// within reports whether a folder is another one or below it.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

func withinAny(path string, folders []string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool { return within(path, folder) })
}

// sameService reports whether both folders belong to one service of services/.
func sameService(a, b string) bool {
	const depth = 2 // services/order/...
	inA, inB := strings.SplitN(a, "/", depth+1), strings.SplitN(b, "/", depth+1)
	return inA[0] == "services" && len(inA) >= depth && len(inB) >= depth && slices.Equal(inA[:depth], inB[:depth])
}

// list asks the go command for packages of the repository.
func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Name,Imports,TestImports,XTestImports"}, args...)...)
	cmd.Dir = repository
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, stderr.String())
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(output)); ; {
		var p pkg
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}
