package size_test

import (
	"cmp"
	"debug/elf"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "measure again and write docs/size.md; takes some minutes")

const report = repository + "/docs/size.md"

// measured is the service that docs/size.md is about: it has the most in it.
const measured = "order"

// parts are what a binary can do, by the packages that do it. A symbol belongs to
// the first part that names its package.
var parts = []struct {
	name     string
	packages []string // import paths or, with a slash at the end, all below one
	verdict  string
}{
	{"profiles", []string{"runtime/pprof", "net/http/pprof", "runtime/trace", "github.com/google/pprof/"}, "kept: a profile of the replica that is slow cannot be had in another way"},
	{"reflection", []string{"google.golang.org/grpc/reflection/"}, "kept: grpcurl works without protos"},
	{"tracing with OTLP", []string{"go.opentelemetry.io/", "github.com/go-logr/", "github.com/cenkalti/"}, "kept, but for the network half of OpenTelemetry's exporter: the runtime has its own, over the gRPC that is there anyway"},
	{"metrics", []string{"github.com/prometheus/", "github.com/beorn7/", "github.com/cespare/", "github.com/munnerz/"}, "kept; if room is needed, an exposition of our own saves 0.4 MB at the most"},
	{"PostgreSQL", []string{"github.com/lib/pq/", "database/sql/"}, "kept: an image has no other database"},
	{"configuration in YAML", []string{"go.yaml.in/"}, "kept: operators write it, with comments and anchors"},
	{"HTTP", []string{"net/http/", "mime/", "net/textproto", "compress/"}, "kept: HTTP/JSON, the admin port and clients of external services"},
	{"TLS", []string{"crypto/", "encoding/asn1", "encoding/pem", "vendor/golang.org/x/crypto/", "math/big"}, "kept: PostgreSQL, OTLP and external services want it"},
	{"gRPC", []string{"google.golang.org/grpc/", "golang.org/x/net/", "google.golang.org/genproto/"}, "kept: the service"},
	{"Protocol Buffers", []string{"google.golang.org/protobuf/"}, "kept: the messages"},
	{"runtime of protosvc", []string{"github.com/protosvc/protosvc/svc/", "github.com/protosvc/protosvc/internal/", "github.com/protosvc/protosvc/proto/"}, "kept: what all services share"},
	{"contract and handlers", []string{"github.com/protosvc/protosvc/"}, "yours"},
	{"runtime of Go", []string{"runtime/", "internal/", "sync/", "reflect/"}, "kept"},
}

// TestReport holds docs/size.md to the Dockerfile: each of the build's levers is
// in it. With -update it measures them all.
func TestReport(t *testing.T) {
	d := readDockerfile(t, measured)
	if *update {
		write(t, d)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range d.levers() {
		if !strings.Contains(string(text), "\n| `"+l.flag+"` | ") {
			t.Errorf("docs/size.md does not say what %s saves: go test ./size -run TestReport -update", l.flag)
		}
	}
}

// lever is a flag of the build that makes the binary smaller.
type lever struct {
	flag    string
	without string // the build without it
}

// levers are those flags of the build, one at a time.
func (d dockerfile) levers() []lever {
	var all []lever
	tags := regexp.MustCompile(` -tags (\S+)`).FindStringSubmatch(d.build)[1]
	for tag := range strings.SplitSeq(tags, ",") {
		others := slices.DeleteFunc(strings.Split(tags, ","), func(s string) bool { return s == tag })
		all = append(all, lever{"-tags " + tag, strings.Replace(d.build, tags, strings.Join(others, ","), 1)})
	}
	for _, flag := range regexp.MustCompile(`-gcflags=\S+|-funcalign=\d+`).FindAllString(d.build, -1) {
		all = append(all, lever{flag, strings.Replace(d.build, flag, "", 1)})
	}
	return all
}

func write(t *testing.T, d dockerfile) {
	base := build(t, d.build)
	var b strings.Builder
	fmt.Fprintf(&b, `# Size

<!-- Written by: cd test && go test ./size -run TestReport -update -timeout 30m. DO NOT EDIT. -->

What the bytes of an image are for, measured on the binary of %s as its Dockerfile builds it (%s, %s/%s):
%s bytes. The CA bundle adds about %s, the rest of the image less than 10,000. The limit of an image is
%s bytes, the goal %s; the test in test/size builds all three services and says how far they are.

## What the flags of the build save

Each row is the binary built without this flag and with all others.

| flag | bytes saved |
|---|---:|
`, measured, runtime.Version(), runtime.GOOS, runtime.GOARCH, thousands(size(t, base)), thousands(usualBundle), thousands(limit), thousands(goal))
	for _, l := range d.levers() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", l.flag, thousands(size(t, build(t, l.without))-size(t, base)))
	}
	b.WriteString(`
The tag nosqlite is SQLite: without it a service has the embedded database, which is for development.

## What is in the binary

The symbols of the packages behind each part: code and data, without types, tables of the runtime and what parts
share. This is the least that the binary would lose without the part; what only the part needs of others comes
on top.

| part | bytes | verdict |
|---|---:|---|
`)
	sums, rest := byPart(t, build(t, strings.Replace(d.build, `-ldflags "-s -w`, `-ldflags "-w`, 1)))
	order := make([]int, len(parts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(sums[y], sums[x]) })
	for _, i := range order {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", parts[i].name, thousands(sums[i]), parts[i].verdict)
	}
	fmt.Fprintf(&b, "| rest of the standard library, types, data without a package | %s | |\n", thousands(rest))
	if err := os.WriteFile(report, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// build runs a build of the measured service and returns the path of the binary.
func build(t *testing.T, command string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), measured)
	cmd := exec.Command("bash", "-euc", strings.Replace(command, "-o /out/"+measured+" ", "-o '"+binary+"' ", 1))
	cmd.Dir = repository
	cmd.Env = append(os.Environ(), "VERSION=v0.0.0-test")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%.2000s", cmd, err, out)
	}
	return binary
}

