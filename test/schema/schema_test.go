// Package schema_test holds config.schema.json beside the only judge of a config.yaml:
// the service that reads it.
package schema_test

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/protosvc/protosvc/svc"
)

const repository = "../.."

// file is what stands in a config.yaml of a service, and whether the service takes it.
type file struct {
	service, text string
	taken         bool
	// lenient is why the schema takes what the service refuses. The other way round
	// there is no excuse.
	lenient string
}

// TestAgainstServices holds the schemas to what the services of the flagship say.
func TestAgainstServices(t *testing.T) {
	if testing.Short() {
		t.Skip("builds three services")
	}
	services := start(t)
	for _, f := range files {
		t.Run(f.service+" "+f.text, func(t *testing.T) {
			t.Parallel()
			f.agree(t, services[f.service])
		})
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			generated(t, name, services[name])
		})
	}
}

func (f file) agree(t *testing.T, s service) {
	if said, taken := s.check(t, f.text); taken != f.taken {
		t.Errorf("the service: taken is %v, want %v\n%s", taken, f.taken, said)
	}
	err := s.schema.Validate(read(t, f.text))
	switch {
	case f.taken && err != nil:
		t.Errorf("the schema is stricter than the service: %v", err)
	case err != nil && f.lenient != "":
		t.Errorf("the schema agrees with the service, so there is nothing to excuse: %s", f.lenient)
	case !f.taken && err == nil && f.lenient == "":
		t.Error("the schema takes what the service refuses")
	}
}

