package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/protosvc/protosvc/test/manifests/objects"
)

// runAPI applies every rendering, and what is broken, to an API server.
func runAPI(ctx context.Context, root string, r *report) error {
	programs, version, err := binaries(ctx, root, r, apiPrograms)
	if err != nil {
		return err
	}
	renderings, err := objects.All(root)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "e2e-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	s, err := startAlone(ctx, programs, folder)
	if err != nil {
		return err
	}
	defer s.stop()
	r.note("Kubernetes %s is ready", version)
	if err := s.define(ctx, root, monitorPlurals); err != nil {
		return err
	}
	r.note("the kinds of prometheus-operator are established")
	for _, one := range renderings {
		namespace := "e2e-" + strings.NewReplacer("/", "-", ".", "all").Replace(one.Name)
		if err := s.namespace(ctx, namespace); err != nil {
			return err
		}
		versions, err := s.applied(ctx, namespace, one)
		r.verdict(err, "%s: %d objects are taken, strictly and without a warning", one.Name, len(one.Objects))
		r.verdict(s.unchanged(ctx, namespace, one, versions), "%s: applying it again changes nothing", one.Name)
		r.verdict(s.admitted(ctx, namespace, one), "%s: its pods are admitted under the Pod Security Standard restricted", one.Name)
	}
	if err := s.namespace(ctx, "e2e-moves"); err != nil {
		return err
	}
	for _, name := range []string{"overlays/dev", "overlays/staging", "overlays/prod", ".", "overlays/dev"} {
		one := find(renderings, name)
		if one == nil {
			return fmt.Errorf("there is no rendering %s", name)
		}
		_, err := s.applied(ctx, "e2e-moves", one)
		r.verdict(err, "%s: is taken over what was applied before", name)
	}
	for _, b := range broken {
		r.verdict(s.refused(ctx, renderings, b), "%s: %s is refused, or warned of", b.kind, b.what)
	}
	return nil
}

func find(renderings []*objects.Rendering, name string) *objects.Rendering {
	for _, r := range renderings {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// The kinds of prometheus-operator, in the plural: the monitors, and all.
var (
	monitorPlurals = []string{"servicemonitors", "podmonitors"}
	everyPlural    = append([]string{
		"alertmanagerconfigs", "alertmanagers", "probes", "prometheusagents", "prometheuses", "prometheusrules", "scrapeconfigs", "thanosrulers",
	}, monitorPlurals...)
)

// define applies the definitions of kinds of prometheus-operator and waits until the API
// server serves them.
func (s *server) define(ctx context.Context, root string, plurals []string) error {
	folder, err := objects.Definitions(ctx, root)
	if err != nil {
		return err
	}
	for _, plural := range plurals {
		text, err := os.ReadFile(filepath.Join(folder, "monitoring.coreos.com_"+plural+".yaml"))
		if err != nil {
			return err
		}
		var definition objects.Object
		if err := yaml.Unmarshal(text, &definition); err != nil {
			return err
		}
		if _, err := s.client.apply(ctx, "", definition, false); err != nil {
			return fmt.Errorf("%s: %w", definition.Name(), err)
		}
	}
	return s.apiserver.within(ctx, time.Minute, func(ctx context.Context) error {
		for _, plural := range plurals {
			path := "/apis/monitoring.coreos.com/v1/" + plural
			if plural == "alertmanagerconfigs" || plural == "prometheusagents" || plural == "scrapeconfigs" {
				path = "/apis/monitoring.coreos.com/v1alpha1/" + plural
			}
			if err := s.client.get(ctx, path, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// namespace makes one that enforces the Pod Security Standard restricted, and warns of
// Deployments and Jobs whose pods it would refuse.
func (s *server) namespace(ctx context.Context, name string) error {
	_, err := s.client.apply(ctx, "", objects.Object{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{
		"name": name, "labels": map[string]any{"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted"},
	}}, false)
	return err
}

// applied applies all objects of a rendering. It returns their versions, and what is
// said against them.
func (s *server) applied(ctx context.Context, namespace string, r *objects.Rendering) (versions map[string]string, err error) {
	versions = map[string]string{}
	var all []error
	for _, o := range r.Objects {
		name := o.Kind() + " " + o.Name()
		stored, err := s.client.apply(ctx, namespace, o, false)
		if err != nil {
			all = append(all, fmt.Errorf("%s: %w", name, err))
			continue
		}
		meta, _ := stored["metadata"].(map[string]any)
		if versions[name], _ = meta["resourceVersion"].(string); versions[name] == "" {
			all = append(all, fmt.Errorf("%s has no version", name))
		}
	}
	return versions, errors.Join(all...)
}

// unchanged applies them again and compares the versions: a field that the API server
// writes in another way would change at every apply.
func (s *server) unchanged(ctx context.Context, namespace string, r *objects.Rendering, before map[string]string) error {
	after, err := s.applied(ctx, namespace, r)
	all := []error{err}
	for name, version := range after {
		if version != before[name] {
			all = append(all, fmt.Errorf("%s: version %q became %q", name, before[name], version))
		}
	}
	return errors.Join(all...)
}

// admitted tries a pod of each Deployment and Job, with their ServiceAccount.
func (s *server) admitted(ctx context.Context, namespace string, r *objects.Rendering) error {
	var all []error
	tried := 0
	for _, o := range r.Objects {
		spec, _ := o["spec"].(map[string]any)
		template, ok := spec["template"].(map[string]any)
		if !ok {
			continue
		}
		pod := objects.Object{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "try-" + o.Name()}, "spec": template["spec"]}
		if r.Name == objects.MigrationsAlone { // which is rendered without its service
			account := objects.Object{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{"name": "mover"}}
			if _, err := s.client.apply(ctx, namespace, account, false); err != nil {
				return err
			}
		}
		if err := s.client.tryCreate(ctx, namespace, pod); err != nil {
			all = append(all, fmt.Errorf("a pod of %s %s: %w", o.Kind(), o.Name(), err))
		}
		tried++
	}
	if tried == 0 {
		return errors.New("there is no pod to try")
	}
	return errors.Join(all...)
}
