package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/protosvc/protosvc/internal/system"
)

// base is what all rows stand on: binaries, the callees of order, and what the manifest
// of order says.
type base struct {
	dir           string
	tags          string
	user, payment *system.Service
	limit         int64  // of memory, in bytes
	goLimit       string // GOMEMLIMIT
	patience      time.Duration
	unbounded     error // why there is no cgroup
}

const deploy = "generated/deploy/order"

// The binaries that are besieged: the service, and one with bare defaults beside it.
const (
	order = "order"
	bare  = "bare"
)

// raise builds the services and starts the callees.
func raise(ctx context.Context) (_ *base, err error) {
	b := &base{}
	if b.dir, err = os.MkdirTemp("", "siege-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if err := b.read(); err != nil {
		return nil, err
	}
	if err := b.build(ctx); err != nil {
		return nil, err
	}
	if b.user, err = b.start(ctx, "user", b.bin()); err != nil {
		return nil, err
	}
	b.payment, err = b.start(ctx, "payment", b.bin())
	return b, err
}

func (b *base) bin() string { return filepath.Join(b.dir, "bin") }

// read takes limits and timeouts out of the generated Deployment.
func (b *base) read() error {
	text, err := os.ReadFile(deploy + "/k8s/deployment.yaml")
	if err != nil {
		return err
	}
	var d apps.Deployment
	if err := yaml.UnmarshalStrict(text, &d); err != nil {
		return err
	}
	c := d.Spec.Template.Spec.Containers[0]
	b.limit = c.Resources.Limits.Memory().Value()
	b.patience = time.Duration(min(c.LivenessProbe.TimeoutSeconds, c.ReadinessProbe.TimeoutSeconds)) * time.Second
	b.goLimit = variable(c, "GOMEMLIMIT")
	if b.limit == 0 || b.goLimit == "" || b.patience == 0 {
		return fmt.Errorf("%s: no limit of memory, GOMEMLIMIT or timeout of probes", deploy)
	}
	return nil
}

func variable(c core.Container, name string) string {
	for _, e := range c.Env {
		if e.Name == name {
			return e.Value
		}
	}
	return ""
}

// build makes the binaries with the tags of the image but nosqlite.
func (b *base) build(ctx context.Context) error {
	text, err := os.ReadFile(deploy + "/Dockerfile")
	if err != nil {
		return err
	}
	found := regexp.MustCompile(`-tags (\S+)`).FindSubmatch(text)
	if found == nil {
		return fmt.Errorf("%s/Dockerfile has no -tags", deploy)
	}
	b.tags = strings.ReplaceAll(string(found[1]), ",nosqlite", "")
	var mains []string
	for _, name := range []string{"user", "payment", "order"} {
		mains = append(mains, fmt.Sprintf("./generated/deploy/%s/cmd/%[1]s", name))
	}
	return b.compile(ctx, ".", mains...)
}

// buildBare makes the server of bare defaults.
func (b *base) buildBare(ctx context.Context) error { return b.compile(ctx, "test", "./siege/bare") }

// compile builds main packages of a module, as for an image.
func (b *base) compile(ctx context.Context, module string, mains ...string) error {
	args := []string{"build", "-C", module, "-buildvcs=false", "-trimpath", "-tags", b.tags, "-o", b.bin() + "/"}
	cmd := exec.CommandContext(ctx, "go", append(args, mains...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

func (b *base) start(ctx context.Context, name, bin string, environ ...string) (*system.Service, error) {
	dir, err := os.MkdirTemp(b.dir, name+"-")
	if err != nil {
		return nil, err
	}
	return system.StartReplica(ctx, name, "siege", system.Options{Bin: bin, Dir: dir,
		Environ: append(environ, fmt.Sprintf("%s_DATABASE_URL=sqlite:%s/data.db", strings.ToUpper(name), dir))})
}

func (b *base) close() {
	for _, s := range []*system.Service{b.user, b.payment} {
		if s != nil {
			_ = s.Kill()
		}
	}
	_ = os.RemoveAll(b.dir)
}

// replica is the order process that is besieged.
type replica struct {
	*system.Service
	cgroup
}

// replica starts order as a container would be started: a shell enters the cgroup and sets
// the limit of files before it becomes the service.
func (b *base) replica(ctx context.Context, binary string, files int) (_ *replica, err error) {
	r := &replica{}
	if r.cgroup, b.unbounded = newCgroup(b.limit); b.unbounded != nil {
		fmt.Println("      no cgroup, memory is only watched:", b.unbounded)
	}
	bin, err := os.MkdirTemp(b.dir, "entry-")
	if err != nil {
		return nil, errors.Join(err, r.remove())
	}
	limit := "ulimit -n 65536 2>/dev/null || true"
	if files > 0 {
		limit = "ulimit -n " + strconv.Itoa(files)
	}
	script := fmt.Sprintf("#!/bin/sh\nset -e\n%s\necho $$ >%s\nexec %s/%s \"$@\"\n", limit, r.procs(), b.bin(), binary)
	if err := os.WriteFile(filepath.Join(bin, "order"), []byte(script), 0o755); err != nil {
		return nil, errors.Join(err, r.remove())
	}
	r.Service, err = b.start(ctx, "order", bin, "GOMEMLIMIT="+b.goLimit,
		"ORDER_CALLEES_USER_SERVICE_TARGET="+b.user.Target(), "ORDER_CALLEES_PAYMENT_SERVICE_TARGET="+b.payment.Target())
	if err != nil {
		return nil, errors.Join(err, r.remove())
	}
	return r, nil
}

// end leaves nothing of it.
func (r *replica) end() error { return errors.Join(r.Kill(), r.remove()) }

// alive reports whether its process has not ended.
func (r *replica) alive() bool { return r.Signal(syscall.Signal(0)) == nil }

// rest is what a replica holds when garbage is collected.
type rest struct {
	usage
	files, goroutines int
}

func (r *replica) rest(ctx context.Context) (now rest) {
	for range 2 { // finalizers take two
		_, _ = r.page(ctx, "/debug/pprof/heap?gc=1")
	}
	text, _ := r.page(ctx, "/metrics")
	if _, n, ok := strings.Cut(text, "\ngo_goroutines "); ok {
		_, _ = fmt.Sscan(n, &now.goroutines)
	}
	open, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", r.PID()))
	now.files, now.usage = len(open), r.usage(r.PID())
	return now
}

// page asks the admin port, on a connection of its own as the kubelet does.
func (r *replica) page(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.Admin+path, nil)
	if err != nil {
		return "", err
	}
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, res.Status)
	}
	return string(text), err
}
