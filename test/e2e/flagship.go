package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/protosvc/protosvc/internal/books"
	"github.com/protosvc/protosvc/test/manifests/objects"
)

// namespace is the one of the flagship.
const namespace = "shop"

// services are those of the flagship, in the order of a start.
var services = []string{"user", "payment", "order"}

// flagship is the generated system on a cluster.
type flagship struct {
	*cluster
	root      string // of the repository
	postgres  postgres
	databases map[string]*sql.DB
	objects   []objects.Object
	userID    string // who orders
	load      *load  // of the scenario that is played
	proof     proof  // of the operator
}

// deploy applies what is generated as a user would, gives it what the platform has to
// give, databases and their Secrets, and returns when all of it is ready.
func deploy(ctx context.Context, c *cluster, root string, r *report) (*flagship, error) {
	f := &flagship{cluster: c, root: root, databases: map[string]*sql.DB{}}
	var err error
	if f.postgres, err = findPostgres(); err != nil {
		return nil, err
	}
	if err := c.server.define(ctx, root, monitorPlurals); err != nil {
		return nil, err
	}
	if err := c.server.namespace(ctx, namespace); err != nil {
		return nil, err
	}
	renderings, err := objects.All(root)
	if err != nil {
		return nil, err
	}
	f.objects = find(renderings, ".").Objects
	if _, err := c.server.applied(ctx, namespace, &objects.Rendering{Objects: f.objects}); err != nil {
		return nil, err
	}
	r.verdict(f.missing(ctx), "pods without their Secret wait, and say which one")
	for _, service := range services {
		if err := f.database(ctx, service); err != nil {
			return nil, err
		}
	}
	r.note("databases and Secrets are there")
	if err := f.allSettled(ctx); err != nil {
		return nil, err
	}
	r.note("the flagship is ready")
	return f, nil
}

// database makes the database of a service, and the Secrets with its URL and with the token
// of the admin port.
func (f *flagship) database(ctx context.Context, service string) error {
	url, err := f.postgres.create(ctx, service)
	if err != nil {
		return err
	}
	if f.databases[service], err = sql.Open("postgres", url); err != nil {
		return err
	}
	return errors.Join(f.secret(ctx, service+"-admin", "token", adminToken), f.secret(ctx, service+"-database", "url", url))
}

// adminToken is what the admin ports ask for.
const adminToken = "only-the-operators-know"

func (f *flagship) secret(ctx context.Context, name, key, value string) error {
	_, err := f.server.client.apply(ctx, namespace, objects.Object{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": name},
		"stringData": map[string]any{key: value},
	}, false)
	return err
}

// missing waits for what the pods say while there is no Secret.
func (f *flagship) missing(ctx context.Context) error {
	return f.server.apiserver.within(ctx, time.Minute, func(ctx context.Context) error {
		var all []error
		for _, service := range services {
			pods, err := f.pods(ctx, service)
			if err != nil {
				return err
			}
			if len(pods) == 0 {
				return fmt.Errorf("%s has no pod", service)
			}
			for _, pod := range pods {
				all = append(all, waitsFor(pod, service+"-database"))
			}
		}
		return errors.Join(all...)
	})
}

func waitsFor(pod corev1.Pod, secret string) error {
	for _, s := range pod.Status.ContainerStatuses {
		w := s.State.Waiting
		if w != nil && w.Reason == "CreateContainerConfigError" && strings.Contains(w.Message, fmt.Sprintf("secret %q not found", secret)) {
			return nil
		}
	}
	status, _ := json.Marshal(pod.Status)
	return fmt.Errorf("pod %s does not wait for %s: %s", pod.Name, secret, status)
}

// pods are those of a service, the ones that end not among them.
func (f *flagship) pods(ctx context.Context, service string) ([]corev1.Pod, error) {
	all, err := f.allPods(ctx, service)
	return slices.DeleteFunc(all, func(p corev1.Pod) bool { return p.DeletionTimestamp != nil }), err
}

func (f *flagship) allPods(ctx context.Context, service string) ([]corev1.Pod, error) {
	var list corev1.PodList
	err := f.server.client.get(ctx, "/api/v1/namespaces/"+namespace+"/pods?labelSelector=app.kubernetes.io/name%3D"+service, &list)
	return list.Items, err
}