// generated wants the file beside the schema to be valid, and to name the schema as
// editors look for it.
func generated(t *testing.T, name string, s service) {
	bytes, err := os.ReadFile(filepath.Join(deploy(name), "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(bytes)
	file{service: name, text: text, taken: true}.agree(t, s)
	_, reference, _ := strings.Cut(text, "\n# yaml-language-server: $schema=")
	reference, _, _ = strings.Cut(reference, "\n")
	if reference != "config.schema.json" {
		t.Errorf("config.yaml names the schema %q", reference)
	}
}

// TestKeys: the schemas have the keys of svc.Settings and no other, whether or not the
// service of a schema has a use for each.
func TestKeys(t *testing.T) {
	for _, name := range names {
		_, document := compile(t, filepath.Join(deploy(name), "config.schema.json"))
		root := document.(map[string]any)
		delete(root["properties"].(map[string]any), "service")
		definitions, _ := root["$defs"].(map[string]any)
		keys(t, name, reflect.TypeFor[svc.Settings](), root, definitions, false)
	}
}

// keys holds a schema against a type of the runtime. Hot says that a reload may change what
// the type is part of, which the schema has to say of each value.
func keys(t *testing.T, at string, typ reflect.Type, schema, definitions map[string]any, hot bool) {
	if ref, ok := schema["$ref"].(string); ok && typ.Kind() == reflect.Pointer {
		schema, _ = definitions[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	properties, _ := schema["properties"].(map[string]any)
	switch typ.Kind() {
	case reflect.Pointer:
		keys(t, at, typ.Elem(), schema, definitions, hot)
	case reflect.Map:
		for key, property := range properties {
			keys(t, at+"."+key, typ.Elem(), property.(map[string]any), definitions, hot)
		}
	case reflect.Struct:
		var want []string
		for i := range typ.NumField() {
			key := typ.Field(i).Tag.Get("yaml")
			if key == "" {
				continue
			}
			want = append(want, key)
			if property, ok := properties[key].(map[string]any); ok {
				keys(t, at+"."+key, typ.Field(i).Type, property, definitions, hot || typ.Field(i).Tag.Get("reload") == "hot")
			}
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(properties)); !slices.Equal(got, want) {
			t.Errorf("%s has the keys %q, want %q", at, got, want)
		}
	default:
		description, _ := schema["description"].(string)
		if _, about, _ := strings.Cut(description, "\n\n"); strings.Contains(about, ", hot;") != hot {
			t.Errorf("%s is hot: %v, and described as %q", at, hot, about)
		}
	}
}

// TestDefaults: each default is valid where it stands, so that an editor that fills it
// in makes no mistake.
func TestDefaults(t *testing.T) {
	for _, name := range names {
		schema, document := compile(t, filepath.Join(deploy(name), "config.schema.json"))
		found := map[string]any{}
		collect(document.(map[string]any), found)
		if err := schema.Validate(found); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, ok := found["listen"]; !ok {
			t.Errorf("%s: no defaults found", name)
		}
	}
}

// collect puts the defaults of a schema's properties into a document of theirs.
func collect(schema, into map[string]any) {
	properties, _ := schema["properties"].(map[string]any)
	for key, value := range properties {
		property := value.(map[string]any)
		if value, ok := property["default"]; ok {
			into[key] = value
		}
		below := map[string]any{}
		if collect(property, below); len(below) > 0 {
			into[key] = below
		}
	}
}

// TestGoldenSchemas: the schemas of contracts stranger than the flagship's are schemas
// of the dialect that they name.
func TestGoldenSchemas(t *testing.T) {
	archives, err := filepath.Glob(filepath.Join(repository, "protoc-gen-svc/testdata/*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, archive := range archives {
		text, err := os.ReadFile(archive)
		if err != nil {
			t.Fatal(err)
		}
		for _, section := range strings.Split("\n"+string(text), "\n-- ")[1:] {
			name, body, _ := strings.Cut(section, " --\n")
			if filepath.Base(name) != "config.schema.json" || !strings.HasPrefix(name, "want/") {
				continue
			}
			n++
			at := filepath.Join(t.TempDir(), "config.schema.json")
			if err := os.WriteFile(at, []byte(body), 0o600); err != nil {
				t.Fatal(err)
			}
			compile(t, at)
		}
	}
	if n < 3 {
		t.Errorf("found %d schemas", n)
	}
}

var names = []string{"order", "payment", "user"}

func deploy(name string) string { return filepath.Join(repository, "generated/deploy", name) }

// service is a binary, and the schema that was generated beside it.
type service struct {
	binary string
	schema *jsonschema.Schema
}

// start builds the services of the flagship.
func start(t *testing.T) map[string]service {
	t.Helper()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", dir+"/")
	for _, name := range names {
		build.Args = append(build.Args, "./generated/deploy/"+name+"/cmd/"+name)
	}
	build.Dir = repository
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	services := map[string]service{}
	for _, name := range names {
		schema, _ := compile(t, filepath.Join(deploy(name), "config.schema.json"))
		services[name] = service{filepath.Join(dir, name), schema}
	}
	return services
}

// check has the service read a file, and returns what it says and whether it takes it.
func (s service) check(t *testing.T, text string) (said string, taken bool) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(s.binary, "--config="+path, "--check-config")
	cmd.Dir = dir
	cmd.Env = []string{} // no variable is a layer
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), err == nil
}

// compile returns a schema, held against its dialect, and the document that it is.
func compile(t *testing.T, path string) (*jsonschema.Schema, any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("config.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("config.schema.json")
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if schema.DraftVersion != 2020 {
		t.Errorf("%s is of draft %d", path, schema.DraftVersion)
	}
	return schema, document
}

// read returns a file as validators see it: what JSON can say, aliases resolved, the
// last of several equal keys.
func read(t *testing.T, text string) any {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Content) == 0 {
		return nil
	}
	return value(t, doc.Content[0])
}

func value(t *testing.T, n *yaml.Node) any {
	t.Helper()
	switch n.Kind {
	case yaml.AliasNode:
		return value(t, n.Alias)
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			out[n.Content[i].Value] = value(t, n.Content[i+1])
		}
		return out
	case yaml.SequenceNode:
		out := []any{}
		for _, item := range n.Content {
			out = append(out, value(t, item))
		}
		return out
	}
	if n.ShortTag() == "!!timestamp" {
		return n.Value // JSON has no type for it
	}
	var out any
	if err := n.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}
