package main

import (
	"os"

	"github.com/protosvc/protosvc/test/manifests"
)

// readManifests decodes all YAML as strictly as a cluster would, and holds the
// objects of each service against each other.
func (w *workshop) readManifests(r *report) error {
	w.each(func(c corpus) {
		if w.services[c.name] == 0 || r.failed(c.name) {
			return
		}
		deploy := os.DirFS(w.path("module", c.name, "deploy"))
		found, err := manifests.Services(deploy)
		if err == nil {
			err = manifests.Check(deploy)
		}
		if err != nil {
			r.fail(c.name, "deploy", "%v", err)
		}
		if len(found) != w.services[c.name] {
			r.fail(c.name, "deploy", "there are manifests of %d services, want %d", len(found), w.services[c.name])
		}
	})
	return nil
}
