// Package release says which version of protoc-gen-svc this is, and what each
// version changed in what is generated.
package release

import (
	"fmt"
	"path"
	"strconv"
	"strings"
)

// Version is written into the files of a system. It is a constant, since all
// that a program knows of its own build differs between people who must get the
// same bytes: "(devel)" in a checkout, a pseudo-version with the commit where the
// go command asks version control, the tag where the module was downloaded. It
// is raised, with CHANGELOG.md, by the first change after a release: what comes
// out between two releases is that of the next one.
const Version = "0.1.0"

// Change is what a version changed in the outputs of some templates.
type Change struct {
	Version string `json:"version"`
	// Templates is a pattern, as of path.Match, of paths below the folder
	// templates: "k8s/*.yaml.tmpl". A change of a partial names the templates
	// that use it.
	Templates string `json:"templates"`
	// What differs in the outputs, and why it does, as halves of a sentence.
	What string `json:"what"`
	Why  string `json:"why"`
}

// Changes are all changes, oldest first.
func Changes() []Change {
	return []Change{
		{"0.1.0", "upgrade/protosvc.yaml.tmpl", "the version of the plugin and its options are recorded", "\"protoc-gen-svc upgrade\" shows what another version changes"},
		{"0.1.0", "docs/index.html.tmpl", "a page shows the whole system, deploy/index.html", "people find a service, and who calls whom, without a tool"},
		{"0.1.0", "k8s/*monitor*.yaml.tmpl", "the monitor is in a component of its own, k8s/components/monitor, and is what (svc.v1.service).monitoring says", "clusters without prometheus-operator use the rest, and series have the same labels with either kind"},
		{"0.1.0", "k8s/[cdh]*.yaml.tmpl", "the labels app.kubernetes.io/instance and app.kubernetes.io/version are there", "an overlay sets them without a change of selectors"},
		{"0.1.0", "k8s/service*.yaml.tmpl", "the labels app.kubernetes.io/instance and app.kubernetes.io/version are there", "an overlay sets them without a change of selectors"},
		{"0.1.0", "k8s/kustomization.yaml.tmpl", "the image's tag is dev", "the label app.kubernetes.io/version can say the same"},
		{"0.1.0", "go/service.go.tmpl", "the service knows its system and team", "logs, traces and build_info have them"},
		{"0.1.0", "go/service.go.tmpl", "the routes of HTTP/JSON are a table", "the runtime serves them, without the code of protoc-gen-grpc-gateway"},
		{"0.1.0", "go/service.go.tmpl", "routes of HTTP/JSON name the field that is the idempotency key", "clients may send the header Idempotency-Key instead"},
		{"0.1.0", "openapi/openapi.json.tmpl", "OpenAPI documents are written here, with the rules of buf.validate", "they agree with what is served"},
		{"0.1.0", "config/config*.tmpl", "config.yaml has a JSON Schema, config.schema.json, and names it", "editors complete, explain and check the file"},
		{"0.1.0", "go/errors.go.tmpl", "placeholders may have a type, constructors of three or more take a struct, and a func reads the values of an error", "two values cannot be swapped, and callers need not parse text"},
		{"0.1.0", "go/fake.go.tmpl", "each service has a fake, in a package …svctest", "tests of callers say what it answers and see how it was called"},
		{"0.1.0", "upgrade/protosvc.yaml.tmpl", "the services are listed, with ports and callees", "a program can start all of them, wired to each other"},
		{"0.1.0", "go/service.go.tmpl", "callees have the methods in calls and defers and no other", "/metrics has no series of calls that are never made"},
	}
}

// Since are the changes to the outputs of a template after a version, up to this
// one. An empty version is older than any.
func Since(version, template string) []Change {
	var found []Change
	for _, c := range Changes() {
		if matches, _ := path.Match(c.Templates, template); matches && Compare(c.Version, version) > 0 {
			found = append(found, c)
		}
	}
	return found
}

// Compare orders versions: negative if a is older, 0 if they are equal. What is
// not a version of three numbers is older than any that is.
func Compare(a, b string) int {
	x, y := numbers(a), numbers(b)
	for i := range x {
		if x[i] != y[i] {
			return x[i] - y[i]
		}
	}
	return 0
}

func numbers(version string) (parts [3]int) {
	fields := strings.Split(version, ".")
	if len(fields) != len(parts) {
		return [3]int{-1}
	}
	for i, f := range fields {
		n, err := strconv.Atoi(f)
		if err != nil || n < 0 {
			return [3]int{-1}
		}
		parts[i] = n
	}
	return parts
}

// String is a change as a line of text.
func (c Change) String() string { return fmt.Sprintf("%s: %s, so that %s", c.Version, c.What, c.Why) }
