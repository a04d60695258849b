// Package objects renders generated manifests and changes what comes out, for programs
// that give them to others to judge.
package objects

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// Object is a Kubernetes object as YAML has it.
type Object map[string]any

// APIVersion is the group and version, "apps/v1".
func (o Object) APIVersion() string { return fmt.Sprint(o["apiVersion"]) }

// Kind is the kind, "Deployment".
func (o Object) Kind() string { return fmt.Sprint(o["kind"]) }

// Name is the name in the metadata.
func (o Object) Name() string {
	meta, _ := o["metadata"].(map[string]any)
	return fmt.Sprint(meta["name"])
}

// Absent is the value of a field that is removed.
var Absent removed

type removed struct{}

// With is the object with another value at a path with slashes, in which numbers are
// places in lists, as in "spec/ports/0/port". All but the last step must be there, and
// the last one, too, if it is to be absent.
func (o Object) With(path string, value any) (Object, error) {
	data, err := yaml.Marshal(o)
	if err != nil {
		return nil, err
	}
	var changed Object
	if err := yaml.Unmarshal(data, &changed); err != nil {
		return nil, err
	}
	parent, last := "", path
	var at any = map[string]any(changed)
	if i := strings.LastIndex(path, "/"); i >= 0 {
		parent, last = path[:i], path[i+1:]
		for step := range strings.SplitSeq(parent, "/") {
			if at, err = child(at, step); err != nil {
				return nil, fmt.Errorf("%s %s: %s: %w", o.Kind(), o.Name(), path, err)
			}
		}
	}
	fields, ok := at.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s %s: %s is not a field", o.Kind(), o.Name(), path)
	}
	if value != Absent {
		fields[last] = value
		return changed, nil
	}
	if _, there := fields[last]; !there {
		return nil, fmt.Errorf("%s %s: there is no %s to remove", o.Kind(), o.Name(), path)
	}
	delete(fields, last)
	return changed, nil
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

// Text is the objects as kubectl apply would get them.
func Text(objects []Object) ([]byte, error) {
	var all []byte
	for _, o := range objects {
		one, err := yaml.Marshal(o)
		if err != nil {
			return nil, err
		}
		all = append(append(all, "---\n"...), one...)
	}
	return all, nil
}

// Rendering is what a folder becomes.
type Rendering struct {
	// Name is the folder, below the one where all are: "overlays/prod".
	Name    string
	Objects []Object
}

// Environment is the last part of the name: dev, staging, prod; "." for the whole
// system without an overlay.
func (r *Rendering) Environment() string { return filepath.Base(r.Name) }

// All renders what is generated below the root of the repository: the system, its
// overlays, those of each service, and the Job of the migrations.
func All(root string) ([]*Rendering, error) {
	deploy := filepath.Join(root, "generated/deploy")
	folders := []string{deploy}
	for _, pattern := range []string{"overlays/*", "*/overlays/*"} {
		found, err := filepath.Glob(filepath.Join(deploy, pattern))
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("there is no %s in %s (run: make generate)", pattern, deploy)
		}
		folders = append(folders, found...)
	}
	var all []*Rendering
	for _, folder := range folders {
		name, err := filepath.Rel(deploy, folder)
		if err != nil {
			return nil, err
		}
		r, err := render(filesys.MakeFsOnDisk(), folder, name)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	job, err := migrationJob(root)
	return append(all, job), err
}

// render renders a folder, as kubectl kustomize does.
func render(fsys filesys.FileSystem, folder, name string) (*Rendering, error) {
	rendered, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(fsys, folder)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", folder, err)
	}
	r := &Rendering{Name: name}
	for _, one := range rendered.Resources() {
		o, err := one.Map()
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", folder, one.CurId(), err)
		}
		r.Objects = append(r.Objects, o)
	}
	if len(r.Objects) == 0 {
		return nil, fmt.Errorf("%s: there is no object", folder)
	}
	return r, nil
}
