package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"

	"github.com/protosvc/protosvc/internal/reload"
)

// operatorNumber is the scenario of the operator, operatorImage what it runs from, and
// operatorPods what its pods are called.
const (
	operatorNumber = 8
	operatorImage  = "operator"
	operatorPods   = "svc-operator"
)

// How long the operator may take: for all pods, once the kubelets have delivered; and to
// say that an edit is bad.
const (
	mostCarried  = 10 * time.Second
	mostRejected = 5 * time.Second
)

// proof is what was measured of the operator.
type proof []measured

// measured is how long something took, and how long it may.
type measured struct{ what, took, wanted string }

func (p *proof) add(what string, took time.Duration, wanted string) {
	*p = append(*p, measured{what, fmt.Sprintf("%.1f s", took.Seconds()), wanted})
}

// of is the proof if a scenario is its.
func (p proof) of(s *scenario) proof {
	if s.number != operatorNumber {
		return nil
	}
	return p
}

// write writes docs/operator-proof.md.
func (p *proof) write(root string) error {
	var out strings.Builder
	out.WriteString(`<!-- Written by make e2e-full. DO NOT EDIT. -->

# The operator, on a real Kubernetes

The ConfigMap of order was edited while callers made orders, as [e2e.md](e2e.md) says; what became of their calls is there. No pod restarted but
where it says so. [operator.md](operator.md) is what the operator does.

| What happens | Takes | Wanted |
|---|---|---|
`)
	for _, row := range *p {
		fmt.Fprintf(&out, "| %s | %s | %s |\n", row.what, row.took, row.wanted)
	}
	return os.WriteFile(filepath.Join(root, "docs/operator-proof.md"), []byte(out.String()), 0o644)
}

// operated has the operator carry a good edit to all pods, refuse a bad one, carry a good one
// though it is killed, and go on through an update of itself. No pod restarts.
func operated(ctx context.Context, f *flagship) (err error) {
	const service = "order"
	f.proof = nil
	defer func() {
		if err != nil {
			f.proof = nil
		}
	}()
	if err := f.editConfigMap(ctx, service, settingNow); err != nil { // after a try that ended early
		return err
	}
	before, err := f.restarts(ctx)
	if err != nil {
		return err
	}
	if err := f.applyOperator(ctx); err != nil {
		return err
	}
	defer func() {
		_ = f.server.client.delete(context.WithoutCancel(ctx), "/apis/apps/v1/namespaces/"+namespace+"/deployments/"+operatorPods, 0)
	}()
	if err := f.configIs(ctx, service, "applied", time.Minute); err != nil {
		return err
	}
	if err := f.carried(ctx, service, settingGood, "an edit is in force in all pods, since the kubelets delivered it", nil); err != nil {
		return err
	}
	if err := f.rejected(ctx, service); err != nil {
		return err
	}
	if err := f.carried(ctx, service, settingNow, "the same, while the operator is killed", f.killOperator); err != nil {
		return err
	}
	if err := f.carried(ctx, service, settingGood, "the same, while the operator is updated", func(ctx context.Context) error { return f.restart(ctx, operatorPods) }); err != nil {
		return err
	}
	if err := f.carried(ctx, service, settingNow, "the same, once more", nil); err != nil {
		return err
	}
	after, err := f.restarts(ctx)
	if err != nil {
		return err
	}
	// A pod that starts while the file is bad does not become one: it says why and ends.
	return after.since(before, false)
}

// applyOperator applies operator/k8s, and waits until it works.
func (f *flagship) applyOperator(ctx context.Context) error {
	for _, name := range []string{"serviceaccount", "role", "deployment", "networkpolicy", "podmonitor"} {
		text, err := os.ReadFile(filepath.Join(f.root, "operator/k8s", name+".yaml"))
		if err != nil {
			return err
		}
		tagged := strings.Replace(string(text), "image: "+operatorImage+"\n", "image: "+operatorImage+":dev\n", 1)
		if err := f.applyTo(ctx, namespace, []byte(tagged)); err != nil {
			return err
		}
	}
	return f.operatorWorks(ctx)
}

func (f *flagship) operatorWorks(ctx context.Context) error {
	return f.server.apiserver.within(ctx, time.Minute, func(ctx context.Context) error {
		var d appsv1.Deployment
		if err := f.server.client.get(ctx, deployment(operatorPods), &d); err != nil {
			return err
		}
		if d.Status.ObservedGeneration != d.Generation || d.Status.AvailableReplicas != 1 || d.Status.UpdatedReplicas != 1 || d.Status.Replicas != 1 {
			return fmt.Errorf("the operator has %d pods, %d new ones, %d available", d.Status.Replicas, d.Status.UpdatedReplicas, d.Status.AvailableReplicas)
		}
		return nil
	})
}

// killOperator kills its process, which the kubelet starts again.
func (f *flagship) killOperator(ctx context.Context) error {
	pod, err := f.onePod(ctx, operatorPods)
	if err != nil {
		return err
	}
	pid, err := processOf(pod)
	if err != nil {
		return err
	}
	return syscall.Kill(pid, syscall.SIGKILL)
}

