package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// mutant is an object of a rendering with one field changed, which must be refused.
type mutant struct {
	kind, what string
	field      string // a path with slashes; numbers are places in lists
	value      any    // absent: the field is removed
	message    string // a part of what kubectl-validate says
	check      string // or the check of kube-score that finds it

	rendering *rendering
	original  object
	broken    object
	found     string
}

// absent is the value of a field that is removed.
var absent removed

type removed struct{}

const container = "spec/template/spec/containers/0/"

// table has at least one mutant for the schema of each kind that is rendered.
var table = []mutant{
	{kind: "ConfigMap", what: "a list of files", field: "data", value: []any{"config.yaml"}, message: "data: Invalid value"},
	{kind: "Deployment", what: "replicas in words", field: "spec/replicas", value: "two", message: "spec.replicas"},
	{kind: "Deployment", what: "unknown field", field: container + "probe", value: map[string]any{}, message: "containers[0].probe"},
	{kind: "Deployment", what: "no selector", field: "spec/selector", value: absent, message: "spec.selector: Required value"},
	{kind: "HorizontalPodAutoscaler", what: "replicas in words", field: "spec/minReplicas", value: "two", message: "spec.minReplicas"},
	{kind: "Job", what: "retries in words", field: "spec/backoffLimit", value: "three", message: "spec.backoffLimit"},
	{kind: "NetworkPolicy", what: "one type, not a list", field: "spec/policyTypes", value: "Ingress", message: "spec.policyTypes"},
	{kind: "PodDisruptionBudget", what: "selector as text", field: "spec/selector", value: "app=order", message: "spec.selector"},
	{kind: "PodMonitor", what: "no selector", field: "spec/selector", value: absent, message: "spec.selector: Required value"},
	{kind: "Service", what: "port by name", field: "spec/ports/0/port", value: "grpc", message: "spec.ports[0].port"},
	{kind: "ServiceAccount", what: "yes and no", field: "automountServiceAccountToken", value: "no", message: "automountServiceAccountToken"},
	{kind: "ServiceMonitor", what: "interval with a space", field: "spec/endpoints/0/interval", value: "30 sec", message: "spec.endpoints[0].interval"},

	{kind: "Deployment", what: "no limits", field: container + "resources/limits", value: absent, check: "container-resources"},
	{kind: "Deployment", what: "tag latest", field: container + "image", value: "order:latest", check: "container-image-tag"},
	{kind: "Deployment", what: "writable file system", field: container + "securityContext/readOnlyRootFilesystem", value: absent, check: "container-security-context-readonlyrootfilesystem"},
	{kind: "Deployment", what: "privileged", field: container + "securityContext/privileged", value: true, check: "container-security-context-privileged"},
	{kind: "Deployment", what: "root", field: "spec/template/spec/securityContext/runAsUser", value: 0, check: "container-security-context-user-group-id"},
	{kind: "Deployment", what: "no readiness", field: container + "readinessProbe", value: absent, check: "pod-probes"},
	{kind: "HorizontalPodAutoscaler", what: "nothing to scale", field: "spec/scaleTargetRef/name", value: "nobody", check: "horizontalpodautoscaler-has-target"},
	{kind: "Job", what: "no limits", field: container + "resources/limits", value: absent, check: "container-resources"},
	{kind: "NetworkPolicy", what: "no pods", field: "spec/podSelector/matchLabels", value: map[string]any{"app.kubernetes.io/name": "nobody"}, check: "networkpolicy-targets-pod"},
	{kind: "PodDisruptionBudget", what: "no pods", field: "spec/selector/matchLabels", value: map[string]any{"app.kubernetes.io/name": "nobody"}, check: "deployment-has-poddisruptionbudget"},
	{kind: "Service", what: "no pods", field: "spec/selector", value: map[string]any{"app.kubernetes.io/name": "nobody"}, check: "service-targets-pod"},
}

// by is the tool that must refuse the mutant, want what it must say.
func (m *mutant) by() string {
	if m.message != "" {
		return "kubectl-validate"
	}
	return "kube-score"
}

func (m *mutant) want() string { return m.message + m.check }

func (m *mutant) refusal() string {
	if m.found == "" {
		return "NOBODY"
	}
	return m.by() + ": " + m.want()
}

// beside is the rendering with the mutant in place of the original.
func (m *mutant) beside() []object {
	objects := slices.Clone(m.rendering.objects)
	for i, o := range objects {
		if o.kind() == m.original.kind() && o.name() == m.original.name() {
			objects[i] = m.broken
		}
	}
	return objects
}

// mutate breaks an object for each row, and wants a row for each kind.
func mutate(renderings []*rendering) ([]*mutant, error) {
	without := map[string]bool{}
	for _, r := range renderings {
		for _, o := range r.objects {
			without[o.kind()] = true
		}
	}
	var all []*mutant
	for _, m := range table {
		if err := m.choose(renderings); err != nil {
			return nil, err
		}
		if m.message != "" {
			delete(without, m.kind)
		}
		all = append(all, &m)
	}
	if len(without) > 0 {
		return nil, fmt.Errorf("no mutant for the schema of %s", strings.Join(slices.Sorted(maps.Keys(without)), ", "))
	}
	return all, nil
}

// choose takes the first object of the kind in production, which has all kinds but
// the Job.
func (m *mutant) choose(renderings []*rendering) error {
	for _, r := range renderings {
		if r.name != production && r.name != migrationsAlone {
			continue
		}
		for _, o := range r.objects {
			if o.kind() == m.kind {
				m.rendering, m.original = r, o
				return m.breakIt()
			}
		}
	}
	return fmt.Errorf("mutant %q: no %s is rendered", m.what, m.kind)
}

func (m *mutant) breakIt() error {
	data, err := yaml.Marshal(m.original)
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(data, &m.broken); err != nil {
		return err
	}
	path := strings.Split(m.field, "/")
	var at any = map[string]any(m.broken)
	for _, step := range path[:len(path)-1] {
		if at, err = child(at, step); err != nil {
			return fmt.Errorf("%s: %s: %w", m.kind, m.field, err)
		}
	}
	fields, ok := at.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: %s is not a field", m.kind, m.field)
	}
	last := path[len(path)-1]
	if m.value != absent {
		fields[last] = m.value
		return nil
	}
	if _, there := fields[last]; !there {
		return fmt.Errorf("%s: there is no %s to remove", m.kind, m.field)
	}
	delete(fields, last)
	return nil
}

func child(of any, step string) (any, error) {
	switch of := of.(type) {
	case map[string]any:
		if next, ok := of[step]; ok {
			return next, nil
		}
	case []any:
		if i, err := strconv.Atoi(step); err == nil && i < len(of) {
			return of[i], nil
		}
	}
	return nil, fmt.Errorf("there is no %s", step)
}
