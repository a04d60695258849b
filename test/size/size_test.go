// Package size_test builds the services as their images do, and holds the image
// to its size. Every import counts, so the first one too many must be noticed.
package size_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const (
	// limit is what an image may have: 15 MiB. No service may exceed it.
	limit = 15 << 20
	// goal is what an image should have. The test says how far away it is.
	goal = 14_900_000
	// usualBundle is the size of a CA bundle, for machines without one.
	usualBundle = 230_000
)

func TestImage(t *testing.T) {
	for _, service := range []string{"order", "payment", "user"} {
		t.Run(service, func(t *testing.T) {
			d := readDockerfile(t, service)
			binary, linked := link(t, d, service)
			if method, why := linked.reflectMethod(); method != "" {
				t.Errorf("%s turns off the pruning of methods; it is in the binary because of\n%s", method, why)
			}
			image := size(t, binary) + bundle() + d.users + size(t, filepath.Join(repository, "generated/deploy", service, "config.yaml"))
			t.Logf("binary %d bytes, image %d bytes: %+d to the goal, %+d to the limit",
				size(t, binary), image, goal-image, limit-image)
			if image > limit {
				t.Errorf("the image of %s has %d bytes, want at most %d", service, image, limit)
			}
		})
	}
}

// link builds a service and returns the path of the binary, with what the linker
// says about it.
func link(t *testing.T, d dockerfile, service string) (string, graph) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), service)
	dump, err := os.Create(binary + ".dep")
	if err != nil {
		t.Fatal(err)
	}
	defer dump.Close()
	cmd := exec.Command("bash", "-euc", d.command(service, binary))
	cmd.Dir = repository
	cmd.Env = append(os.Environ(), "VERSION=v0.0.0-test")
	cmd.Stdout, cmd.Stderr = dump, dump
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(dump.Name())
		t.Fatalf("%s: %v\n%.2000s", cmd, err, said)
	}
	if _, err := dump.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	g, err := readGraph(dump)
	if err != nil {
		t.Fatal(err)
	}
	if len(g.reason) < 10_000 {
		t.Fatalf("the linker names %d symbols: it did not say what -dumpdep asks for", len(g.reason))
	}
	return binary, g
}

func size(t *testing.T, name string) int {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return int(info.Size())
}

// bundle is the size of the CA bundle.
func bundle() int {
	if info, err := os.Stat("/etc/ssl/certs/ca-certificates.crt"); err == nil {
		return int(info.Size())
	}
	return usualBundle
}
