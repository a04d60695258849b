package manifests

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	apps "k8s.io/api/apps/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	kustomize "sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const deploy = "../../generated/deploy"

// generated is what the flagship's contracts became.
func generated(t *testing.T) fs.FS {
	t.Helper()
	if _, err := os.Stat(deploy); err != nil {
		t.Fatalf("there is nothing to look at (run: make generate): %v", err)
	}
	return os.DirFS(deploy)
}

func TestGenerated(t *testing.T) {
	if err := Check(generated(t)); err != nil {
		t.Error(err)
	}
}

var disk = filesys.MakeFsOnDisk()

// build renders a folder, as kubectl apply -k does.
func build(t *testing.T, fsys filesys.FileSystem, folder string) resmap.ResMap {
	t.Helper()
	rendered, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(fsys, folder)
	if err != nil {
		t.Fatalf("%s: %v", folder, err)
	}
	return rendered
}

// copied is what was generated, below /generated/deploy in memory.
func copied(t *testing.T) filesys.FileSystem {
	t.Helper()
	fsys := filesys.MakeFsInMemory()
	for name, file := range inMemory(t, generated(t)) {
		if err := fsys.WriteFile("/generated/deploy/"+name, file.Data); err != nil {
			t.Fatal(err)
		}
	}
	return fsys
}

// TestKustomize renders the whole system, as kubectl apply -k does.
func TestKustomize(t *testing.T) {
	fsys := generated(t)
	services, err := Services(fsys)
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	for _, s := range services {
		want += len(s.Files) + len(s.MonitorFiles)
	}
	if want == 0 {
		t.Fatal("no service was found")
	}
	rendered := build(t, disk, deploy)
	if rendered.Size() != want {
		t.Errorf("rendered %d objects, the folders have %d", rendered.Size(), want)
	}
	for _, r := range rendered.Resources() {
		decodeResource(t, r)
	}
}

// TestOverlay patches the system from outside, as the comment of each
// kustomization tells users to.
func TestOverlay(t *testing.T) {
	fsys := copied(t)
	overlay := "resources: [../generated/deploy]\nimages: [{name: order, newName: registry.example.com/shop/order, newTag: v1.2.3}]\n" +
		"labels: [{pairs: {app.kubernetes.io/version: v1.2.3, app.kubernetes.io/instance: shop-test}, includeTemplates: true}]\n"
	if err := fsys.WriteFile("/overlay/kustomization.yaml", []byte(overlay)); err != nil {
		t.Fatal(err)
	}
	rendered := build(t, fsys, "/overlay")
	text, err := rendered.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"image: registry.example.com/shop/order:v1.2.3", "image: payment:dev"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in what kustomize made", want)
		}
	}
	for _, r := range rendered.Resources() {
		labels := r.GetLabels()
		if labels["app.kubernetes.io/version"] != "v1.2.3" || labels["app.kubernetes.io/instance"] != "shop-test" {
			t.Errorf("%s has the labels %v", r.CurId(), labels)
		}
		if d, ok := decodeResource(t, r).(*apps.Deployment); ok {
			if pod := d.Spec.Template.Labels; pod["app.kubernetes.io/version"] != "v1.2.3" || pod["app.kubernetes.io/instance"] != "shop-test" {
				t.Errorf("the pods of %s have the labels %v", d.Name, pod)
			}
			if selector := d.Spec.Selector.MatchLabels; len(selector) != 1 {
				t.Errorf("%s selects %v, which never changes", d.Name, selector)
			}
		}
	}
}

func decodeResource(t *testing.T, r *resource.Resource) any {
	t.Helper()
	text, err := r.AsYAML()
	if err != nil {
		t.Fatal(err)
	}
	object, err := decode(text)
	if err != nil {
		t.Fatalf("%s: rendered: %v", r.CurId(), err)
	}
	return object
}

// TestWithoutOperator renders what a cluster without the kinds of prometheus-operator
// takes: the bases of the services alone.
func TestWithoutOperator(t *testing.T) {
	for _, folder := range files(t, "*/k8s") {
		for _, r := range build(t, disk, folder).Resources() {
			if r.GetGvk().Group == "monitoring.coreos.com" {
				t.Errorf("%s has %s", folder, r.CurId())
			}
		}
	}
}

// TestSystem checks that the system's kustomization names every service.
func TestSystem(t *testing.T) {
	objects, err := Decode(generated(t))
	if err != nil {
		t.Fatal(err)
	}
	system, ok := objects["kustomization.yaml"].(*kustomize.Kustomization)
	if !ok {
		t.Fatal("there is no kustomization of the system")
	}
	named := map[string]bool{}
	for _, r := range system.Resources {
		named[r] = true
	}
	folders, err := fs.Glob(generated(t), "*/k8s")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if !named[folder] {
			t.Errorf("%s is not under resources", folder)
		}
	}
	if len(named) != len(folders) {
		t.Errorf("%d resources, %d folders", len(named), len(folders))
	}
}

