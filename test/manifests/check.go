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

	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
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
	{"behavior", checkBehavior},
	{"metrics", checkMetrics},
	{"disruption", checkDisruption},
	{"spread", checkSpread},
	{"probes", checkProbes},
	{"stop", checkStop},
	{"resources", checkResources},
	{"security", checkSecurity},
	{"migration", checkMigration},
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
var common = []string{
	"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/version", "app.kubernetes.io/part-of",
	"app.kubernetes.io/managed-by", "team",
}

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
	delete(listen, "reflection") // the others are addresses
	f.when(len(listen) != len(open), "the container opens %v, config.yaml %v", open, listen)
	for name, address := range listen {
		f.when(address != ":"+strconv.Itoa(int(open[name])), "port %q is %d, in config.yaml %q", name, open[name], address)
	}
}

func checkMonitor(s *Service, f *faults) {
	m := s.Monitor
	if m == nil {
		return
	}
	f.when(len(m.selector.MatchExpressions) > 0, "selects by expressions")
	f.when(within(m.selector.MatchLabels, s.Headless.Labels), "selects the headless Service too")
	for _, e := range m.endpoints {
		f.when(e.path != "/metrics", "scrapes path %q", e.path)
		f.when(e.port != "admin", "scrapes port %q", e.port)
		interval, wrong := time.ParseDuration(e.interval)
		f.when(wrong != nil, "interval %q is not a duration", e.interval)
		timeout, wrong := time.ParseDuration(e.timeout)
		f.when(wrong != nil || timeout > interval, "timeout %q does not fit into interval %q", e.timeout, e.interval)
	}
	targets, err := m.targets(s)
	f.when(err != nil, "%v", err)
	f.when(len(targets) != 1, "makes %d targets of each pod", len(targets))
	for _, got := range targets {
		want := governed(s)
		f.when(!maps.Equal(got, want), "makes targets with the labels %v, want %v", got, want)
	}
}

// governed are the labels of every series of a service, whatever finds its pods.
func governed(s *Service) map[string]string {
	pod := s.Deployment.Spec.Template.Labels
	labels := map[string]string{
		"job": s.Name, "namespace": "namespace", "pod": "pod", "node": "node",
		"system": pod["app.kubernetes.io/part-of"], "version": pod["app.kubernetes.io/version"],
	}
	if team := pod["team"]; team != "" {
		labels["team"] = team
	}
	return labels
}

func checkReferences(s *Service, f *faults) {
	pod := s.Deployment.Spec.Template.Spec
	f.when(pod.ServiceAccountName != s.Account.Name, "the pods run as %q, the ServiceAccount is %q", pod.ServiceAccountName, s.Account.Name)
	f.when(s.Headless.Name != s.Service.Name+"-headless", "the headless Service is %q", s.Headless.Name)
	checkVolumes(s, f)
	// Kubernetes would set ORDER_SERVICE_HOST, which is a setting's variable.
	f.when(pod.EnableServiceLinks == nil || *pod.EnableServiceLinks, "enableServiceLinks is on")
}

