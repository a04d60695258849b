package controller

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/protosvc/protosvc/operator/internal/pods"
)

// operator is one that runs until it is stopped or killed.
type operator struct {
	reconciler *Reconciler
	events     chan string
	effects    *atomic.Int64
	done       chan struct{} // closed when it is dead
	stop       func()
}

// errKilled is what everything returns once an operator is dead.
var errKilled = errors.New("killed")

// run starts an operator for a fleet. After so many effects on the cluster or on pods it is
// killed, just before the next or, where late, just after it; -1 is never.
func run(f *fleet, effects int, late bool) *operator {
	count := new(atomic.Int64)
	ctx, cancel := context.WithCancelCause(context.Background())
	effect := func(do func() error) error {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		n := int(count.Add(1))
		if effects < 0 || n <= effects {
			return do()
		}
		if late {
			_ = do()
		}
		cancel(errKilled)
		return errKilled
	}
	recorder := events.NewFakeRecorder(1000)
	o := &operator{events: recorder.Events, effects: count, reconciler: &Reconciler{
		Client: interceptor.NewClient(f.client, interceptor.Funcs{
			Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
				return effect(func() error { return c.Create(ctx, obj, opts...) })
			},
			Update: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.UpdateOption) error {
				return effect(func() error { return c.Update(ctx, obj, opts...) })
			},
			Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
				return effect(func() error { return c.Patch(ctx, obj, patch, opts...) })
			},
		}),
		Pods: &pods.Client{HTTP: &http.Client{Transport: transport(func(req *http.Request) (res *http.Response, err error) {
			if req.Method == http.MethodGet || strings.Contains(req.URL.Path, "/hold") {
				return http.DefaultTransport.RoundTrip(req)
			}
			err = effect(func() error { res, err = http.DefaultTransport.RoundTrip(req); return err })
			return res, err
		})}},
		Events: recorder,
		Meter:  NewMeter(prometheus.NewRegistry()),
	}}
	o.done = make(chan struct{})
	go func() {
		defer close(o.done)
		name := reconcile.Request{NamespacedName: client.ObjectKey{Namespace: f.namespace, Name: "user"}}
		for ctx.Err() == nil {
			res, err := o.reconciler.Reconcile(ctx, name)
			after := min(res.RequeueAfter, 300*time.Millisecond) // a watch would bring it sooner than it wants
			if err != nil {
				after = 100 * time.Millisecond
			}
			select {
			case <-ctx.Done():
			case <-time.After(after):
			}
		}
	}()
	o.stop = func() { cancel(errKilled); <-o.done }
	f.t.Cleanup(o.stop)
	return o
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) { return t(req) }

// said waits for an event.
func (o *operator) said(t *testing.T, what string, within time.Duration) {
	t.Helper()
	var all []string
	for end := time.After(within); ; {
		select {
		case e := <-o.events:
			if strings.Contains(e, what) {
				return
			}
			all = append(all, e)
		case <-end:
			t.Fatalf("after %v no event has %q: %q", within, what, all)
		}
	}
}

// is waits for a status, and returns the ConfigMap.
func (f *fleet) is(want status, within time.Duration) *corev1.ConfigMap {
	f.t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(100 * time.Millisecond) {
		config := f.config()
		if config.Labels[statusLabel] == string(want) {
			return config
		}
		if time.Now().After(end) {
			f.t.Fatalf("after %v it is %q, want %q: %v", within, config.Labels[statusLabel], want, config.Annotations)
		}
	}
}

// processes are the ids of the pods' processes.
func (f *fleet) processes() map[int]bool {
	all := map[int]bool{}
	for _, m := range f.all() {
		all[m.cmd.Process.Pid] = true
	}
	return all
}

// kept wants the pods to be the processes that they were.
func (f *fleet) kept(before map[int]bool) {
	f.t.Helper()
	for pid := range f.processes() {
		if !before[pid] {
			f.t.Errorf("process %d is new", pid)
		}
	}
}

