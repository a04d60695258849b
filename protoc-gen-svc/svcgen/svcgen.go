// Package svcgen is protoc-gen-svc as a package, for teams whose outputs must
// differ: a plugin of their own is a main function of one line.
//
//	//go:embed k8s
//	var overlay embed.FS
//
//	func main() { svcgen.Main(svcgen.Overlay(overlay)) }
//
// It takes the place of protoc-gen-svc in buf.gen.yaml and has its options and
// subcommands. What it writes depends on its go.mod alone, so every developer
// gets the same bytes. docs/overlay.md describes the templates and their data.
package svcgen

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/cli"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/emit"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/plugin"
	"github.com/protosvc/protosvc/templates"
)

// ModelVersion is the version of the data that templates print. A file of an
// overlay says with {{requires N}} which one it is written for; one that says
// nothing is written for version 1. Where the two differ, the file is refused.
const ModelVersion = model.Version

// Option changes what is generated.
type Option struct{ overlay emit.Overlay }

// Overlay puts templates over those of protoc-gen-svc. Its files have the paths
// that ours have in the folder templates of this module, such as
// "k8s/deployment.yaml.tmpl", at the root of the file system. A file replaces
// ours. A definition, {{define "labels"}}, replaces ours of the same name in all
// templates; those that stand alone go into a file partials.tmpl of any folder.
// A file that is neither is refused. Of several overlays, a later one is over
// those before it.
func Overlay(files fs.FS) Option { return Option{emit.Overlay{Templates: files}} }

// ServiceFile adds an output for each service. The template, by its path, is in
// an overlay. The path in the output folder is itself a template with the same
// data, for example "{{.Deploy}}/k8s/networkpolicy.yaml"; for a service that it
// is empty for, nothing is written.
func ServiceFile(template, path string) Option {
	return Option{emit.Overlay{Files: []emit.File{{Template: template, Path: path}}}}
}

// Main is the main function of a plugin: without arguments it answers protoc or
// buf, with arguments it runs the subcommand that they name. Who starts it on a
// terminal without arguments is shown the subcommands. Mistakes in overlays are
// answered as mistakes in a contract are.
func Main(options ...Option) {
	if len(os.Args) > 1 || cli.Terminal(os.Stdin) {
		os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr, overlays(options)...))
	}
	if err := plugin.Run(os.Stdin, untilWritten(os.Stdout), os.Stderr, templates.FS, overlays(options)...); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		os.Exit(1)
	}
}

// Check returns every mistake in overlays that can be found without a contract:
// files and definitions that would have no effect, and fields that the data does
// not have, as "path:line:column: expression: message". It is made for a test.
func Check(options ...Option) error { return emit.Check(templates.FS, overlays(options)...) }

func overlays(options []Option) []emit.Overlay {
	var all []emit.Overlay
	for _, o := range options {
		all = append(all, o.overlay)
	}
	return all
}
