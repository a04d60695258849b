package manifests

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// TestEnvironments holds the overlays against the table in docs/deploy.md.
func TestEnvironments(t *testing.T) {
	for env, want := range map[string]struct {
		least              int32 // replicas of order, which the contract lets grow from 2 on
		monitors, policies int
		files              []string
	}{
		"dev":     {1, 0, 0, []string{"config.dev.yaml", "config.yaml"}},
		"staging": {1, 3, 3, []string{"config.staging.yaml", "config.yaml"}},
		"prod":    {2, 3, 3, []string{"config.prod.yaml", "config.yaml"}},
	} {
		kinds := map[string]int{}
		for _, r := range build(t, disk, filepath.Join(deploy, "overlays", env)).Resources() {
			kinds[r.GetKind()]++
			if got := r.GetLabels()["app.kubernetes.io/instance"]; got != "shop-"+env {
				t.Errorf("%s: %s is of instance %q", env, r.CurId(), got)
			}
			switch o := decodeResource(t, r).(type) {
			case *apps.Deployment:
				if got := o.Spec.Template.Labels["app.kubernetes.io/instance"]; got != "shop-"+env {
					t.Errorf("%s: the pods of %s are of instance %q", env, o.Name, got)
				}
				if len(o.Spec.Selector.MatchLabels) != 1 {
					t.Errorf("%s: %s selects %v", env, o.Name, o.Spec.Selector.MatchLabels)
				}
				least := o.Spec.Replicas
				if env == "dev" && (least == nil || *least != want.least) {
					t.Errorf("%s: %s has %v replicas", env, o.Name, least)
				}
				if args := strings.Join(o.Spec.Template.Spec.Containers[0].Args, " "); args != "--env="+env {
					t.Errorf("%s: %s is started with %q", env, o.Name, args)
				}
			case *autoscaling.HorizontalPodAutoscaler:
				if o.Name == "order" && *o.Spec.MinReplicas != want.least {
					t.Errorf("%s: %d replicas at the least, want %d", env, *o.Spec.MinReplicas, want.least)
				}
			case *core.ConfigMap:
				const schema = "config.schema.json"
				if files := slices.Sorted(maps.Keys(o.Data)); !slices.Equal(files, slices.Sorted(slices.Values(append(want.files, schema)))) {
					t.Errorf("%s: %s has the files %v, want %v and %s", env, o.Name, files, want.files, schema)
				}
				checkOverlaid(t, o, want.files[0])
				if got := strings.Contains(o.Data[want.files[0]], "reflection: false"); got != (env != "dev") {
					t.Errorf("%s: that %s has no reflection is %v", env, o.Name, got)
				}
			}
		}
		if got := kinds["ServiceMonitor"] + kinds["PodMonitor"]; got != want.monitors {
			t.Errorf("%s: %d monitors, want %d", env, got, want.monitors)
		}
		if got := kinds["NetworkPolicy"]; got != want.policies {
			t.Errorf("%s: %d network policies, want %d", env, got, want.policies)
		}
		if got := kinds["HorizontalPodAutoscaler"]; (got == 0) != (env == "dev") {
			t.Errorf("%s: %d autoscalers", env, got)
		}
	}
}

// checkOverlaid wants every setting of a file in config.yaml too, where all of them are.
func checkOverlaid(t *testing.T, m *core.ConfigMap, file string) {
	t.Helper()
	var all, some map[string]any
	if err := errors.Join(yaml.Unmarshal([]byte(m.Data[settingsFile]), &all), yaml.Unmarshal([]byte(m.Data[file]), &some)); err != nil {
		t.Fatalf("%s: %v", m.Name, err)
	}
	var within func(at string, some, all map[string]any)
	within = func(at string, some, all map[string]any) {
		for key, value := range some {
			other, known := all[key]
			if !known {
				t.Errorf("%s: %s sets %s%s, which is no setting", m.Name, file, at, key)
			}
			if section, ok := value.(map[string]any); ok {
				under, _ := other.(map[string]any)
				within(at+key+".", section, under)
			}
		}
	}
	within("", some, all)
}

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// TestDocumentedOverlay builds the overlay of docs/deploy.md, generates beneath it and
// builds it again.
func TestDocumentedOverlay(t *testing.T) {
	page, err := os.ReadFile("../../docs/deploy.md")
	if err != nil {
		t.Fatal(err)
	}
	block := yamlBlock.FindSubmatch(page)
	if block == nil {
		t.Fatal("docs/deploy.md has no overlay")
	}
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "generated/deploy"), onlyYAML{os.DirFS(deploy)}); err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "deploy/prod")
	if err := os.MkdirAll(overlay, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"kustomization.yaml": string(block[1]), "order-database.env": "url=postgres://order@db/order\n"} {
		if err := os.WriteFile(filepath.Join(overlay, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before, err := build(t, disk, overlay).AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"image: registry.example.com/shop/payment:v1.4.2", "namespace: shop", "key: dedicated", "url: cG9zdGdyZXM6", "kind: NetworkPolicy", "kind: PodMonitor"} {
		if !strings.Contains(string(before), want) {
			t.Errorf("%q is not in what the overlay makes", want)
		}
	}
	for _, r := range build(t, disk, overlay).Resources() {
		if labels := r.GetLabels(); labels["app.kubernetes.io/version"] != "v1.4.2" || labels["cost-center"] != "4711" {
			if r.GetKind() != "Secret" || labels["cost-center"] != "4711" {
				t.Errorf("%s has the labels %v", r.CurId(), labels)
			}
		}
	}
	regenerate(t, dir)
	after, err := build(t, disk, overlay).AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Error("the overlay makes something else after its base was generated anew")
	}
}

// regenerate writes generated/ below dir from the flagship's contract, after removing
// what is there.
func regenerate(t *testing.T, dir string) {
	t.Helper()
	repository, err := filepath.Abs("../..")
	must(t, err)
	generate(t, dir, repository, `{"directory": "proto", "exclude_paths": ["proto/svc"]}`,
		"root=github.com/protosvc/protosvc/generated", "handlers=github.com/protosvc/protosvc/services", "system=true")
}

// generate runs buf and the plugin in a workspace, and writes generated/ below dir.
func generate(t *testing.T, dir, workspace, input string, options ...string) {
	t.Helper()
	repository, err := filepath.Abs("../..")
	must(t, err)
	buf := filepath.Join(repository, "bin/buf")
	if _, err := os.Stat(buf); err != nil {
		t.Fatalf("there is no buf (run: make generate): %v", err)
	}
	plugin := filepath.Join(dir, "protoc-gen-svc")
	run := func(folder, name string, args ...string) {
		cmd := exec.Command(name, args...)
		cmd.Dir = folder
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	run(repository, "go", "build", "-buildvcs=false", "-o", plugin, "./protoc-gen-svc")
	template := fmt.Sprintf(`{"version": "v2", "clean": true, "inputs": [%s],
		"plugins": [{"local": %q, "out": %q, "strategy": "all", "opt": %q}]}`, input, plugin, filepath.Join(dir, "generated"), strings.Join(options, ","))
	run(workspace, buf, "generate", "--template", template)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// onlyYAML is a file system without what kustomize does not read.
type onlyYAML struct{ fs.FS }

func (o onlyYAML) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(o.FS, name)
	var kept []fs.DirEntry
	for _, e := range entries {
		if e.IsDir() || filepath.Ext(e.Name()) == ".yaml" {
			kept = append(kept, e)
		}
	}
	return kept, err
}
