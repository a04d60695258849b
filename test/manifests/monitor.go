package manifests

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Monitor is what a ServiceMonitor and a PodMonitor have in common.
type Monitor struct {
	meta.Object
	kind      string
	selector  meta.LabelSelector
	endpoints []endpoint
	// found are the targets as prometheus-operator has Prometheus discover them, before
	// the relabelings.
	found func(*Service, endpoint) []map[string]string
}

// endpoint is what is scraped of a pod.
type endpoint struct {
	port, path, interval, timeout string
	relabelings                   []monitoring.RelabelConfig
}

func ofServiceMonitor(m *monitoring.ServiceMonitor) *Monitor {
	out := &Monitor{Object: m, kind: "ServiceMonitor", selector: m.Spec.Selector}
	for _, e := range m.Spec.Endpoints {
		out.endpoints = append(out.endpoints, endpoint{e.Port, e.Path, string(e.Interval), string(e.ScrapeTimeout), e.RelabelConfigs})
	}
	out.found = func(s *Service, e endpoint) (targets []map[string]string) {
		for _, service := range []*core.Service{s.Service, s.Headless} {
			named := slices.ContainsFunc(service.Spec.Ports, func(p core.ServicePort) bool { return p.Name == e.port })
			if !named || !within(m.Spec.Selector.MatchLabels, service.Labels) {
				continue
			}
			target := discovered(s, e)
			target["service"] = service.Name
			target["job"] = orElse(service.Labels[m.Spec.JobLabel], service.Name)
			targets = append(targets, transferred(transferred(target, m.Spec.TargetLabels, service.Labels),
				m.Spec.PodTargetLabels, s.Deployment.Spec.Template.Labels))
		}
		return targets
	}
	return out
}

func ofPodMonitor(m *monitoring.PodMonitor) *Monitor {
	out := &Monitor{Object: m, kind: "PodMonitor", selector: m.Spec.Selector}
	for _, e := range m.Spec.PodMetricsEndpoints {
		port := ""
		if e.Port != nil {
			port = *e.Port
		}
		out.endpoints = append(out.endpoints, endpoint{port, e.Path, string(e.Interval), string(e.ScrapeTimeout), e.RelabelConfigs})
	}
	out.found = func(s *Service, e endpoint) (targets []map[string]string) {
		pod := s.Deployment.Spec.Template.Labels
		for _, p := range s.container().Ports {
			if p.Name != e.port || !within(m.Spec.Selector.MatchLabels, pod) {
				continue
			}
			target := discovered(s, e)
			target["job"] = orElse(pod[m.Spec.JobLabel], "namespace/"+m.Name)
			targets = append(targets, transferred(target, m.Spec.PodTargetLabels, pod))
		}
		return targets
	}
	return out
}

// discovered are the labels that a pod of the service has with either kind.
func discovered(s *Service, e endpoint) map[string]string {
	target := map[string]string{
		"namespace": "namespace", "pod": "pod", "container": s.container().Name, "endpoint": e.port,
		"__meta_kubernetes_pod_node_name": "node",
	}
	for label, value := range s.Deployment.Spec.Template.Labels {
		target["__meta_kubernetes_pod_label_"+sanitized(label)] = value
	}
	return target
}

func transferred(target map[string]string, labels []string, from map[string]string) map[string]string {
	for _, label := range labels {
		target[sanitized(label)] = from[label]
	}
	return target
}

// sanitized is a Kubernetes label as Prometheus spells it.
func sanitized(label string) string {
	return regexp.MustCompile(`[^a-zA-Z0-9_]`).ReplaceAllString(label, "_")
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// targets are the labels of all targets that one pod of the service is.
func (m *Monitor) targets(s *Service) (targets []map[string]string, err error) {
	for _, e := range m.endpoints {
		for _, target := range m.found(s, e) {
			for _, c := range e.relabelings {
				if err := relabel(target, c); err != nil {
					return nil, err
				}
			}
			for label, value := range target {
				if strings.HasPrefix(label, "__") || value == "" {
					delete(target, label)
				}
			}
			targets = append(targets, target)
		}
	}
	return targets, nil
}

// relabel does what Prometheus does, for the two actions that are generated.
func relabel(target map[string]string, c monitoring.RelabelConfig) error {
	switch {
	case c.Action == "" && len(c.SourceLabels) == 1 && c.Regex == "":
		target[c.TargetLabel] = target[string(c.SourceLabels[0])]
	case c.Action == "labeldrop":
		drop, err := regexp.Compile("^(?:" + c.Regex + ")$")
		if err != nil {
			return err
		}
		for label := range target {
			if drop.MatchString(label) {
				delete(target, label)
			}
		}
	default:
		return fmt.Errorf("relabeling %+v is not known here", c)
	}
	return nil
}
