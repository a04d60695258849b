package manifests

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"
)

// checks say what the objects of one service owe each other.
var checks = []struct {
	name  string
	check func(*Service, *faults)
}{
	{"labels", checkLabels},
	{"selectors", checkSelectors},
	{"ports", checkPorts},
	{"monitor", checkMonitor},
	{"references", checkReferences},
	{"replicas", checkReplicas},
	{"stop", checkStop},
	{"resources", checkResources},
	{"security", checkSecurity},
	{"kustomization", checkKustomization},
}

// Check reads all services below the root and returns everything that is wrong.
func Check(fsys fs.FS) error {
	services, err := Services(fsys)
	if err != nil {
		return err
	}
	var all []error
	for _, s := range services {
		for _, c := range checks {
			f := faults{prefix: s.Name + ": " + c.name + ": "}
			c.check(s, &f)
			all = append(all, f.found...)
		}
		f := faults{prefix: s.Name + ": network: "}
		checkNetwork(s, services, &f)
		all = append(all, f.found...)
	}
	return errors.Join(all...)
}

// faults collects what a check finds.
type faults struct {
	prefix string
	found  []error
}

func (f *faults) when(wrong bool, format string, args ...any) {
	if wrong {
		f.found = append(f.found, fmt.Errorf(f.prefix+format, args...))
	}
}

// common are the labels on which all objects of a service agree.
var common = []string{"app.kubernetes.io/name", "app.kubernetes.io/part-of", "app.kubernetes.io/managed-by", "team"}

func checkLabels(s *Service, f *faults) {
	for name, object := range s.objects() {
		for _, label := range common {
			got, want := object.GetLabels()[label], s.Deployment.Labels[label]
			f.when(got != want, "%s has %s %q, the Deployment %q", name, label, got, want)
		}
	}
	f.when(s.Deployment.Labels["app.kubernetes.io/name"] != s.Name, "app.kubernetes.io/name is not %q", s.Name)
}

func checkSelectors(s *Service, f *faults) {
	pod := s.Deployment.Spec.Template.Labels
	for name, selector := range map[string]map[string]string{
		"Deployment": s.Deployment.Spec.Selector.MatchLabels, "Service": s.Service.Spec.Selector, "headless Service": s.Headless.Spec.Selector,
	} {
		f.when(len(selector) == 0, "%s selects nothing", name)
		f.when(!within(selector, pod), "%s selects %v, the pods have %v", name, selector, pod)
	}
}

// within reports whether labels satisfy a selector.
func within(selector, labels map[string]string) bool {
	for k, v := range selector {
		if got, ok := labels[k]; !ok || got != v {
			return false
		}
	}
	return true
}

func checkPorts(s *Service, f *faults) {
	open := map[string]int32{}
	for _, p := range s.container().Ports {
		f.when(open[p.Name] != 0, "port %q is there twice", p.Name)
		open[p.Name] = p.ContainerPort
	}
	for _, p := range slices.Concat(s.Service.Spec.Ports, s.Headless.Spec.Ports) {
		f.when(open[p.TargetPort.StrVal] == 0, "port %q leads to %q, which the container does not open", p.Name, p.TargetPort.String())
		f.when(open[p.Name] != p.Port, "port %q is %d, in the container %d", p.Name, p.Port, open[p.Name])
	}
	c := s.container()
	for name, probe := range map[string]*core.Probe{"startup": c.StartupProbe, "liveness": c.LivenessProbe, "readiness": c.ReadinessProbe} {
		f.when(probe == nil || probe.HTTPGet == nil, "there is no %s probe", name)
		if probe != nil && probe.HTTPGet != nil {
			port := probe.HTTPGet.Port
			f.when(port.Type != intstr.String || open[port.StrVal] == 0, "the %s probe asks port %q, which the container does not open", name, port.String())
		}
	}
	listen := s.settings(f).Listen
	f.when(len(listen) != len(open), "the container opens %v, config.yaml %v", open, listen)
	for name, address := range listen {
		f.when(address != ":"+strconv.Itoa(int(open[name])), "port %q is %d, in config.yaml %q", name, open[name], address)
	}
}

func checkMonitor(s *Service, f *faults) {
	spec := s.Monitor.Spec
	selector := spec.Selector.MatchLabels
	f.when(len(spec.Selector.MatchExpressions) > 0, "selects by expressions")
	f.when(!within(selector, s.Service.Labels), "selects %v, the Service has %v", selector, s.Service.Labels)
	f.when(within(selector, s.Headless.Labels), "selects the headless Service too, so every pod would be scraped twice")
	for _, label := range append(spec.TargetLabels, spec.JobLabel) {
		f.when(s.Service.Labels[label] == "", "takes label %q, which the Service does not have", label)
	}
	f.when(len(spec.Endpoints) != 1, "has %d endpoints", len(spec.Endpoints))
	for _, e := range spec.Endpoints {
		has := slices.ContainsFunc(s.Service.Spec.Ports, func(p core.ServicePort) bool { return p.Name == e.Port })
		f.when(!has, "scrapes port %q, which the Service does not have", e.Port)
		f.when(e.Path != "/metrics", "scrapes path %q", e.Path)
		interval, wrong := time.ParseDuration(string(e.Interval))
		f.when(wrong != nil, "interval %q is not a duration", e.Interval)
		timeout, wrong := time.ParseDuration(string(e.ScrapeTimeout))
		f.when(wrong != nil || timeout > interval, "timeout %q does not fit into interval %q", e.ScrapeTimeout, e.Interval)
	}
}