func ready(p corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// restarts are how often containers of the flagship were started again, by their pods.
type restarts map[string]int32

func (f *flagship) restarts(ctx context.Context) (restarts, error) {
	all := restarts{}
	for _, service := range services {
		pods, err := f.allPods(ctx, service)
		if err != nil {
			return nil, err
		}
		for _, p := range pods {
			for _, s := range p.Status.ContainerStatuses {
				all[p.Name] += s.RestartCount
			}
		}
	}
	return all, nil
}

// since is an error if containers of the pods that there were before have been started
// again, or of any pod.
func (r restarts) since(before restarts, any bool) error {
	var again []string
	for name, n := range r {
		if had, there := before[name]; n > had && (there || any) {
			again = append(again, fmt.Sprintf("%s %d times", name, n-had))
		}
	}
	if again == nil {
		return nil
	}
	return fmt.Errorf("containers were started again: %s", strings.Join(again, ", "))
}

// settled waits until a service has all of its pods, of the newest template, available,
// and the older ones are gone.
func (f *flagship) settled(ctx context.Context, service string) error {
	return f.server.apiserver.within(ctx, 3*time.Minute, func(ctx context.Context) error {
		want, err := f.server.client.available(ctx, namespace, service)
		if err != nil {
			return err
		}
		pods, err := f.allPods(ctx, service)
		if err != nil {
			return err
		}
		if len(pods) != int(want) {
			return fmt.Errorf("%s has %d pods, those that end included, want %d", service, len(pods), want)
		}
		for _, p := range pods { // the Deployment notices somewhat later
			if !ready(p) {
				return fmt.Errorf("pod %s is not ready", p.Name)
			}
		}
		return nil
	})
}

func deployment(service string) string {
	return "/apis/apps/v1/namespaces/" + namespace + "/deployments/" + service
}

// replicas are how many pods a service is to have.
func (f *flagship) replicas(ctx context.Context, service string) (int32, error) {
	var d appsv1.Deployment
	if err := f.server.client.get(ctx, deployment(service), &d); err != nil {
		return 0, err
	}
	return *d.Spec.Replicas, nil
}

// merge changes fields of an object.
func (f *flagship) merge(ctx context.Context, path string, fields map[string]any) error {
	body, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	return f.server.client.do(ctx, "PATCH", path, "application/strategic-merge-patch+json", body, nil)
}

// restart is kubectl rollout restart.
func (f *flagship) restart(ctx context.Context, service string) error {
	return f.merge(ctx, deployment(service), template(map[string]any{
		"metadata": map[string]any{"annotations": map[string]any{"kubectl.kubernetes.io/restartedAt": time.Now().Format(time.RFC3339Nano)}},
	}))
}

// template is a change of a Deployment's pods.
func template(fields map[string]any) map[string]any {
	return map[string]any{"spec": map[string]any{"template": fields}}
}

// setEnv sets a variable in the container of a service, or removes it where the value is
// nil, and waits for the pods that have it so.
func (f *flagship) setEnv(ctx context.Context, service, name string, value any) error {
	variable := map[string]any{"name": name, "value": value}
	if value == nil {
		variable = map[string]any{"name": name, "$patch": "delete"}
	}
	if err := f.merge(ctx, deployment(service), template(map[string]any{
		"spec": map[string]any{"containers": []any{map[string]any{"name": service, "env": []any{variable}}}},
	})); err != nil {
		return err
	}
	return f.settled(ctx, service)
}

// scale has the HorizontalPodAutoscaler want so many pods, and waits for them.
func (f *flagship) scale(ctx context.Context, service string, replicas int) error {
	path := "/apis/autoscaling/v2/namespaces/" + namespace + "/horizontalpodautoscalers/" + service
	if err := f.merge(ctx, path, map[string]any{"spec": map[string]any{"minReplicas": replicas, "maxReplicas": replicas}}); err != nil {
		return err
	}
	if err := f.server.apiserver.within(ctx, time.Minute, func(ctx context.Context) error {
		now, err := f.replicas(ctx, service)
		if err == nil && int(now) != replicas {
			err = fmt.Errorf("%s wants %d pods, not yet %d", service, now, replicas)
		}
		return err
	}); err != nil {
		return err
	}
	return f.settled(ctx, service)
}

// books compares what order and payment have written with what callers were told.
func (f *flagship) books(ctx context.Context, calls []call) error {
	var accepted []string
	for _, c := range calls {
		if c.ok() && c.orderID != "" { // else it made none
			accepted = append(accepted, c.orderID)
		}
	}
	got, err := books.Settled(ctx, f.databases["order"], f.databases["payment"], accepted, 45*time.Second)
	if err != nil {
		return err
	}
	if got.Wrong > 0 || got.Orders < len(accepted) {
		return fmt.Errorf("%d orders, %d payments, %d accepted, %d wrong: %s", got.Orders, got.Payments, len(accepted), got.Wrong, strings.Join(got.Problems, "; "))
	}
	return nil
}
