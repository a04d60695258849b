// Package sync completes handler packages: the code that people write.
//
// It compares the contract with the Go files of each service's handler package
// and writes stubs for what the generated main needs and the package does not
// have. Every stub goes into a new file. No file that exists is ever changed,
// moved or deleted, so what sync does cannot cost anybody any work. Methods go to
// the type that the package says to implement the service, in a line such as
//
//	var _ orderv1.OrderServiceServer = (*handler)(nil)
//
// The data flows one way: a [Source] gives requests as the plugin would get
// them, package model makes services of them, a handler package is read with
// go/parser, [plan] lists the files that are missing, and only when all of that
// is done is the first one written.
package sync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
)

// ErrMissing is what Run returns when asked to check only and files are missing.
var ErrMissing = errors.New("handlers are missing (protoc-gen-svc sync writes stubs of them)")

// ErrStale is what Run returns when asked to check only and methods do not fit.
var ErrStale = errors.New("handlers do not fit the contract")

// ErrSystem is what Run returns when asked to check only and the generated files of
// the system come from a run that could not write them right.
var ErrSystem = errors.New("generated files do not fit the contract")

// Options say what Run compares and what it does.
type Options struct {
	// Source is where the contract comes from.
	Source Source

	// Root and Handlers overrule the plugin options of the same name.
	Root, Handlers string

	// Output is the folder of the generated files, empty where it is not known:
	// then nothing is said about them.
	Output string

	// Check reports what is missing and writes nothing.
	Check bool

	// JSON prints a Report instead of lines.
	JSON bool
}

// Report is what Run found.
type Report struct {
	// Files are those that were missing; with Check they still are.
	Files []File `json:"files"`
	// Wrong is what does not fit the contract, Notes what else is left to the author.
	Wrong []string `json:"wrong"`
	Notes []string `json:"notes"`
}

// File is a file that was missing, and what is in it.
type File struct {
	Path string `json:"path"`
	What string `json:"what"`
}

// Run writes what is missing in the handler packages and names every new file
// on out; it is silent when there is nothing to do. Notes are about what it
// leaves to the author. When it returns a fault of the contract or of a handler
// package, it has written nothing.
func Run(ctx context.Context, o Options, out, notes io.Writer) error {
	services, err := readServices(ctx, o)
	switch {
	case err != nil:
		return err
	case len(services) == 0 && o.JSON:
		return report(nil, planned{}, out)
	case len(services) == 0:
		return nil
	}
	mods, err := listModules(ctx)
	if err != nil {
		return err
	}
	all, err := planAll(services, mods)
	if err != nil {
		return err
	}
	system, err := checkSystem(o.Output, services, mods)
	if err != nil {
		return err
	}
	lines := out
	if o.JSON {
		lines, notes = io.Discard, io.Discard
	}
	for _, note := range slices.Concat(system, all.wrong, all.notes) {
		fmt.Fprintln(notes, note)
	}
	err = finish(o.Check, all, lines)
	if o.JSON && (err == nil || o.Check) { // else not all is written
		err = errors.Join(report(system, all, out), err)
	}
	if err != nil {
		return err
	}
	if o.Check && len(system) > 0 {
		return ErrSystem
	}
	return nil
}

// report prints all of it for programs.
func report(system []string, all planned, out io.Writer) error {
	r := Report{Files: []File{}, Wrong: append([]string{}, slices.Concat(system, all.wrong)...), Notes: append([]string{}, all.notes...)}
	for _, f := range all.files {
		r.Files = append(r.Files, File{f.path, f.what})
	}
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// planAll reads every handler package, and returns all faults or all plans.
func planAll(services []service, mods modules) (planned, error) {
	var all planned
	var faults []error
	taken := map[string]string{} // folder of a handler package: its service
	for _, s := range services {
		dir, err := mods.dir(string(s.Handler.Path))
		if other, twice := taken[dir]; err == nil && twice {
			err = fmt.Errorf("%s and %s have the same handler package %s: set (svc.v1.service).name on one of them", other, s.FullName, dir)
		}
		if err != nil {
			faults = append(faults, err)
			continue
		}
		taken[dir] = s.FullName
		p, err := plan(s, dir)
		faults = append(faults, err)
		all.files = append(all.files, p.files...)
		all.notes = append(all.notes, p.notes...)
		all.wrong = append(all.wrong, p.wrong...)
	}
	return all, errors.Join(faults...)
}

// finish writes the files, or only lists them.
func finish(check bool, all planned, out io.Writer) error {
	for _, f := range all.files {
		if check {
			fmt.Fprintf(out, "%s: %s is missing\n", filepath.Dir(f.path), f.what)
			continue
		}
		if err := create(f.path, f.content); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: %s\n", f.path, f.what)
	}
	switch {
	case check && len(all.files) > 0:
		return ErrMissing
	case check && len(all.wrong) > 0:
		return ErrStale
	}
	return nil
}

// service is a service, the names of the Go packages that its contract knows, and
// the import path of the output folder that is said to be.
type service struct {
	*model.Service
	packages map[string]string
	root     string
}

// readServices reads the services whose handlers are wanted.
func readServices(ctx context.Context, o Options) ([]service, error) {
	requests, err := o.Source.requests(ctx)
	if err != nil {
		return nil, err
	}
	var all []service
	for _, r := range requests {
		services, err := servicesOf(r, o)
		if err != nil {
			return nil, err
		}
		all = append(all, services...)
	}
	return all, nil
}

// servicesOf makes the model of one run of the plugin.
func servicesOf(r *pluginpb.CodeGeneratorRequest, o Options) ([]service, error) {
	var options model.Options
	var protoRoot string
	p, err := protogen.Options{ParamFunc: func(name, value string) error {
		switch name { // the plugin itself refuses options that it does not know
		case "root":
			options.Root = value
		case "handlers":
			options.Handlers = value
		case "proto_root":
			protoRoot = value
		}
		return nil
	}}.New(r)
	if err != nil {
		return nil, err
	}
	overrule(&options.Root, o.Root)
	overrule(&options.Handlers, o.Handlers)
	for _, option := range []struct{ name, value string }{{"root", options.Root}, {"handlers", options.Handlers}} {
		if option.value == "" {
			return nil, fmt.Errorf("%s= is not among the options of protoc-gen-svc in buf.gen.yaml: set it there, or give --%[1]s", option.name)
		}
	}
	system, faults := model.Build(p, options)
	faults.Under(protoRoot)
	packages := map[string]string{}
	for _, f := range p.Files {
		packages[string(f.GoImportPath)] = string(f.GoPackageName)
	}
	var services []service
	for _, s := range system.Services {
		packages[string(s.Package.Path)] = s.Package.Name
		services = append(services, service{s, packages, options.Root})
	}
	return services, faults.Err()
}

func overrule(option *string, flag string) {
	if flag = strings.TrimSpace(flag); flag != "" {
		*option = flag
	}
}