// carried edits the ConfigMap and waits until every pod has it in force. Something may
// happen once the first of them has.
func (f *flagship) carried(ctx context.Context, service, value, what string, then func(context.Context) error) error {
	if err := f.editConfigMap(ctx, service, value); err != nil {
		return err
	}
	began, delivered, disturbed := time.Now(), time.Time{}, then != nil
	if err := f.server.apiserver.within(ctx, 3*time.Minute, func(ctx context.Context) error {
		states, err := f.states(ctx, service)
		if err != nil {
			return err
		}
		missing, late, first := 0, 0, false
		wanted := f.wanted(ctx, service)
		for _, s := range states {
			if s.Files != wanted {
				missing++
			} else {
				first = true
			}
			if s.Found != wanted {
				late++
			}
		}
		if late == 0 && delivered.IsZero() {
			delivered = time.Now()
		}
		if first && then != nil {
			happens := then
			then = nil
			if err := happens(ctx); err != nil {
				return err
			}
		}
		if missing > 0 {
			return fmt.Errorf("%d of %d pods of %s do not have %q in force, and %d have no new file", missing, len(states), service, value, late)
		}
		return nil
	}); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	took, wanted := time.Since(delivered), fmt.Sprintf("at most %v", mostCarried)
	if disturbed { // the next operator waits for the lease of one that was killed, 15 s
		wanted = "–"
	}
	f.proof.add(fmt.Sprintf("%s, %.1f s after the edit", what, delivered.Sub(began).Seconds()), took, wanted)
	if took > mostCarried && !disturbed {
		return fmt.Errorf("%s: it takes %v, want %s", what, took, wanted)
	}
	if err := f.operatorWorks(ctx); err != nil {
		return err
	}
	return f.configIs(ctx, service, "applied", time.Minute)
}

// rejected edits the ConfigMap to what the contract refuses, and wants the operator to say so
// soon, with the rule, and no pod to change.
func (f *flagship) rejected(ctx context.Context, service string) error {
	states, err := f.states(ctx, service)
	if err != nil {
		return err
	}
	if err := f.editConfigMap(ctx, service, settingBad); err != nil {
		return err
	}
	began := time.Now()
	if err := f.server.apiserver.within(ctx, time.Minute, func(ctx context.Context) error {
		var list eventsv1.EventList
		if err := f.server.client.get(ctx, "/apis/events.k8s.io/v1/namespaces/"+namespace+"/events", &list); err != nil {
			return err
		}
		for _, e := range list.Items {
			if e.Reason == "ConfigRejected" && e.Regarding.Name == service && strings.Contains(e.Note, "default_page_size") {
				return nil
			}
		}
		return errors.New("no event says that the edit is rejected")
	}); err != nil {
		return err
	}
	took := time.Since(began)
	f.proof.add("a bad edit is rejected by an event that names line and rule, and is in force nowhere", took, fmt.Sprintf("at most %v", mostRejected))
	if took > mostRejected {
		return fmt.Errorf("the event comes after %v, want at most %v", took, mostRejected)
	}
	if err := f.configIs(ctx, service, "rejected", time.Minute); err != nil {
		return err
	}
	if err := sleep(ctx, 5*time.Second); err != nil {
		return err
	}
	now, err := f.states(ctx, service)
	if err != nil {
		return err
	}
	for name, s := range now {
		if was, there := states[name]; there && (s.Files != was.Files || s.Generation != was.Generation) {
			return fmt.Errorf("pod %s has changed by a bad edit: %+v, was %+v", name, s, was)
		}
	}
	return nil
}

// states are what the pods of a service have in force, by their names. Those that start do
// not answer yet.
func (f *flagship) states(ctx context.Context, service string) (map[string]reload.State, error) {
	pods, err := f.pods(ctx, service)
	if err != nil {
		return nil, err
	}
	all := map[string]reload.State{}
	for _, p := range slices.DeleteFunc(pods, func(p corev1.Pod) bool { return !ready(p) }) {
		status, text, err := admin(ctx, http.MethodGet, p.Status.PodIP, "/config/reload")
		if err != nil {
			return nil, err
		}
		var answer reload.Response
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			return nil, fmt.Errorf("pod %s: %d %s", p.Name, status, text)
		}
		all[p.Name] = answer.State
	}
	return all, nil
}

// wanted is the hash of the ConfigMap's file.
func (f *flagship) wanted(ctx context.Context, service string) string {
	config, err := f.configMap(ctx, service)
	if err != nil {
		return err.Error()
	}
	return reload.HashOf([]byte(config.Data["config.yaml"])).String()
}

func (f *flagship) configMap(ctx context.Context, name string) (c corev1.ConfigMap, err error) {
	err = f.server.client.get(ctx, "/api/v1/namespaces/"+namespace+"/configmaps/"+url.PathEscape(name), &c)
	return c, err
}

// configIs waits until the operator says that of a ConfigMap.
func (f *flagship) configIs(ctx context.Context, name, status string, within time.Duration) error {
	return f.server.apiserver.within(ctx, within, func(ctx context.Context) error {
		config, err := f.configMap(ctx, name)
		if err != nil {
			return err
		}
		if got := config.Labels["svc.protosvc.dev/config"]; got != status {
			return fmt.Errorf("the ConfigMap %s is %q, want %q: %s", name, got, status, config.Annotations["svc.protosvc.dev/config-message"])
		}
		return nil
	})
}
