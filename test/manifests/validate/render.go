package main

import "github.com/protosvc/protosvc/test/manifests/objects"

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
	found, err := objects.All(".")
	if err != nil {
		return nil, err
	}
	var all []*rendering
	for _, r := range found {
		all = append(all, &rendering{Rendering: r})
	}
	return all, nil
}
