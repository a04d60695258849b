// Package upgrade compares the files that are generated with those that this
// plugin would generate. It only reads: writing is what "buf generate" does.
//
// The data flows one way: a source gives the runs of the plugin as the project
// configures it, the plugin answers them in memory, [compare] makes a [Report] of
// the answers and the output folder, and the report is printed.
package upgrade

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/plugin"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/sync"
)

// Options say what Run compares and how it reports.
type Options struct {
	// Source is where the contract comes from.
	Source sync.Source

	// Parameter has options of the plugin that take the place of the project's.
	// Empty: those of the project.
	Parameter string

	// Generate is the plugin: all files of a run, or its faults.
	Generate func(*pluginpb.CodeGeneratorRequest) ([]plugin.File, error)

	// Dir is the output folder. It must exist.
	Dir string

	// Diff adds the unified diff of each file that differs.
	Diff bool

	// JSON prints the report as one JSON value instead of text.
	JSON bool

	// Verbose names files that are unchanged, too. JSON always has them.
	Verbose bool
}

// Run prints what "buf generate" would change in the output folder.
func Run(ctx context.Context, o Options, out io.Writer) error {
	if info, err := os.Stat(o.Dir); err != nil || !info.IsDir() {
		return fmt.Errorf("%q is not a folder, and there must be generated files to compare with (run this where buf.gen.yaml is, or name the folder with --out)", o.Dir)
	}
	files, err := generate(ctx, o)
	if err != nil {
		return err
	}
	report, err := compare(o.Dir, files)
	if err != nil {
		return err
	}
	if o.JSON {
		return report.json(out, o)
	}
	return report.text(out, o)
}

// generate runs the plugin for each run of the project. Where two of them write a
// file, the first one counts, as it does for buf.
func generate(ctx context.Context, o Options) ([]plugin.File, error) {
	requests, err := sync.Requests(ctx, o.Source)
	if err != nil {
		return nil, err
	}
	if len(requests) == 0 {
		return nil, errors.New("the contract has no file to generate for, so there is nothing to compare")
	}
	var all []plugin.File
	written := map[string]bool{}
	for _, request := range requests {
		if o.Parameter != "" {
			request.Parameter = proto.String(o.Parameter)
		}
		files, err := o.Generate(request)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if !written[f.Path] {
				all = append(all, f)
			}
			written[f.Path] = true
		}
	}
	return all, nil
}