// checkVolumes wants the folder of the ConfigMap, and the token of the admin port where a
// variable says that it is; pods start without it.
func checkVolumes(s *Service, f *faults) {
	mounts := map[string]string{}
	for _, m := range s.container().VolumeMounts {
		mounts[m.Name] = m.MountPath
	}
	volumes := s.Deployment.Spec.Template.Spec.Volumes
	if len(volumes) != 2 || volumes[0].ConfigMap == nil || volumes[1].Secret == nil {
		f.when(true, "the volumes are not the ConfigMap and the Secret of the admin port")
		return
	}
	config, secret := volumes[0], volumes[1]
	f.when(mounts[config.Name] != "/etc/"+s.Name, "volume %q is mounted at %q", config.Name, mounts[config.Name])
	f.when(config.ConfigMap.Name != s.ConfigMap.Name, "volume %q is ConfigMap %q", config.Name, config.ConfigMap.Name)
	f.when(secret.Secret.SecretName != s.Name+"-admin", "volume %q is Secret %q", secret.Name, secret.Secret.SecretName)
	f.when(secret.Secret.Optional == nil || !*secret.Secret.Optional, "volume %q is awaited", secret.Name)
	reads := slices.ContainsFunc(s.container().Env, func(e core.EnvVar) bool {
		return strings.HasSuffix(e.Name, "_ADMIN_TOKEN_FILE") && e.Value == mounts[secret.Name]+"/token"
	})
	f.when(!reads, "no variable says that the token is below %q", mounts[secret.Name])
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

// checkBehavior wants a number that grows at once and shrinks slowly.
func checkBehavior(s *Service, f *faults) {
	if s.Autoscaler == nil {
		return
	}
	behavior := s.Autoscaler.Spec.Behavior
	if behavior == nil || behavior.ScaleUp == nil || behavior.ScaleDown == nil {
		f.when(true, "one direction is left to the defaults")
		return
	}
	for _, way := range []struct {
		name   string
		rules  *autoscaling.HPAScalingRules
		window int32
		want   []autoscaling.HPAScalingPolicy
	}{
		{"up", behavior.ScaleUp, 0, []autoscaling.HPAScalingPolicy{{Type: "Percent", Value: 100, PeriodSeconds: 15}, {Type: "Pods", Value: 4, PeriodSeconds: 15}}},
		{"down", behavior.ScaleDown, 300, []autoscaling.HPAScalingPolicy{{Type: "Percent", Value: 10, PeriodSeconds: 60}, {Type: "Pods", Value: 1, PeriodSeconds: 60}}},
	} {
		window := way.rules.StabilizationWindowSeconds
		f.when(window == nil || *window != way.window, "%s looks at another time than %d s", way.name, way.window)
		f.when(!slices.Equal(way.rules.Policies, way.want), "%s has policies %v", way.name, way.rules.Policies)
		// Of two policies the smaller one would never let a single pod go.
		f.when(way.rules.SelectPolicy == nil || *way.rules.SelectPolicy != autoscaling.MaxChangePolicySelect, "%s does not take the larger policy", way.name)
	}
}

// inFlight is the metric of calls in progress.
const inFlight = "grpc_server_in_flight"

// checkMetrics wants the CPU, which every cluster serves, before what needs an adapter.
func checkMetrics(s *Service, f *faults) {
	if s.Autoscaler == nil {
		return
	}
	metrics := s.Autoscaler.Spec.Metrics
	f.when(len(metrics) == 0 || metrics[0].Resource == nil || metrics[0].Resource.Name != core.ResourceCPU, "the CPU does not come first")
	for _, m := range metrics[min(1, len(metrics)):] {
		if m.Type != autoscaling.PodsMetricSourceType || m.Pods == nil {
			f.when(true, "a metric of type %q is not of pods", m.Type)
			continue
		}
		f.when(m.Pods.Metric.Name != inFlight, "%q is no metric of pods", m.Pods.Metric.Name)
		target := m.Pods.Target
		f.when(target.Type != autoscaling.AverageValueMetricType || target.AverageValue == nil || target.AverageValue.Sign() <= 0,
			"%s has no average to keep to", m.Pods.Metric.Name)
	}
}

// most is how many replicas can run.
func (s *Service) most() int32 {
	switch {
	case s.Autoscaler != nil:
		return s.Autoscaler.Spec.MaxReplicas
	case s.Deployment.Spec.Replicas != nil:
		return *s.Deployment.Spec.Replicas
	}
	return 1 // what Kubernetes makes of none
}

// checkDisruption wants a budget where there is something to keep, and one that never
// blocks a drain.
func checkDisruption(s *Service, f *faults) {
	budget := s.Disruption
	f.when((budget != nil) != (s.most() > 1), "with %d replicas at the most, there is a budget: %t", s.most(), budget != nil)
	if budget == nil {
		return
	}
	spec := budget.Spec
	f.when(spec.MinAvailable != nil || spec.MaxUnavailable == nil || *spec.MaxUnavailable != intstr.FromInt32(1), "one pod at a time may not go")
	f.when(spec.UnhealthyPodEvictionPolicy == nil || *spec.UnhealthyPodEvictionPolicy != policy.AlwaysAllow, "broken pods block a drain")
	f.when(spec.Selector == nil || !maps.Equal(spec.Selector.MatchLabels, s.Deployment.Spec.Selector.MatchLabels), "it is about other pods than the Deployment")
}

// checkSpread wants replicas on different nodes and zones, but running in any case.
func checkSpread(s *Service, f *faults) {
	var over []string
	for _, c := range s.Deployment.Spec.Template.Spec.TopologySpreadConstraints {
		over = append(over, c.TopologyKey)
		f.when(c.MaxSkew != 1, "over %s, %d pods more are fine", c.TopologyKey, c.MaxSkew)
		f.when(c.WhenUnsatisfiable != core.ScheduleAnyway, "over %s, pods may stay pending", c.TopologyKey)
		f.when(c.LabelSelector == nil || !maps.Equal(c.LabelSelector.MatchLabels, s.Deployment.Spec.Selector.MatchLabels), "over %s, other pods count", c.TopologyKey)
		f.when(!slices.Equal(c.MatchLabelKeys, []string{"pod-template-hash"}), "over %s, pods of the version before count", c.TopologyKey)
	}
	var want []string
	if s.most() > 1 {
		want = []string{core.LabelHostname, core.LabelTopologyZone}
	}
	f.when(!slices.Equal(over, want), "%d replicas spread over %q, want %q", s.most(), over, want)
}

// checkProbes wants checks that can say what is wrong before anybody stops to wait.
func checkProbes(s *Service, f *faults) {
	c := s.container()
	for name, probe := range map[string]*core.Probe{"startup": c.StartupProbe, "liveness": c.LivenessProbe, "readiness": c.ReadinessProbe} {
		if probe == nil {
			continue // checkPorts says so
		}
		f.when(probe.TimeoutSeconds > probe.PeriodSeconds, "the %s probe waits %d s, and comes every %d s", name, probe.TimeoutSeconds, probe.PeriodSeconds)
		f.when(probe.FailureThreshold < 1, "the %s probe has no failureThreshold", name)
	}
	if text := s.settings(f).Database.ReadinessTimeout; text != "" && c.ReadinessProbe != nil {
		timeout, err := time.ParseDuration(text)
		f.when(err != nil, "database.readiness_timeout: %v", err)
		wait := time.Duration(c.ReadinessProbe.TimeoutSeconds) * time.Second
		f.when(wait <= timeout, "the readiness probe waits %v, the check of the database %v", wait, timeout)
	}
}

// settings are what the checks need of config.yaml.
type settings struct {
	Listen map[string]string `json:"listen"`
	Stop   struct {
		DrainDelay string `json:"drain_delay"`
		Budget     string `json:"budget"`
	} `json:"stop"`
	Database struct {
		ReadinessTimeout string `json:"readiness_timeout"`
	} `json:"database"`
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
	disk, limit := r.Requests.StorageEphemeral(), r.Limits.StorageEphemeral()
	f.when(limit.IsZero() || !limit.Equal(*disk), "ephemeral-storage: request %v, limit %v", disk, limit)
	for _, e := range s.container().Env {
		if e.Name == "GOMEMLIMIT" {
			limit, err := strconv.ParseInt(e.Value, 10, 64)
			f.when(err != nil || limit >= r.Limits.Memory().Value(), "GOMEMLIMIT %q is not below the limit %v", e.Value, r.Limits.Memory())
			return
		}
	}
	f.when(true, "GOMEMLIMIT is not set")
}

// checkSecurity holds the pods against the Pod Security Standard "restricted".
func checkSecurity(s *Service, f *faults) {
	restricted(s.Deployment.Spec.Template.Spec, f)
	if s.Migration != nil {
		restricted(s.Migration.Spec.Template.Spec, f)
	}
}

func restricted(pod core.PodSpec, f *faults) {
	isTrue := func(b *bool) bool { return b != nil && *b }
	isFalse := func(b *bool) bool { return b != nil && !*b }
	f.when(!isFalse(pod.AutomountServiceAccountToken), "the pod gets a token")
	f.when(len(pod.Containers) != 1, "there are %d containers", len(pod.Containers))
	p, c := pod.SecurityContext, pod.Containers[0].SecurityContext
	if p == nil || c == nil {
		f.when(true, "a securityContext is missing")
		return
	}
	f.when(!isTrue(p.RunAsNonRoot) || p.RunAsUser == nil || *p.RunAsUser == 0, "the pod may run as root")
	f.when(p.SeccompProfile == nil || p.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault, "there is no seccomp profile")
	f.when(!isFalse(c.AllowPrivilegeEscalation), "privileges may grow")
	f.when(!isTrue(c.ReadOnlyRootFilesystem), "the root file system can be written")
	f.when(c.Capabilities == nil || !slices.Equal(c.Capabilities.Drop, []core.Capability{"ALL"}) || len(c.Capabilities.Add) > 0, "there are capabilities")
}

// checkMigration holds the Job that migrates against the replicas: it runs what they
// run, with their configuration, and nobody takes it for one of them.
func checkMigration(s *Service, f *faults) {
	if s.Migration == nil {
		return
	}
	pod := s.Migration.Spec.Template
	c, of := pod.Spec.Containers[0], s.container()
	f.when(c.Image != of.Image, "the image is %q, that of the replicas %q", c.Image, of.Image)
	f.when(!slices.Equal(c.Args, []string{"--migrate"}), "the arguments are %q", c.Args)
	f.when(pod.Spec.ServiceAccountName != s.Account.Name, "the pod runs as %q", pod.Spec.ServiceAccountName)
	config := slices.DeleteFunc(slices.Clone(of.VolumeMounts), func(m core.VolumeMount) bool { return m.Name == "admin" })
	f.when(!slices.Equal(c.VolumeMounts, config), "the mounts are %v, those of the replicas %v", c.VolumeMounts, config)
	f.when(pod.Spec.RestartPolicy != core.RestartPolicyNever || s.Migration.Spec.BackoffLimit == nil, "a failed try stays as it is, and the next one is a new pod")
	variables := func(c core.Container) (names []string) {
		for _, e := range c.Env {
			if e.ValueFrom != nil {
				names = append(names, e.Name)
			}
		}
		return names
	}
	f.when(!slices.Equal(variables(c), variables(of)), "the Secrets' variables are %v, those of the replicas %v", variables(c), variables(of))
	for name, selector := range map[string]map[string]string{
		"Deployment": s.Deployment.Spec.Selector.MatchLabels, "Service": s.Service.Spec.Selector, "headless Service": s.Headless.Spec.Selector,
	} {
		f.when(within(selector, pod.Labels), "the %s takes the Job's pod for a replica", name)
	}
	if p := s.MigrationPolicy; p != nil {
		f.when(!selects(&p.Spec.PodSelector, pod.Labels), "the NetworkPolicy selects %v, the pod has %v", p.Spec.PodSelector.MatchLabels, pod.Labels)
		f.when(len(p.Spec.PolicyTypes) != 2 || len(p.Spec.Ingress) > 0, "the NetworkPolicy lets somebody in")
	}
}

func checkKustomization(s *Service, f *faults) {
	named := slices.Sorted(slices.Values(s.Kustomization.Resources))
	f.when(!slices.Equal(named, s.Files), "names %s, the folder has %s", strings.Join(named, " "), strings.Join(s.Files, " "))
	if s.Monitoring != nil {
		f.when(!slices.Equal(s.Monitoring.Resources, s.MonitorFiles), "the component of the monitor names %v, the folder has %v", s.Monitoring.Resources, s.MonitorFiles)
	}
	images := map[string]bool{}
	for _, i := range s.Kustomization.Images {
		images[i.Name] = true
		version := s.Deployment.Labels["app.kubernetes.io/version"]
		f.when(i.NewTag != version, "image %q has tag %q, the Deployment version %q", i.Name, i.NewTag, version)
	}
	f.when(!images[s.container().Image], "image %q is not under images: %v", s.container().Image, slices.Collect(maps.Keys(images)))
}