func checkReferences(s *Service, f *faults) {
	pod := s.Deployment.Spec.Template.Spec
	f.when(pod.ServiceAccountName != s.Account.Name, "the pods run as %q, the ServiceAccount is %q", pod.ServiceAccountName, s.Account.Name)
	f.when(s.Headless.Name != s.Service.Name+"-headless", "the headless Service is %q", s.Headless.Name)
	mounts := map[string]string{}
	for _, m := range s.container().VolumeMounts {
		mounts[m.Name] = m.MountPath
	}
	f.when(len(pod.Volumes) != 1 || pod.Volumes[0].ConfigMap == nil, "there is not one volume with the ConfigMap")
	for _, v := range pod.Volumes {
		f.when(mounts[v.Name] != "/etc/"+s.Name, "volume %q is mounted at %q", v.Name, mounts[v.Name])
		f.when(v.ConfigMap != nil && v.ConfigMap.Name != s.ConfigMap.Name, "volume %q is ConfigMap %q", v.Name, v.ConfigMap.Name)
	}
	// Kubernetes would set ORDER_SERVICE_HOST, which is a setting's variable.
	f.when(pod.EnableServiceLinks == nil || *pod.EnableServiceLinks, "enableServiceLinks is on")
}

func checkReplicas(s *Service, f *faults) {
	if s.Autoscaler == nil {
		f.when(s.Deployment.Spec.Replicas == nil, "nobody says how many")
		return
	}
	spec := s.Autoscaler.Spec
	f.when(s.Deployment.Spec.Replicas != nil, "the Deployment and the autoscaler both say how many")
	f.when(spec.ScaleTargetRef.APIVersion != "apps/v1" || spec.ScaleTargetRef.Kind != "Deployment" || spec.ScaleTargetRef.Name != s.Deployment.Name,
		"the autoscaler scales %v", spec.ScaleTargetRef)
	f.when(spec.MinReplicas == nil || *spec.MinReplicas >= spec.MaxReplicas, "the autoscaler has nothing to decide")
	requests := s.container().Resources.Requests
	f.when(requests.Cpu().IsZero(), "the autoscaler needs a request of CPU")
}

// settings are what the checks need of config.yaml.
type settings struct {
	Listen map[string]string `json:"listen"`
	Stop   struct {
		DrainDelay string `json:"drain_delay"`
		Budget     string `json:"budget"`
	} `json:"stop"`
}

func (s *Service) settings(f *faults) (out settings) {
	err := yaml.Unmarshal([]byte(s.ConfigMap.Data[settingsFile]), &out)
	f.when(err != nil, "config.yaml: %v", err)
	return out
}

func checkStop(s *Service, f *faults) {
	stop := s.settings(f).Stop
	drain, err := time.ParseDuration(stop.DrainDelay)
	f.when(err != nil, "stop.drain_delay: %v", err)
	budget, err := time.ParseDuration(stop.Budget)
	f.when(err != nil, "stop.budget: %v", err)
	grace := s.Deployment.Spec.Template.Spec.TerminationGracePeriodSeconds
	f.when(grace == nil || time.Duration(*grace)*time.Second <= drain+budget, "the grace period does not cover %v and %v", drain, budget)
}

func checkResources(s *Service, f *faults) {
	r := s.container().Resources
	f.when(!r.Limits.Cpu().IsZero(), "there is a limit on CPU")
	f.when(r.Limits.Memory().IsZero() || !r.Limits.Memory().Equal(*r.Requests.Memory()), "memory: request %v, limit %v", r.Requests.Memory(), r.Limits.Memory())
	for _, e := range s.container().Env {
		if e.Name == "GOMEMLIMIT" {
			limit, err := strconv.ParseInt(e.Value, 10, 64)
			f.when(err != nil || limit >= r.Limits.Memory().Value(), "GOMEMLIMIT %q is not below the limit %v", e.Value, r.Limits.Memory())
			return
		}
	}
	f.when(true, "GOMEMLIMIT is not set")
}

// checkSecurity holds the pod against the Pod Security Standard "restricted".
func checkSecurity(s *Service, f *faults) {
	isTrue := func(b *bool) bool { return b != nil && *b }
	isFalse := func(b *bool) bool { return b != nil && !*b }
	pod, c := s.Deployment.Spec.Template.Spec, s.container().SecurityContext
	f.when(!isFalse(pod.AutomountServiceAccountToken), "the pod gets a token")
	f.when(len(pod.Containers) != 1, "there are %d containers", len(pod.Containers))
	if p := pod.SecurityContext; p == nil || c == nil {
		f.when(true, "a securityContext is missing")
		return
	}
	p := pod.SecurityContext
	f.when(!isTrue(p.RunAsNonRoot) || p.RunAsUser == nil || *p.RunAsUser == 0, "the pod may run as root")
	f.when(p.SeccompProfile == nil || p.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault, "there is no seccomp profile")
	f.when(!isFalse(c.AllowPrivilegeEscalation), "privileges may grow")
	f.when(!isTrue(c.ReadOnlyRootFilesystem), "the root file system can be written")
	f.when(c.Capabilities == nil || !slices.Equal(c.Capabilities.Drop, []core.Capability{"ALL"}) || len(c.Capabilities.Add) > 0, "there are capabilities")
}

func checkKustomization(s *Service, f *faults) {
	named := slices.Sorted(slices.Values(s.Kustomization.Resources))
	f.when(!slices.Equal(named, s.Files), "names %s, the folder has %s", strings.Join(named, " "), strings.Join(s.Files, " "))
	images := map[string]bool{}
	for _, i := range s.Kustomization.Images {
		images[i.Name] = true
	}
	f.when(!images[s.container().Image], "image %q is not under images: %v", s.container().Image, slices.Collect(maps.Keys(images)))
}
