// Package manifests reads generated deployment files as a cluster would, and
// holds them against each other.
//
// Templates are text: nothing in them knows that a field is misspelt, that a
// selector finds nothing, or that a probe asks a port that nobody opens. The
// functions here do. They take a file system, so that tests can also give them
// files that are wrong and see that they notice.
package manifests

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	documents "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/json"
	kustomize "sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"
)

// kinds are the types that are generated. A document of any other kind is an
// error: it would reach the cluster without having been looked at.
var kinds = map[meta.TypeMeta]func() any{
	{APIVersion: "v1", Kind: "ConfigMap"}:                                  func() any { return new(core.ConfigMap) },
	{APIVersion: "v1", Kind: "Service"}:                                    func() any { return new(core.Service) },
	{APIVersion: "v1", Kind: "ServiceAccount"}:                             func() any { return new(core.ServiceAccount) },
	{APIVersion: "apps/v1", Kind: "Deployment"}:                            func() any { return new(apps.Deployment) },
	{APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler"}:        func() any { return new(autoscaling.HorizontalPodAutoscaler) },
	{APIVersion: "batch/v1", Kind: "Job"}:                                  func() any { return new(batch.Job) },
	{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"}:                 func() any { return new(policy.PodDisruptionBudget) },
	{APIVersion: "monitoring.coreos.com/v1", Kind: "ServiceMonitor"}:       func() any { return new(monitoring.ServiceMonitor) },
	{APIVersion: "monitoring.coreos.com/v1", Kind: "PodMonitor"}:           func() any { return new(monitoring.PodMonitor) },
	{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"}:            func() any { return new(networking.NetworkPolicy) },
	{APIVersion: "kustomize.config.k8s.io/v1alpha1", Kind: "Component"}:    func() any { return new(kustomize.Kustomization) },
	{APIVersion: "kustomize.config.k8s.io/v1beta1", Kind: "Kustomization"}: func() any { return new(kustomize.Kustomization) },
}

// The YAML files that no cluster reads: the service and the plugin do.
const (
	settingsFile = "config.yaml"
	recordFile   = "protosvc.yaml"
)

// Decode reads every YAML file below the root strictly. The objects are found by
// the paths of their files.
func Decode(fsys fs.FS) (map[string]any, error) {
	objects := map[string]any{}
	var faults []error
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if ext := path.Ext(name); d.IsDir() || ext != ".yaml" && ext != ".yml" {
			return nil
		}
		if base := path.Base(name); base == settingsFile || base == recordFile {
			return nil
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		if objects[name], err = decodeFile(data); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
		return nil
	})
	return objects, errors.Join(append(faults, err)...)
}

// decodeFile reads a file that holds one document.
func decodeFile(data []byte) (any, error) {
	reader := documents.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	document, err := reader.Read()
	if err != nil {
		return nil, err
	}
	if _, err := reader.Read(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	return decode(document)
}

// decode picks the type by apiVersion and kind. Unknown fields, duplicate keys
// and names in the wrong case are errors, as with kubectl --validate=strict.
func decode(document []byte) (any, error) {
	text, err := yaml.YAMLToJSONStrict(document) // duplicate keys fail here
	if err != nil {
		return nil, err
	}
	var id meta.TypeMeta
	if err := json.UnmarshalCaseSensitivePreserveInts(text, &id); err != nil {
		return nil, err
	}
	create, known := kinds[id]
	if !known {
		return nil, fmt.Errorf("apiVersion %q with kind %q is not known", id.APIVersion, id.Kind)
	}
	object := create()
	strict, err := json.UnmarshalStrict(text, object)
	if err := errors.Join(append(strict, err)...); err != nil {
		return nil, fmt.Errorf("%s: %w", id.Kind, err)
	}
	return object, nil
}
