package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// packages are those of Debian that a node is made of, and what builds and checks the
// images.
var packages = []string{"containerd", "runc", "containernetworking-plugins", "iptables", "conntrack", "iproute2", "postgresql"}

// nodeCount is so that a drained node leaves one for its pods.
const nodeCount = 2

// databasePort is the one that NetworkPolicies open for databases.
const databasePort = "5432"

// runNode makes everything that a cluster needs, and goes on in namespaces of its own.
func runNode(ctx context.Context, root string, r *report, p *plan, inside string, args ...string) error {
	if os.Geteuid() != 0 {
		return errors.New("run this as root: a node mounts file systems and changes routes")
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	if err := script(ctx, root, "debian-packages", p.packages()...); err != nil {
		return err
	}
	if _, _, err := binaries(ctx, root, r, p.programs()); err != nil {
		return err
	}
	images, err := cache("e2e/images")
	if err != nil {
		return err
	}
	built := services
	if p.plays(operatorNumber) {
		built = append(slices.Clone(built), operatorImage)
	}
	if err := script(ctx, root, "images", append([]string{"--archive", images, "dev"}, built...)...); err != nil {
		return err
	}
	if p.next() {
		if err := nextImages(ctx, root, images); err != nil {
			return err
		}
	}
	if err := ownImages(ctx, root, images, p); err != nil {
		return err
	}
	r.note("programs and images are there")
	return confine(ctx, append([]string{"-root", root, inside}, args...)...)
}

// ownImages writes the images of what the cluster itself runs.
func ownImages(ctx context.Context, root, folder string, p *plan) error {
	programs, _, err := binaries(ctx, root, nil, nil)
	if err != nil {
		return err
	}
	if err := command(ctx, filepath.Join(root, "test"), "env", "CGO_ENABLED=0", "go", "build", "-ldflags=-s -w", "-o", programs, "./e2e/pause"); err != nil {
		return err
	}
	for _, name := range p.own() {
		if err := writeImage(filepath.Join(folder, name+".tar"), filepath.Join(programs, name)); err != nil {
			return err
		}
	}
	return nil
}

// enter is what the first process of the namespaces does: it makes room and becomes the
// server of the databases, whose child goes on.
func enter(root, inside string, args ...string) error {
	if os.Getpid() != 1 {
		return errors.New("this is for the first process of a cluster")
	}
	if err := furnish(newNodes(nodeCount)); err != nil {
		return err
	}
	const temporary = "/run/tmp"
	if err := os.MkdirAll(temporary, 0o755); err != nil {
		return err
	}
	if err := os.Setenv("TMPDIR", temporary); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	with := filepath.Join(root, "scripts/with-postgres")
	all := append([]string{with, "--listen", net.JoinHostPort(controlAddress, databasePort), self, "-root", root, inside}, args...)
	return syscall.Exec(with, all, os.Environ())
}

// probe does what a cluster needs of the machine and leaves nothing.
func probe() error {
	nodes := newNodes(1)
	return errors.Join(furnish(nodes), makeCgroups(nodes))
}

// raise starts the cluster and the flagship on it.
func raise(ctx context.Context, root string, r *report, p *plan) (*flagship, error) {
	programs, version, err := binaries(ctx, root, r, nil)
	if err != nil {
		return nil, err
	}
	folder, err := cache("e2e/images")
	if err != nil {
		return nil, err
	}
	logs, err := cache("e2e/logs")
	if err != nil {
		return nil, err
	}
	c, err := startCluster(ctx, programs, version, p.images(folder), logs, newNodes(nodeCount), r)
	if err != nil {
		return nil, fmt.Errorf("start of Kubernetes %s: %w (logs: %s)", version, err, logs)
	}
	f, err := deploy(ctx, c, root, r)
	if err != nil {
		return nil, err
	}
	return f, f.createUser(ctx)
}

// judge plays what is planned.
func judge(ctx context.Context, root string, r *report, args []string) error {
	p, err := newPlan(args)
	if err != nil {
		return err
	}
	f, err := raise(ctx, root, r, p)
	if err != nil {
		return err
	}
	var findings []finding
	if p.full {
		findings = f.judgeMonitoring(ctx)
		for _, f := range findings {
			r.verdict(f.err, "%s", f.what)
		}
	}
	var trials []*trial
	for _, s := range p.scenarios {
		t := s.play(ctx, f)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		what := fmt.Sprintf("%s: %d calls in %.0f s, %d failed%s", s.name, len(t.calls), t.ended.Sub(t.began).Seconds(), len(t.failed()), suffix(outcomes(t.failed())))
		if late := len(t.late()); late > 0 {
			what += fmt.Sprintf(", %d more ran out of time while no processor was free", late)
		}
		if t.unknown() {
			r.unknown("%s, while the host took up to %.0f %% of the processors", what, 100*t.machine.Stolen())
		} else {
			r.verdict(t.err, "%s", what)
		}
		trials = append(trials, t)
		for _, row := range f.proof.of(s) {
			fmt.Printf("      %s: %s\n", row.what, row.took)
		}
	}
	if p.whole() {
		if err := document(ctx, root, f.version, trials, findings); err != nil {
			return err
		}
	}
	if p.full && f.proof != nil {
		if err := f.proof.write(root); err != nil {
			return err
		}
	}
	return r.end()
}

func suffix(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

// hold keeps the flagship until it is told to end.
func hold(ctx context.Context, root string, r *report) error {
	f, err := raise(ctx, root, r, &plan{})
	if err != nil {
		return err
	}
	kubeconfig, err := f.authority.kubeconfig(f.server.client.url, "user", "admin", "system:masters")
	if err != nil {
		return err
	}
	folder, err := cache("e2e")
	if err != nil {
		return err
	}
	fmt.Printf(`
The flagship runs in namespace %s. From another terminal:

  nsenter --target $(cat %s) --net --mount --pid
  export KUBECONFIG=%s PATH=$PATH:%s
  kubectl --namespace %s get pods

Ctrl-C ends it, and leaves nothing.
`, namespace, filepath.Join(folder, firstProcess), kubeconfig, f.programs, namespace)
	<-ctx.Done()
	return nil
}
