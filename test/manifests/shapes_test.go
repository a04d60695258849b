package manifests

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shapes are services that differ in what they have, of two systems. The flagship
// has much of everything.
var shapes = map[string]string{
	// Nothing but gRPC.
	"plain": `service PlainService { rpc Get(Request) returns (Request); }`,
	// One replica, its database named by addresses.
	"single": `service SingleService {
  option (svc.v1.service) = {
    name: "single" system: "bank" scale: {min: 1 max: 1} database: {network: {cidr: "10.1.0.0/16"}}
  };
  rpc Get(Request) returns (Request);
}`,
	// Calls without paths or a database, across systems and out of the cluster.
	"caller": `service CallerService {
  option (svc.v1.service) = {
    name: "caller" system: "bank" team: "core"
    http_callees: {name: "rates" url: "https://rates.example.com"} monitoring: {monitor: MONITOR_POD}
  };
  rpc Get(Request) returns (Request) { option (svc.v1.method) = {calls: ["single.v1.SingleService/Get", "plain.v1.PlainService/Get"]}; }
}`,
	// Migrations by a Job, in-flight calls for the autoscaler, no monitor.
	"mover": `service MoverService {
  option (svc.v1.service) = {
    name: "mover" system: "bank" scale: {min: 2 max: 6 in_flight: 20} monitoring: {monitor: MONITOR_NONE}
    database: {migrations: MIGRATIONS_JOB network: {pods: "cnpg.io/cluster=mover" namespace: "databases"}}
  };
  rpc Get(Request) returns (Request) { option (google.api.http) = {get: "/v1/move"}; }
}`,
	// The smallest probes and the longest stop, profiles off.
	"slow": `service SlowService {
  option (svc.v1.service) = {
    name: "slow" system: "bank" ports: {grpc: 7000 http: 7001 admin: 7002}
    probes: {readiness_failures: 1 startup: "300s"} go_runtime: {profiles: false} stop: {drain_delay: "20s" budget: "100s"}
  };
  rpc Get(Request) returns (Request) { option (google.api.http) = {get: "/v1/slow"}; option (svc.v1.method) = {timeout: "90s"}; }
}`,
}

// generateShapes writes the manifests of all shapes, by one run that sees all of them.
func generateShapes(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, service := range shapes {
		text := fmt.Sprintf("syntax = \"proto3\";\npackage %[1]s.v1;\nimport \"google/api/annotations.proto\";\nimport \"svc/v1/svc.proto\";\n"+
			"option go_package = \"example.com/shapes/generated/%[1]s/v1;%[1]sv1\";\nmessage Request {}\n%[2]s\n", name, service)
		file := filepath.Join(dir, "proto", name, "v1", name+".proto")
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, []byte(text), 0o600))
	}
	must(t, os.CopyFS(filepath.Join(dir, "lib/svc"), os.DirFS("../../proto/svc")))
	must(t, os.CopyFS(filepath.Join(dir, "lib"), os.DirFS("../../third_party")))
	must(t, os.WriteFile(filepath.Join(dir, "buf.yaml"), []byte(`{"version": "v2", "modules": [{"path": "proto"}, {"path": "lib"}]}`), 0o600))
	generate(t, dir, dir, `{"directory": "proto"}`, "root=example.com/shapes/generated", "system=true")
	return filepath.Join(dir, "generated/deploy")
}

func TestShapes(t *testing.T) {
	deploy := generateShapes(t)
	services, err := Services(os.DirFS(deploy))
	must(t, err)
	if len(services) != len(shapes) {
		t.Errorf("there are %d services, want %d", len(services), len(shapes))
	}
	if err := Check(os.DirFS(deploy)); err != nil {
		t.Error(err)
	}
	for _, environment := range []string{"dev", "staging", "prod"} {
		for _, r := range build(t, disk, filepath.Join(deploy, "overlays", environment)).Resources() {
			decodeResource(t, r)
		}
	}
	ends := map[string]peer{
		"rates": {address: netip.MustParseAddr("203.0.113.7")}, "bank's database": {address: netip.MustParseAddr("10.1.2.3")},
		"mover's database": {namespace: "databases", labels: map[string]string{"cnpg.io/cluster": "mover"}},
	}
	for _, s := range services {
		ends[s.Name] = s.pods()
		if s.Migration != nil {
			ends[s.Name+"'s Job"] = peer{namespace: home, labels: s.Migration.Spec.Template.Labels}
		}
	}
	for _, test := range []struct {
		from, to string
		port     int32
		want     bool
	}{
		{"caller", "single", 9090, true},
		{"caller", "plain", 9090, true},
		{"single", "caller", 9090, false},
		{"plain", "single", 9090, false},
		{"caller", "rates", 443, true},
		{"caller", "rates", 5432, false},
		{"single", "rates", 443, false},
		{"single", "bank's database", 5432, true},
		{"single", "rates", 5432, false},
		{"mover", "mover's database", 5432, true},
		{"mover's Job", "mover's database", 5432, true},
		{"mover's Job", "bank's database", 5432, false},
		{"mover's Job", "single", 9090, false},
		{"caller", "mover's Job", 9091, false},
	} {
		if got := allowed(services, home, ends[test.from], ends[test.to], test.port); got != test.want {
			t.Errorf("%s to %s at port %d: allowed is %v", test.from, test.to, test.port, got)
		}
	}
}

// TestShapeChecksFail breaks what the flagship has not.
func TestShapeChecksFail(t *testing.T) {
	whole := inMemory(t, os.DirFS(generateShapes(t)))
	const job, policy = "mover/k8s/migration-job.yaml", "mover/k8s/components/network-policy/migration-networkpolicy.yaml"
	for _, test := range []struct{ name, file, old, new, want string }{
		{"typo", job, "backoffLimit:", "backoffLimits:", `unknown field "spec.backoffLimits"`},
		{"image", job, `image: "mover"`, `image: "move"`, `the image is "move"`},
		{"serves", job, "args: [--migrate]", "args: []", "the arguments are []"},
		{"replica", job, `        app.kubernetes.io/name: "mover.migrate"`, `        app.kubernetes.io/name: "mover"`, "takes the Job's pod for a replica"},
		{"secret", job, "name: MOVER_DATABASE_URL", "name: MOVER_DATABASE", "the Secrets' variables are [MOVER_DATABASE]"},
		{"root", job, "runAsUser: 65532", "runAsUser: 0", "may run as root"},
		{"again", job, "restartPolicy: Never", "restartPolicy: OnFailure", "a failed try"},
		{"account", job, `serviceAccountName: "mover"`, `serviceAccountName: "default"`, `the pod runs as "default"`},
		{"mounts", job, "mountPath: /etc/mover", "mountPath: /etc/move", "the mounts are"},
		{"policy of no pods", policy, `app.kubernetes.io/name: "mover.migrate"` + "\n  policyTypes", `app.kubernetes.io/name: "mover"` + "\n  policyTypes", "mover: migration: the NetworkPolicy selects"},
		{"everybody", policy, "policyTypes: [Ingress, Egress]", "policyTypes: [Egress]", "lets somebody in"},
	} {
		t.Run(test.name, func(t *testing.T) { wantFault(t, whole, test.file, test.old, test.new, test.want) })
	}
	t.Run("missing policy", func(t *testing.T) {
		broken := maps.Clone(whole)
		delete(broken, policy)
		if err := Check(broken); err == nil || !strings.Contains(err.Error(), "mover: missing: NetworkPolicy of the Job") {
			t.Errorf("got %v", err)
		}
	})
}