// replaced wants the pods to be other processes than they were, and to stay those.
func (f *fleet) replaced(before map[int]bool) {
	f.t.Helper()
	now := f.processes()
	for pid := range now {
		if before[pid] {
			f.t.Errorf("process %d was not restarted", pid)
		}
	}
	time.Sleep(3 * time.Second)
	f.kept(now)
}

const patience = 90 * time.Second

// A good edit is in force in all pods, none of which restarts, and is kept.
func TestEdit(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	o := run(f, -1, false)
	o.said(t, "Normal ConfigApplied", patience)
	before := f.processes()
	other := f.config() // a file of an environment that no pod is in
	other.Data["config.prod.yaml"] = "limits: {concurrency: 0}\n"
	must(t, f.client.Update(t.Context(), other))
	f.edit("limits: {concurrency: 101}\n")
	f.settled("concurrency: 101\n", patience)
	o.said(t, "Normal ConfigApplied", patience)
	config := f.is(isApplied, patience)
	f.kept(before)
	var kept corev1.ConfigMap
	must(t, f.client.Get(t.Context(), client.ObjectKey{Namespace: f.namespace, Name: "user-applied"}, &kept))
	if kept.Data[mainFile] != "limits: {concurrency: 101}\n" || kept.Annotations[applied] != config.Annotations[applied] {
		t.Errorf("kept is %q of %v", kept.Data, kept.Annotations)
	}
}

// A bad edit changes no pod, and the reason is said at once.
func TestBadEdit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text, schema, want string
	}{
		"by the schema": {"limits:\n  concurrency: 0\n", `{"properties": {"limits": {"properties": {"concurrency": {"type": "integer", "minimum": 1}}}}}`,
			"config.yaml:2:3: limits.concurrency: minimum: got 0, want 1"},
		"by a pod": {"service: {default_page_size: -1}\n", "", "pod: config.yaml:1:30: service.default_page_size: must be"},
		"no YAML":  {"a: 1\nb: c: d\n", "", "config.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, 2)
			if test.schema != "" {
				config := f.config()
				config.Data[schemaFile] = test.schema
				must(t, f.client.Update(t.Context(), config))
			}
			o := run(f, -1, false)
			o.said(t, "Normal ConfigApplied", patience)
			f.edit(test.text)
			o.said(t, test.want, 30*time.Second)
			f.is(isRejected, patience)
			time.Sleep(3 * time.Second)
			for name, text := range f.inForce() {
				if !strings.HasPrefix(text, "# Generation 1,") {
					t.Errorf("pod %s is %.100s", name, text)
				}
			}
			f.edit(base) // as a pipeline reverts it
			o.said(t, "Normal ConfigApplied", patience)
			f.edit(test.text) // it is judged anew
			o.said(t, test.want, 30*time.Second)
		})
	}
}

// A setting that is bound at start restarts the pods, once, one after the other.
func TestRestart(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	o := run(f, -1, false)
	o.said(t, "Normal ConfigApplied", patience)
	first := f.processes()
	f.edit(base + "database: {max_connections: 7}\n")
	o.said(t, "Normal ConfigRestarts", patience)
	o.said(t, "Normal ConfigApplied", patience)
	f.settled("max_connections: 7\n", patience)
	f.replaced(first)
}

// Pods that do not come up with what they are restarted for stop the restart, and the
// template goes back; those that run are left alone.
func TestStuck(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	o := run(f, -1, false)
	o.said(t, "Normal ConfigApplied", patience)
	before := f.processes()
	f.edit(base + "database: {max_connections: 7} " + stuck + "\n")
	o.said(t, "Warning ConfigRejected", patience)
	f.is(isRejected, patience)
	for end := time.Now().Add(patience); len(f.all()) != 2; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %v there are %d pods", patience, len(f.all()))
		}
	}
	f.settled("max_connections: 16\n", patience)
	f.kept(before)
}

