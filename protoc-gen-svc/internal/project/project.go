// Package project writes a new project: contracts, handlers and what builds,
// tests and shows them, ready for "make demo" and "make test". It adds services to such
// a project, and sets up modules that have none.
//
// Everything that can be wrong is found before the first file is written. The
// files are made in a temporary folder next to their place and moved there at
// the end, so that a project is there as a whole or not at all.
package project

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Options say what Create writes, and where.
type Options struct {
	// Module is the path of the new Go module.
	Module string

	// Services are the names of the services, in kebab case.
	Services []string

	// Dir is the folder of the project. It is made if it does not exist, and
	// else may hold nothing but what version control and editors keep there.
	Dir string

	// Replace is a checkout of this module, to build the project with instead
	// of a release. Empty: the version of the running program, or the checkout
	// that it was built from.
	Replace string
}

// Create writes a project and says on out what it does. When it returns an
// error, it has written nothing. It needs the go command, and the network where
// the module cache does not have the modules.
func Create(ctx context.Context, o Options, out io.Writer) error {
	p, dir, err := check(o)
	if err != nil {
		return err
	}
	files, err := render(p)
	if err != nil {
		return err
	}
	ground, err := nearest(dir)
	if err != nil {
		return err
	}
	staging, err := os.MkdirTemp(ground, ".init-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(staging)
	fmt.Fprintln(out, "go mod tidy: go.mod and go.sum of the tools (the first time downloads their modules)")
	if err := tidy(ctx, staging, files); err != nil {
		return err
	}
	for _, f := range files {
		if err := f.write(staging); err != nil {
			return err
		}
	}
	if err := place(staging, dir); err != nil {
		return err
	}
	report(out, p, dir, len(files))
	return nil
}

// check finds everything that is wrong with the options.
func check(o Options) (project, string, error) {
	source, sourceFault := findSource(o.Replace)
	services, servicesFault := newServices(o.Module, o.Services)
	dir, dirFault := filepath.Abs(o.Dir)
	if dirFault == nil {
		dirFault = checkEmpty(dir)
	}
	p := project{Module: o.Module, Source: source, Protos: DefaultProtos, Services: services}
	return p, dir, errors.Join(checkModule(o.Module), servicesFault, dirFault, sourceFault)
}

func report(out io.Writer, p project, dir string, files int) {
	fmt.Fprintf(out, "%s: wrote %d files and go.sum to %s\n", p.Module, files, dir)
	p.sayReplaced(out)
	fmt.Fprint(out, `
make demo   generates, builds, starts the services and calls them
make test   generates and tests
The first run compiles buf and SQLite, which takes some minutes. README.md says the rest.
`)
}

// sayReplaced says what it means to build with a checkout.
func (p project) sayReplaced(out io.Writer) {
	if p.Source.Dir != "" {
		fmt.Fprintf(out, "go.mod replaces %s by %s: take that line out when you require a release.\nUntil then no image can be built: what lies outside of the project is not in the context of its Dockerfiles\n", self, p.Source.Dir)
	}
}
