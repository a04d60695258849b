package main

import (
	"cmp"
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

// programs are the import paths of those that are started, by name.
var programs = map[string]string{
	"etcd":           "go.etcd.io/etcd/server/v3",
	"kube-apiserver": kubernetesModule + "/cmd/kube-apiserver",
}

// binaries builds what is missing and returns the folder of all of it, and the version
// of Kubernetes.
func binaries(ctx context.Context, root string, r *report) (folder, version string, err error) {
	tools := filepath.Join(root, "tools/kubernetes")
	if version, err = objects.Output(ctx, tools, "go", "list", "-m", "-f", "{{.Version}}", kubernetesModule); err != nil {
		return "", "", err
	}
	caches, err := os.UserCacheDir()
	if err != nil {
		return "", "", err
	}
	folder = filepath.Join(cmp.Or(os.Getenv("PROTOSVC_CACHE"), filepath.Join(caches, "protosvc")), "kubernetes", version)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", "", err
	}
	for name, path := range programs {
		if err := build(ctx, tools, path, filepath.Join(folder, name), version, r); err != nil {
			return "", "", err
		}
	}
	return folder, version, nil
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
