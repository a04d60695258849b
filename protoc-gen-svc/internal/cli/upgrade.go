package cli

import (
	"context"
	"flag"

	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/plugin"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/sync"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/upgrade"
	"github.com/protosvc/protosvc/templates"
)

func upgradeCommand() command {
	return command{
		name:    "upgrade",
		summary: "show what this version changes in generated files",
		help: `
Generates in memory and compares with the files in the output folder: which ones
are changed, new or gone, by how many lines, and what this version changed in
their templates since the one that wrote them, which deploy/protosvc.yaml
records. Files of other plugins are not looked at. Nothing is written: "buf
generate" does that. Run it where buf.gen.yaml is.`,
		setup: func(flags *flag.FlagSet) action {
			var o upgrade.Options
			template := flags.String("template", "buf.gen.yaml", "`FILE` that runs protoc-gen-svc, with its options")
			buf := bufFlag(flags)
			set := flags.String("descriptor-set", "", "`FILE` to read the contract from instead of running buf; - is standard input")
			flags.StringVar(&o.Dir, "out", "", "output `FOLDER`, instead of the template's out:")
			flags.StringVar(&o.Parameter, "opt", "", "`OPTIONS` of the plugin, instead of the template's opt:")
			flags.BoolVar(&o.Diff, "diff", false, "print the differences, too")
			flags.BoolVar(&o.JSON, "json", false, "print JSON")
			flags.BoolVar(&o.Verbose, "v", false, "name files that are unchanged, too")
			return func(ctx context.Context, s streams, args []string) (err error) {
				if len(args) > 0 {
					return usagef("%q is an argument, and there are none", args[0])
				}
				if o.Source, err = contract(*set, *buf, *template, s); err != nil {
					return err
				}
				if o.Dir == "" {
					if o.Dir, err = sync.Output(*template); err != nil {
						return err
					}
				}
				o.Generate = generate(s)
				return upgrade.Run(ctx, o, s.out)
			}
		},
	}
}

// generate answers requests as the plugin does, with its own templates.
func generate(s streams) func(*pluginpb.CodeGeneratorRequest) ([]plugin.File, error) {
	return func(r *pluginpb.CodeGeneratorRequest) ([]plugin.File, error) {
		return plugin.Files(r, templates.FS, s.overlays...)
	}
}
