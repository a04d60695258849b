package cli

import (
	"context"
	"flag"
	"strings"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/project"
)

func initCommand() command {
	return command{
		name:      "init",
		arguments: "MODULE",
		summary:   "write a new project into an empty folder",
		help: `
Writes a Go module named MODULE with a contract, a handler with a database and
tests for each service, and what builds, tests and shows them: in that folder,
"make demo", "make run" and "make test" work at once. Every service but the first
calls the first one, once at once and once through its outbox. Nothing that exists is
ever replaced, and when something is wrong, nothing is written.`,
		setup: func(flags *flag.FlagSet) action {
			var o project.Options
			services := flags.String("services", "user", "`NAMES` of the services in kebab case, with commas between them")
			flags.StringVar(&o.Dir, "dir", ".", "`FOLDER` of the project; made if it does not exist")
			flags.StringVar(&o.Replace, "replace", "", "`CHECKOUT` of protosvc to build with, instead of the version of this program")
			return func(ctx context.Context, s streams, args []string) error {
				if len(args) != 1 {
					return usagef("got %d arguments, want the path of the new module (for example \"example.com/shop\")", len(args))
				}
				o.Module, o.Services = args[0], strings.Split(*services, ",")
				return project.Create(ctx, o, s.out)
			}
		},
	}
}