// wantFault breaks one of the files in one place, and wants Check to say something of it.
func wantFault(t *testing.T, whole fstest.MapFS, file, old, now, want string) {
	t.Helper()
	broken := maps.Clone(whole)
	text := string(whole[file].Data)
	if strings.Count(text, old) == 0 {
		t.Fatalf("%s does not contain %q: the case tests nothing", file, old)
	}
	broken[file] = &fstest.MapFile{Data: []byte(strings.Replace(text, old, now, 1))}
	err := Check(broken)
	if err == nil {
		t.Fatal("not noticed")
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("got\n%v\nwant something with %q", err, want)
	}
}

// TestChecksFail shows that each check sees what it is for: it breaks the
// generated files of one service in one place at a time.
func TestChecksFail(t *testing.T) {
	const (
		deployment = "order/k8s/deployment.yaml"
		service    = "order/k8s/service.yaml"
		headless   = "order/k8s/service-headless.yaml"
		component  = "order/k8s/components/monitor/kustomization.yaml"
		monitor    = "order/k8s/components/monitor/servicemonitor.yaml"
		pods       = "user/k8s/components/monitor/podmonitor.yaml"
		configmap  = "order/k8s/configmap.yaml"
		scaler     = "order/k8s/horizontalpodautoscaler.yaml"
		list       = "order/k8s/kustomization.yaml"
		budget     = "order/k8s/poddisruptionbudget.yaml"
		policy     = "order/k8s/components/network-policy/networkpolicy.yaml"
		callee     = "user/k8s/components/network-policy/networkpolicy.yaml"
	)
	tests := []struct{ name, file, old, new, want string }{
		{"typo", deployment, "terminationGracePeriodSeconds:", "terminationGracePeriodSecond:", `unknown field "spec.template.spec.terminationGracePeriodSecond"`},
		{"case", deployment, "enableServiceLinks:", "enableservicelinks:", `unknown field "spec.template.spec.enableservicelinks"`},
		{"type", scaler, "minReplicas: 2", "minReplicas: two", "cannot unmarshal string"},
		{"quantity", deployment, `cpu: "250m"`, `cpu: "250 m"`, "quantities must match"},
		{"duplicate key", service, "  type: ClusterIP\n", "  type: ClusterIP\n  type: ClusterIP\n", `key "type" already set`},
		{"unknown kind", service, "kind: Service\n", "kind: Servce\n", `kind "Servce" is not known`},
		{"old version", scaler, "apiVersion: autoscaling/v2\n", "apiVersion: autoscaling/v2beta2\n", `apiVersion "autoscaling/v2beta2"`},
		{"two documents", service, "spec:\n", "---\nspec:\n", "more than one document"},
		{"second object", headless, "clusterIP: None", "type: ClusterIP", "there are two objects"},
		{"label", service, `team: "commerce"`, `team: "payments"`, "order: labels: Service has team"},
		{"selector", service, "  selector:\n    app.kubernetes.io/name: \"order\"", "  selector:\n    app.kubernetes.io/name: \"ordr\"", "order: selectors: Service selects"},
		{"target port", service, "targetPort: admin", "targetPort: admn", `leads to "admn"`},
		{"probe port", deployment, "path: /readyz\n              port: admin", "path: /readyz\n              port: health", `readiness probe asks port "health"`},
		{"listening port", configmap, `admin: ":9091"`, `admin: ":9092"`, `port "admin" is 9091, in config.yaml ":9092"`},
		{"monitored port", monitor, "port: admin", "port: metrics", `scrapes port "metrics"`},
		{"monitored port of pods", pods, "port: admin", "port: metrics", "user: monitor: makes 0 targets"},
		{"interval", monitor, `interval: "30s"`, `interval: "30 sec"`, `interval "30 sec" is not a duration`},
		{"monitored twice", monitor, "      app.kubernetes.io/component: server\n", "", "selects the headless Service too"},
		{"monitored pods", pods, "matchLabels:\n      app.kubernetes.io/name: \"user\"", "matchLabels:\n      app.kubernetes.io/name: \"usr\"", "user: monitor: makes 0 targets"},
		{"interval of pods", pods, `interval: "30s"`, `interval: "9s"`, `timeout "10s" does not fit into interval "9s"`},
		{"scraped twice", monitor, "  endpoints:\n", "  endpoints:\n    - {port: admin, path: /metrics, interval: 30s, scrapeTimeout: 10s}\n", "order: monitor: makes 2 targets"},
		{"job", monitor, "jobLabel: app.kubernetes.io/name", "jobLabel: app.kubernetes.io/part-of", "job:shop"},
		{"job of pods", pods, "jobLabel: app.kubernetes.io/name", "jobLabel: name", "job:namespace/user"},
		{"series label", monitor, "__meta_kubernetes_pod_label_team", "__meta_kubernetes_pod_label_squad", "order: monitor: makes targets"},
		{"series label of pods", pods, "targetLabel: system", "targetLabel: part_of", "part_of:shop"},
		{"label of one kind", monitor, "service|container|endpoint", "container|endpoint", "service:order"},
		{"label of pods", pods, "service|container|endpoint", "service|endpoint", "container:user"},
		{"version", deployment, `app.kubernetes.io/version: "dev"`, `app.kubernetes.io/version: "v1"`, `has tag "dev", the Deployment version "v1"`},
		{"monitor not named", component, "servicemonitor.yaml", "monitor.yaml", "the component of the monitor names [monitor.yaml]"},
		{"account", deployment, `serviceAccountName: "order"`, `serviceAccountName: "default"`, `the pods run as "default"`},
		{"volume", deployment, "configMap:\n            name: \"order\"", "configMap:\n            name: \"orders\"", `is ConfigMap "orders"`},
		{"no token", deployment, "secret:\n            secretName: \"order-admin\"", "configMap:\n            name: \"order-admin\"", "the volumes are not the ConfigMap and the Secret of the admin port"},
		{"token of another", deployment, "secretName: \"order-admin\"", "secretName: \"user-admin\"", `volume "admin" is Secret "user-admin"`},
		{"awaited token", deployment, "optional: true", "optional: false", `volume "admin" is awaited`},
		{"token elsewhere", deployment, "mountPath: /run/secrets/order-admin", "mountPath: /run/admin", `no variable says that the token is below "/run/admin"`},
		{"service links", deployment, "enableServiceLinks: false", "enableServiceLinks: true", "enableServiceLinks is on"},
		{"two owners", deployment, "  selector:\n", "  replicas: 2\n  selector:\n", "both say how many"},
		{"scaled object", scaler, "    name: \"order\"", "    name: \"orders\"", "the autoscaler scales"},
		{"grace", configmap, "budget: 20s", "budget: 25s", "the grace period does not cover 5s and 25s"},
		{"memory", deployment, "            limits:\n              memory: \"128Mi\"", "            limits:\n              memory: \"96Mi\"", "GOMEMLIMIT"},
		{"disk", deployment, "            limits:\n              memory: \"128Mi\"\n              ephemeral-storage: \"256Mi\"", "            limits:\n              memory: \"128Mi\"", "ephemeral-storage: request 256Mi, limit 0"},
		{"slow up", scaler, "stabilizationWindowSeconds: 0", "stabilizationWindowSeconds: 60", "up looks at another time"},
		{"fast down", scaler, "stabilizationWindowSeconds: 300", "stabilizationWindowSeconds: 30", "down looks at another time"},
		{"all down at once", scaler, "value: 10\n", "value: 100\n", "down has policies"},
		{"smaller policy", scaler, "selectPolicy: Max", "selectPolicy: Min", "up does not take the larger policy"},
		{"one direction", scaler, "    scaleUp:", "    scaleDown:", `key "scaleDown" already set`},
		{"metric", scaler, "name: grpc_server_in_flight", "name: grpc_server_inflight", `"grpc_server_inflight" is no metric of pods`},
		{"average", scaler, `averageValue: "50"`, `averageValue: "0"`, "has no average to keep to"},
		{"metric of an object", scaler, "type: Pods\n      pods:", "type: External\n      pods:", `type "External" is not of pods`},
		{"CPU", scaler, "name: cpu", "name: memory", "the CPU does not come first"},
		{"no eviction", budget, "maxUnavailable: 1", "maxUnavailable: 0", "one pod at a time may not go"},
		{"blocked drain", budget, "maxUnavailable: 1", "minAvailable: 1", "one pod at a time may not go"},
		{"broken pods", budget, "AlwaysAllow", "IfHealthyBudget", "broken pods block a drain"},
		{"budget of others", budget, "      app.kubernetes.io/name: \"order\"\n", "      app.kubernetes.io/name: \"orders\"\n", "it is about other pods"},
		{"pending", deployment, "ScheduleAnyway", "DoNotSchedule", "pods may stay pending"},
		{"zones", deployment, "topologyKey: topology.kubernetes.io/zone", "topologyKey: topology.kubernetes.io/region", "10 replicas spread over"},
		{"skew", deployment, "maxSkew: 1", "maxSkew: 2", "2 pods more are fine"},
		{"version before", deployment, "          matchLabelKeys: [pod-template-hash]\n", "", "pods of the version before count"},
		{"others count", deployment, "            matchLabels:\n              app.kubernetes.io/name: \"order\"", "            matchLabels:\n              app.kubernetes.io/name: \"orders\"", "other pods count"},
		{"slow check", configmap, "readiness_timeout: 2s", "readiness_timeout: 3s", "waits 3s, the check of the database 3s"},
		{"long probe", deployment, "timeoutSeconds: 3\n            periodSeconds: 5", "timeoutSeconds: 6\n            periodSeconds: 5", "the readiness probe waits 6 s, and comes every 5 s"},
		{"no threshold", deployment, "            failureThreshold: 2\n", "", "the readiness probe has no failureThreshold"},
		{"root", deployment, "runAsUser: 65532", "runAsUser: 0", "may run as root"},
		{"capabilities", deployment, "drop: [ALL]", "drop: [NET_RAW]", "there are capabilities"},
		{"file not named", list, "  - service.yaml\n", "", "order: kustomization: names"},
		{"policy of no pods", policy, "app.kubernetes.io/name: \"order\"\n  # Both", "app.kubernetes.io/name: \"ordr\"\n  # Both", "order: network: selects"},
		{"one direction", policy, "policyTypes: [Ingress, Egress]", "policyTypes: [Ingress]", "order: network: policyTypes are [Ingress]"},
		{"closed port", policy, "port: 8080", "port: 8081", "order: network: lets in to port 8081"},
		{"everybody", policy, "    - from:\n        - podSelector: {}\n          namespaceSelector:\n            matchLabels:\n              \"kubernetes.io/metadata.name\": \"ingress-nginx\"\n      ports:", "    - ports:", "lets in everybody"},
		{"nobody", policy, `"app.kubernetes.io/name": "user"`, `"app.kubernetes.io/name": "usr"`, "which no service has"},
		{"caller alone", callee, `"app.kubernetes.io/name": "order"`, `"app.kubernetes.io/name": "payment"`, "order: network: lets out to user at port 9090"},
		{"callee alone", policy, `"app.kubernetes.io/name": "user"`, `"app.kubernetes.io/name": "payment"`, "user: network: lets in order to port 9090"},
		{"every port", policy, "    - ports:\n        - protocol: TCP\n          port: 5432\n", "    - {}\n", "an egress rule opens every port"},
		{"image", list, `- name: "order"`, `- name: "orders"`, `image "order" is not under images`},
	}
	whole := inMemory(t, generated(t))
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { wantFault(t, whole, test.file, test.old, test.new, test.want) })
	}
	t.Run("missing policy", func(t *testing.T) {
		broken := maps.Clone(whole)
		delete(broken, policy)
		if err := Check(broken); err == nil || !strings.Contains(err.Error(), "order: missing: NetworkPolicy") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no whole system", func(t *testing.T) {
		part := maps.Clone(whole)
		for name := range part {
			if strings.Contains(name, "components/network-policy/") {
				delete(part, name)
			}
		}
		if err := Check(part); err != nil {
			t.Error(err)
		}
	})
	t.Run("missing file", func(t *testing.T) {
		broken := maps.Clone(whole)
		delete(broken, monitor)
		if err := Check(broken); err == nil || !strings.Contains(err.Error(), "order: missing: monitor") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no budget", func(t *testing.T) {
		broken := maps.Clone(whole)
		delete(broken, budget)
		if err := Check(broken); err == nil || !strings.Contains(err.Error(), "with 10 replicas at the most, there is a budget: false") {
			t.Errorf("got %v", err)
		}
	})
}

func inMemory(t *testing.T, fsys fs.FS) fstest.MapFS {
	t.Helper()
	all := fstest.MapFS{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(fsys, name)
		all[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var link = regexp.MustCompile(`\]\(([^)]+)\)`)

// TestLinks follows every link in the generated pages.
func TestLinks(t *testing.T) {
	fsys := inMemory(t, generated(t))
	followed := 0
	for name, file := range fsys {
		if path.Ext(name) != ".md" {
			continue
		}
		for _, l := range link.FindAllStringSubmatch(string(file.Data), -1) {
			followed++
			if target := path.Join(path.Dir(name), l[1]); fsys[target] == nil {
				t.Errorf("%s: there is no %s", name, target)
			}
		}
	}
	if followed == 0 {
		t.Error("no link was found")
	}
}