// byPart adds up the symbols of a binary by part, and those of no part. Symbols of
// zeros, which take no place in the file, are not counted.
func byPart(t *testing.T, binary string) (sums []int, rest int) {
	t.Helper()
	file, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	symbols, err := file.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	sums = make([]int, len(parts))
	for _, s := range symbols {
		if int(s.Section) >= len(file.Sections) || file.Sections[s.Section].Type == elf.SHT_NOBITS {
			continue
		}
		if i := partOf(packageOf(s.Name)); i >= 0 {
			sums[i] += int(s.Size)
		} else {
			rest += int(s.Size)
		}
	}
	return sums, rest
}

// packageOf is the import path of a symbol's package: for
// "net/http.(*Server).Serve" it is "net/http".
func packageOf(symbol string) string {
	symbol, _, _ = strings.Cut(symbol, "(")
	symbol, _, _ = strings.Cut(symbol, "[")
	slash := strings.LastIndex(symbol, "/") + 1
	name, _, _ := strings.Cut(symbol[slash:], ".")
	return strings.ReplaceAll(symbol[:slash]+name, "%2e", ".")
}

func partOf(path string) int {
	for i, p := range parts {
		for _, prefix := range p.packages {
			if path == strings.TrimSuffix(prefix, "/") || strings.HasSuffix(prefix, "/") && strings.HasPrefix(path, prefix) {
				return i
			}
		}
	}
	return -1
}

func TestPackageOf(t *testing.T) {
	for symbol, want := range map[string]string{
		"net/http.(*Server).Serve":                                   "net/http",
		"runtime.mallocgc":                                           "runtime",
		"go.yaml.in/yaml/v3.Unmarshal":                               "go.yaml.in/yaml/v3",
		"slices.SortFunc[go.shape.[]string,go.shape.string]":         "slices",
		"github.com/lib/pq.init.0":                                   "github.com/lib/pq",
		"example.com/a%2eb.(*T).M":                                   "example.com/a.b",
		"golang.org/x/net/http2.(*Framer).ReadFrame-fm":              "golang.org/x/net/http2",
		"sync/atomic.(*Pointer[go.shape.struct { x/y.Z int }]).Load": "sync/atomic",
	} {
		if got := packageOf(symbol); got != want {
			t.Errorf("%s: got %q, want %q", symbol, got, want)
		}
	}
}

// thousands is a number as people read it: 14,900,000.
func thousands(n int) string {
	if n < 0 {
		return "-" + thousands(-n)
	}
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
