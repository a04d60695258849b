package cli

import (
	"context"
	"flag"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/project"
)

func addCommand() command {
	return command{
		name:      "add",
		arguments: "SERVICE",
		summary:   "write a further service into a project of init",
		help: `
Writes what init writes for each service: a contract, a handler with a database,
tests, and what the demo tells of it. Run it where buf.gen.yaml is; "make demo" then
generates, builds and shows the service with the others. Nothing that exists is ever
changed, and when something is wrong, nothing is written.`,
		setup: func(flags *flag.FlagSet) action {
			var o project.AddOptions
			flags.StringVar(&o.Calls, "calls", "", "`SERVICE` of the project that the new one calls, by its Get RPC as init writes it, and its Activate RPC if it has one")
			flags.StringVar(&o.Dir, "dir", ".", "`FOLDER` of the project")
			return func(_ context.Context, s streams, args []string) error {
				if len(args) != 1 {
					return usagef("got %d arguments, want the name of the new service (for example \"line-item\")", len(args))
				}
				o.Service = args[0]
				return project.Add(o, s.out)
			}
		},
	}
}
