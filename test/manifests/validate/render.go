package main

import (
	"fmt"
	"path/filepath"

	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const deploy = "generated/deploy"

// migrations is the case of the golden files whose service applies its migrations by
// a Job, which no service of the flagship does.
const (
	migrations   = "protoc-gen-svc/testdata/service_migrations.txtar"
	migrationJob = "want/deploy/mover/k8s/migration-job.yaml"
)

// Renderings that others speak of.
const (
	production      = "overlays/prod"
	migrationsAlone = "migrations"
)

// rendering is what a folder becomes, and what was found in it.
type rendering struct {
	name    string
	objects []object

	invalid, critical, excepted int
}

// environment is the last part of the name: dev, staging, prod; "." for the whole
// system, which is of none.
func (r *rendering) environment() string { return filepath.Base(r.name) }

// object is a Kubernetes object as YAML has it.
type object map[string]any

func (o object) kind() string { return fmt.Sprint(o["kind"]) }

func (o object) name() string {
	meta, _ := o["metadata"].(map[string]any)
	return fmt.Sprint(meta["name"])
}

// text is the objects as kubectl apply would get them.
func text(objects []object) ([]byte, error) {
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

// renderAll renders the whole system, each overlay, and the Job of the migrations.
func renderAll() ([]*rendering, error) {
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
	var all []*rendering
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
	job, err := renderJob()
	return append(all, job), err
}

func render(fsys filesys.FileSystem, folder, name string) (*rendering, error) {
	rendered, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(fsys, folder)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", folder, err)
	}
	r := &rendering{name: name}
	for _, one := range rendered.Resources() {
		o, err := one.Map()
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", folder, one.CurId(), err)
		}
		r.objects = append(r.objects, o)
	}
	if len(r.objects) == 0 {
		return nil, fmt.Errorf("%s: there is no object", folder)
	}
	return r, nil
}

// renderJob sets the tag of the image as the kustomization of a service does.
func renderJob() (*rendering, error) {
	archive, err := txtar.ParseFile(migrations)
	if err != nil {
		return nil, err
	}
	for _, f := range archive.Files {
		if f.Name != migrationJob {
			continue
		}
		fsys := filesys.MakeFsInMemory()
		if err := fsys.WriteFile("/job.yaml", f.Data); err != nil {
			return nil, err
		}
		if err := fsys.WriteFile("/kustomization.yaml", []byte("resources: [job.yaml]\nimages: [{name: mover, newTag: dev}]\n")); err != nil {
			return nil, err
		}
		return render(fsys, "/", migrationsAlone)
	}
	return nil, fmt.Errorf("%s has no %s", migrations, migrationJob)
}
