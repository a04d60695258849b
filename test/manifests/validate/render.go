package main

import "github.com/protosvc/protosvc/test/manifests/objects"

const deploy = "generated/deploy"

// Renderings that others speak of.
const (
	production      = "overlays/prod"
	migrationsAlone = objects.MigrationsAlone
)

// rendering is what a folder becomes, and what was found in it.
type rendering struct {
	*objects.Rendering
	invalid, critical, excepted int
}

// renderAll renders the whole system, each overlay, and the Job of the migrations.
func renderAll() ([]*rendering, error) {
	found, err := objects.All(deploy)
	if err != nil {
		return nil, err
	}
	job, err := objects.MigrationJob(".")
	if err != nil {
		return nil, err
	}
	var all []*rendering
	for _, r := range append(found, job) {
		all = append(all, &rendering{Rendering: r})
	}
	return all, nil
}
