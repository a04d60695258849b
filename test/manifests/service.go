package manifests

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	kustomize "sigs.k8s.io/kustomize/api/types"
)

// Service is all objects of one service, by what they are for.
type Service struct {
	Name          string
	Account       *core.ServiceAccount
	ConfigMap     *core.ConfigMap
	Deployment    *apps.Deployment
	Service       *core.Service // the one with an address of its own
	Headless      *core.Service
	Autoscaler    *autoscaling.HorizontalPodAutoscaler // nil: replicas are fixed
	Disruption    *policy.PodDisruptionBudget          // nil: there is one replica at the most
	Kustomization *kustomize.Kustomization
	// Monitor and Monitoring, the component that it is in, are nil where nothing makes
	// Prometheus scrape.
	Monitor    *Monitor
	Monitoring *kustomize.Kustomization
	// Files are the YAML files of its folder, MonitorFiles those of the component, the
	// kustomizations left out.
	Files, MonitorFiles []string
	// Policy is of the component network-policy, and nil where the run that wrote the
	// files did not see the whole system.
	Policy *networking.NetworkPolicy
	// Migration is the Job that applies the migrations, nil where the service does, and
	// MigrationPolicy is about its pods.
	Migration       *batch.Job
	MigrationPolicy *networking.NetworkPolicy
}

// policyFile and migrationPolicyFile are where a service's folder has its
// NetworkPolicies, policies where all of them are put together.
const (
	policyFile          = "/components/network-policy/networkpolicy.yaml"
	migrationPolicyFile = "/components/network-policy/migration-networkpolicy.yaml"
	policies            = "components/network-policy/kustomization.yaml"
)

// Services reads the folders NAME/k8s below the root, in the order of names. An
// object that is missing or there twice is an error.
func Services(fsys fs.FS) ([]*Service, error) {
	objects, err := Decode(fsys)
	if err != nil {
		return nil, err
	}
	folders, err := fs.Glob(fsys, "*/k8s")
	if err != nil {
		return nil, err
	}
	var services []*Service
	var faults []error
	for _, folder := range folders {
		s := &Service{Name: path.Dir(folder)}
		for _, file := range slices.Sorted(keys(objects)) {
			switch path.Dir(file) {
			case folder:
				faults = append(faults, s.add(path.Base(file), objects[file]))
			case folder + "/components/monitor":
				faults = append(faults, s.addMonitor(path.Base(file), objects[file]))
			}
		}
		s.Policy, _ = objects[folder+policyFile].(*networking.NetworkPolicy)
		s.MigrationPolicy, _ = objects[folder+migrationPolicyFile].(*networking.NetworkPolicy)
		_, wholeSystem := objects[policies]
		faults = append(faults, s.complete(wholeSystem))
		services = append(services, s)
	}
	return services, errors.Join(faults...)
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func (s *Service) add(file string, object any) error {
	if k, ok := object.(*kustomize.Kustomization); ok {
		return once(&s.Kustomization, k, s.Name)
	}
	s.Files = append(s.Files, file)
	switch o := object.(type) {
	case *core.ServiceAccount:
		return once(&s.Account, o, s.Name)
	case *core.ConfigMap:
		return once(&s.ConfigMap, o, s.Name)
	case *apps.Deployment:
		return once(&s.Deployment, o, s.Name)
	case *autoscaling.HorizontalPodAutoscaler:
		return once(&s.Autoscaler, o, s.Name)
	case *policy.PodDisruptionBudget:
		return once(&s.Disruption, o, s.Name)
	case *batch.Job:
		return once(&s.Migration, o, s.Name)
	case *core.Service:
		if o.Spec.ClusterIP == core.ClusterIPNone {
			return once(&s.Headless, o, s.Name)
		}
		return once(&s.Service, o, s.Name)
	}
	return fmt.Errorf("%s: %T has no place", s.Name, object)
}

func (s *Service) addMonitor(file string, object any) error {
	if k, ok := object.(*kustomize.Kustomization); ok {
		return once(&s.Monitoring, k, s.Name)
	}
	s.MonitorFiles = append(s.MonitorFiles, file)
	switch o := object.(type) {
	case *monitoring.ServiceMonitor:
		return once(&s.Monitor, ofServiceMonitor(o), s.Name)
	case *monitoring.PodMonitor:
		return once(&s.Monitor, ofPodMonitor(o), s.Name)
	}
	return fmt.Errorf("%s: %T is no monitor", s.Name, object)
}

func once[T any](place **T, object *T, service string) error {
	if *place != nil {
		return fmt.Errorf("%s: there are two objects of type %T", service, object)
	}
	*place = object
	return nil
}

// complete reports what every service must have.
func (s *Service) complete(wholeSystem bool) error {
	var missing []string
	for name, absent := range map[string]bool{
		"ServiceAccount": s.Account == nil, "ConfigMap": s.ConfigMap == nil, "Deployment": s.Deployment == nil,
		"Service": s.Service == nil, "headless Service": s.Headless == nil,
		"Kustomization": s.Kustomization == nil, "monitor": s.Monitor == nil && s.Monitoring != nil,
		"component of the monitor": s.Monitor != nil && s.Monitoring == nil,
		"NetworkPolicy":            s.Policy == nil && wholeSystem,
		"NetworkPolicy of the Job": s.MigrationPolicy == nil && s.Migration != nil && wholeSystem,
	} {
		if absent {
			missing = append(missing, name)
		}
	}
	if missing == nil {
		return nil
	}
	slices.Sort(missing)
	return fmt.Errorf("%s: missing: %s", s.Name, strings.Join(missing, ", "))
}

// container is the one container of the pod.
func (s *Service) container() core.Container { return s.Deployment.Spec.Template.Spec.Containers[0] }

// objects are those that carry labels, with names for messages.
func (s *Service) objects() map[string]meta.Object {
	all := map[string]meta.Object{
		"ServiceAccount": s.Account, "ConfigMap": s.ConfigMap, "Deployment": s.Deployment, "pod template": &s.Deployment.Spec.Template,
		"Service": s.Service, "headless Service": s.Headless,
	}
	if s.Policy != nil {
		all["NetworkPolicy"] = s.Policy
	}
	if s.Monitor != nil {
		all[s.Monitor.kind] = s.Monitor
	}
	if s.Autoscaler != nil {
		all["HorizontalPodAutoscaler"] = s.Autoscaler
	}
	if s.Disruption != nil {
		all["PodDisruptionBudget"] = s.Disruption
	}
	return all
}
