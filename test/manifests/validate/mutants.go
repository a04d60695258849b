package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/protosvc/protosvc/test/manifests/objects"
)

// mutant is an object of a rendering with one field changed, which must be refused.
type mutant struct {
	kind, what string
	field      string // a path with slashes; numbers are places in lists
	value      any    // objects.Absent: the field is removed
	message    string // a part of what kubectl-validate says
	check      string // or the check of kube-score that finds it

	rendering *rendering
	original  objects.Object
	broken    objects.Object
	found     string
}

const container = "spec/template/spec/containers/0/"

// table has at least one mutant for the schema of each kind that is rendered.
var table = []mutant{
	{kind: "ConfigMap", what: "a list of files", field: "data", value: []any{"config.yaml"}, message: "data: Invalid value"},
	{kind: "Deployment", what: "replicas in words", field: "spec/replicas", value: "two", message: "spec.replicas"},
	{kind: "Deployment", what: "unknown field", field: container + "probe", value: map[string]any{}, message: "containers[0].probe"},
	{kind: "Deployment", what: "no selector", field: "spec/selector", value: objects.Absent, message: "spec.selector: Required value"},
	{kind: "HorizontalPodAutoscaler", what: "replicas in words", field: "spec/minReplicas", value: "two", message: "spec.minReplicas"},
	{kind: "Job", what: "retries in words", field: "spec/backoffLimit", value: "three", message: "spec.backoffLimit"},
	{kind: "NetworkPolicy", what: "one type, not a list", field: "spec/policyTypes", value: "Ingress", message: "spec.policyTypes"},
	{kind: "PodDisruptionBudget", what: "selector as text", field: "spec/selector", value: "app=order", message: "spec.selector"},
	{kind: "PodMonitor", what: "no selector", field: "spec/selector", value: objects.Absent, message: "spec.selector: Required value"},
	{kind: "Service", what: "port by name", field: "spec/ports/0/port", value: "grpc", message: "spec.ports[0].port"},
	{kind: "ServiceAccount", what: "yes and no", field: "automountServiceAccountToken", value: "no", message: "automountServiceAccountToken"},
	{kind: "ServiceMonitor", what: "interval with a space", field: "spec/endpoints/0/interval", value: "30 sec", message: "spec.endpoints[0].interval"},

	{kind: "Deployment", what: "no limits", field: container + "resources/limits", value: objects.Absent, check: "container-resources"},
	{kind: "Deployment", what: "tag latest", field: container + "image", value: "order:latest", check: "container-image-tag"},
	{kind: "Deployment", what: "writable file system", field: container + "securityContext/readOnlyRootFilesystem", value: objects.Absent, check: "container-security-context-readonlyrootfilesystem"},
	{kind: "Deployment", what: "privileged", field: container + "securityContext/privileged", value: true, check: "container-security-context-privileged"},
	{kind: "Deployment", what: "root", field: "spec/template/spec/securityContext/runAsUser", value: 0, check: "container-security-context-user-group-id"},
	{kind: "Deployment", what: "no readiness", field: container + "readinessProbe", value: objects.Absent, check: "pod-probes"},
	{kind: "HorizontalPodAutoscaler", what: "nothing to scale", field: "spec/scaleTargetRef/name", value: "nobody", check: "horizontalpodautoscaler-has-target"},
	{kind: "Job", what: "no limits", field: container + "resources/limits", value: objects.Absent, check: "container-resources"},
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
func (m *mutant) beside() []objects.Object {
	all := slices.Clone(m.rendering.Objects)
	for i, o := range all {
		if o.Kind() == m.original.Kind() && o.Name() == m.original.Name() {
			all[i] = m.broken
		}
	}
	return all
}

// mutate breaks an object for each row, and wants a row for each kind.
func mutate(renderings []*rendering) ([]*mutant, error) {
	without := map[string]bool{}
	for _, r := range renderings {
		for _, o := range r.Objects {
			without[o.Kind()] = true
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
		if r.Name != production && r.Name != migrationsAlone {
			continue
		}
		for _, o := range r.Objects {
			if o.Kind() == m.kind {
				m.rendering, m.original = r, o
				var err error
				m.broken, err = o.With(m.field, m.value)
				return err
			}
		}
	}
	return fmt.Errorf("mutant %q: no %s is rendered", m.what, m.kind)
}
