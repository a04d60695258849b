package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/protosvc/protosvc/test/manifests/objects"
)

// variant is an object of production with one field changed, which the API server must
// refuse or warn of: it is what tells that the server looked at the others.
type variant struct {
	kind, what string
	field      string // as objects.Object.With has it
	value      any
	message    string // a part of what it says
}

const container = "spec/template/spec/containers/0/"

var broken = []variant{
	{"ConfigMap", "a key with a slash", "data/a~b", "x", "a valid config key"},
	{"Deployment", "an unknown field", container + "probe", map[string]any{}, "field not declared in schema"},
	{"Deployment", "a selector of other pods", "spec/selector/matchLabels", map[string]any{"app.kubernetes.io/name": "other"}, "does not match template"},
	{"Deployment", "less memory than is asked for", container + "resources/limits/memory", "1Mi", "must be less than or equal to memory limit"},
	{"Deployment", "a quantity with a space", container + "resources/requests/cpu", "250 m", "quantities must match"},
	{"Deployment", "a probe of an unknown port", container + "readinessProbe/httpGet/port", "port with spaces", "must contain only alpha-numeric"},
	{"Deployment", "a root that may be written", container + "securityContext/allowPrivilegeEscalation", true, "allowPrivilegeEscalation"},
	{"Deployment", "the user root", "spec/template/spec/securityContext/runAsUser", 0, "runAsUser=0"},
	{"Deployment", "a label that is none", "metadata/labels/team", "a team", "a valid label"},
	{"Deployment", "a negative history", "spec/revisionHistoryLimit", -1, "must be greater than or equal to 0"},
	{"HorizontalPodAutoscaler", "more at least than at most", "spec/minReplicas", 1000, "must be greater than or equal to `minReplicas`"},
	{"HorizontalPodAutoscaler", "a window of two hours", "spec/behavior/scaleDown/stabilizationWindowSeconds", 7200, "must be less than or equal to 3600"},
	{"Job", "pods that are always restarted", "spec/template/spec/restartPolicy", "Always", "valid values"},
	{"Job", "an unknown field", "spec/backoffLimits", 3, "field not declared in schema"},
	{"NetworkPolicy", "a range that is none", "spec/egress/0/to/1/ipBlock/cidr", "169.254.20.10/33", "must be a valid CIDR"},
	{"NetworkPolicy", "a direction that is none", "spec/policyTypes", []any{"Both"}, "Unsupported value"},
	{"PodDisruptionBudget", "two limits", "spec/minAvailable", 1, "cannot be both set"},
	{"PodDisruptionBudget", "an unknown policy", "spec/unhealthyPodEvictionPolicy", "Never", "Unsupported value"},
	{"PodMonitor", "no selector", "spec/selector", objects.Absent, "spec.selector: Required value"},
	{"Service", "a port above all", "spec/ports/0/port", 70000, "must be between 1 and 65535"},
	{"Service", "two ports of one name", "spec/ports/0/name", "admin", "Duplicate value"},
	{"ServiceAccount", "yes and no", "automountServiceAccountToken", "no", "expected boolean"},
	{"ServiceMonitor", "an interval with a space", "spec/endpoints/0/interval", "30 sec", "should match"},
}

// refused tries a broken object in a namespace of its own, where no good one was applied.
func (s *server) refused(ctx context.Context, renderings []*objects.Rendering, v variant) error {
	const namespace = "e2e-broken"
	if err := s.namespace(ctx, namespace); err != nil {
		return err
	}
	for _, name := range []string{"overlays/prod", objects.MigrationsAlone} {
		for _, o := range find(renderings, name).Objects {
			if o.Kind() != v.kind {
				continue
			}
			if _, err := s.client.apply(ctx, namespace, o, true); err != nil {
				return fmt.Errorf("%s is refused before it is broken: %w", o.Name(), err)
			}
			bad, err := o.With(v.field, v.value)
			if err != nil {
				return err
			}
			_, err = s.client.apply(ctx, namespace, bad, true)
			switch {
			case err == nil:
				return fmt.Errorf("%s was taken", bad.Name())
			case !strings.Contains(err.Error(), v.message):
				return fmt.Errorf("want %q in the refusal of %s: %w", v.message, bad.Name(), err)
			}
			return nil
		}
	}
	return fmt.Errorf("no rendering has a %s", v.kind)
}