// A value that pods have in their environment restarts them when it changes, once, and nothing
// else of the Secret does. A Secret that is gone stops nobody.
func TestSecret(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	o := run(f, -1, false)
	o.said(t, "Normal ConfigApplied", patience)
	first := f.processes()
	f.rotate("other", "2")
	must(t, f.client.Delete(t.Context(), &corev1.Secret{ObjectMeta: f.meta("user-environment")}))
	time.Sleep(2 * time.Second)
	f.kept(first)
	must(t, f.client.Create(t.Context(), &corev1.Secret{ObjectMeta: f.meta("user-environment"), StringData: map[string]string{"level": "debug"}}))
	o.said(t, "Normal SecretRestarts pods are restarted one after the other for new values of user-environment", patience)
	f.settled("level: DEBUG\n", patience)
	f.replaced(first)
	f.is(isApplied, patience)
}

// Pods that do not start with a new value leave those alone that run, and the files are not to
// blame, even where it was for them that pods were restarted last.
func TestBadSecret(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	o := run(f, -1, false)
	o.said(t, "Normal ConfigApplied", patience)
	f.edit(base + "database: {max_connections: 7}\n")
	o.said(t, "Normal ConfigApplied", patience)
	f.settled("max_connections: 7\n", patience)
	before := f.processes()
	f.rotate("level", "loudest")
	o.said(t, "Warning PodsDoNotStart", patience)
	f.is(isApplied, patience)
	for pid := range before {
		if !f.processes()[pid] {
			t.Errorf("process %d is gone", pid)
		}
	}
	f.rotate("level", "warn")
	f.settled("level: WARN\n", patience)
}

// Without the token nothing is brought to anybody, and somebody is told.
func TestToken(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	secret := &corev1.Secret{ObjectMeta: f.meta("user-admin")}
	must(t, f.client.Delete(t.Context(), secret))
	o := run(f, -1, false)
	o.said(t, "Warning ConfigWaits", patience)
	must(t, f.client.Create(t.Context(), &corev1.Secret{ObjectMeta: f.meta("user-admin"), StringData: map[string]string{tokenKey: token}}))
	o.said(t, "Normal ConfigApplied", patience)
	if config := f.is(isApplied, patience); config.Annotations[message] != "" {
		t.Errorf("it still says %q", config.Annotations[message])
	}
}

// Wherever an operator is killed, the next one brings what was begun to the same end.
func TestKilled(t *testing.T) {
	for _, test := range []struct {
		name, line string
		edit       func(*fleet)
		end        status
	}{
		{"good", "concurrency: 101\n", func(f *fleet) { f.edit("limits: {concurrency: 101}\n") }, isApplied},
		{"bad", "concurrency: 100\n", func(f *fleet) { f.edit("limits: {concurrency: -1}\n") }, isRejected},
		{"restart", "max_connections: 7\n", func(f *fleet) { f.edit(base + "database: {max_connections: 7}\n") }, isApplied},
		{"secret", "level: DEBUG\n", func(f *fleet) { f.rotate("level", "debug") }, isApplied},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			// begin is a fleet of which all have the base in force, and which was edited since.
			begin := func(t *testing.T) *fleet {
				f := newFleet(t, 2)
				o := run(f, -1, false)
				o.said(t, "Normal ConfigApplied", patience)
				o.stop()
				test.edit(f)
				return f
			}
			f := begin(t)
			whole := run(f, -1, false)
			f.settled(test.line, patience)
			f.is(test.end, patience)
			whole.stop()
			effects := int(whole.effects.Load())
			if effects < 1 {
				t.Fatal("the operator did nothing")
			}
			t.Logf("%s has %d effects", test.name, effects)
			for n := range effects {
				t.Run(fmt.Sprintf("after %d effects", n), func(t *testing.T) {
					t.Parallel()
					f := begin(t)
					killed := run(f, n, n%2 == 1)
					select {
					case <-killed.done:
					case <-time.After(patience):
						t.Fatal("the operator lives")
					}
					run(f, -1, false)
					f.settled(test.line, patience)
					f.is(test.end, patience)
				})
			}
		})
	}
}
