package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/protosvc/protosvc/test/manifests/objects"
)

// kubernetesModule is what the programs are built from, at the version that
// tools/kubernetes/go.mod says.
const kubernetesModule = "k8s.io/kubernetes"

// program is one that is built.
type program struct{ module, path string }

// programs are those that can be started, by name. The module is a folder below tools.
var programs = map[string]program{
	"etcd":                       {"kubernetes", "go.etcd.io/etcd/server/v3"},
	"kube-apiserver":             {"kubernetes", kubernetesModule + "/cmd/kube-apiserver"},
	"kube-controller-manager":    {"kubernetes", kubernetesModule + "/cmd/kube-controller-manager"},
	"kube-scheduler":             {"kubernetes", kubernetesModule + "/cmd/kube-scheduler"},
	"kube-proxy":                 {"kubernetes", kubernetesModule + "/cmd/kube-proxy"},
	"kubelet":                    {"kubernetes", kubernetesModule + "/cmd/kubelet"},
	"kubectl":                    {"kubernetes", kubernetesModule + "/cmd/kubectl"},
	"coredns":                    {"coredns", "github.com/coredns/coredns"},
	"metrics-server":             {"metrics-server", "sigs.k8s.io/metrics-server/cmd/metrics-server"},
	policyProgram:                {"kube-router", "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router"},
	operatorName:                 {"monitoring", operatorModule + "/cmd/operator"},
	"prometheus-config-reloader": {"monitoring", operatorModule + "/cmd/prometheus-config-reloader"},
	"prometheus":                 {"prometheus", "github.com/prometheus/prometheus/cmd/prometheus"},
}

const operatorModule = "github.com/prometheus-operator/prometheus-operator"

// What an API server needs without a node, what a cluster with nodes needs, and what a
// monitoring on it.
var (
	apiPrograms        = []string{"etcd", "kube-apiserver"}
	nodePrograms       = append([]string{"kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "kubectl", "coredns"}, apiPrograms...)
	monitoringPrograms = []string{"metrics-server", operatorName, "prometheus-config-reloader", "prometheus"}
)

// cache is a folder for what is built once and kept.
func cache(name string) (string, error) {
	caches := os.Getenv("PROTOSVC_CACHE")
	if caches == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		caches = filepath.Join(user, "protosvc")
	}
	folder := filepath.Join(caches, name)
	return folder, os.MkdirAll(folder, 0o755)
}

// binaries builds those of the programs that are missing and returns the folder of all,
// and the version of Kubernetes.
func binaries(ctx context.Context, root string, r *report, names []string) (folder, version string, err error) {
	if version, err = moduleVersion(ctx, root, "kubernetes", kubernetesModule); err != nil {
		return "", "", err
	}
	if folder, err = cache(filepath.Join("kubernetes", version)); err != nil {
		return "", "", err
	}
	for _, name := range names {
		if err := build(ctx, filepath.Join(root, "tools", programs[name].module), programs[name].path, filepath.Join(folder, name), version, r); err != nil {
			return "", "", err
		}
	}
	return folder, version, nil
}

// moduleVersion is the version of a module that a folder below tools asks for.
func moduleVersion(ctx context.Context, root, tools, module string) (string, error) {
	return objects.Output(ctx, filepath.Join(root, "tools", tools), "go", "list", "-m", "-f", "{{.Version}}", module)
}

// build builds a program unless it is there. One that is half written has another name.
func build(ctx context.Context, tools, path, binary, version string, r *report) error {
	if _, err := os.Stat(binary); err == nil {
		return nil
	}
	r.note("building %s, which takes minutes the first time", filepath.Base(binary))
	half := binary + ".building"
	flags := "-s -w"
	for _, p := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags += fmt.Sprintf(" -X %s.gitVersion=%s", p, version)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", half, path)
	cmd.Dir = tools
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd, err, out)
	}
	return os.Rename(half, binary)
}
