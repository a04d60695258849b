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
		arguments: "[MODULE]",
		summary:   "write a new project into an empty folder, or set up a module",
		help: `
With MODULE, writes a Go module of that name with a contract, a handler with a database
and tests for each service, and what builds, tests and shows them: in that folder,
"make demo", "make run" and "make test" work at once. Every service but the first
calls the first one, once at once and once through its outbox.

Without MODULE, sets up the module whose go.mod is in the folder: writes buf.yaml,
buf.gen.yaml and the protos that contracts import, and adds the tools to go.mod.
"buf generate" then builds services from the contracts below proto/. A version of
protosvc that go.mod requires already stays.

Nothing else that exists is ever changed, and when something is wrong, nothing is written.`,
		setup: func(flags *flag.FlagSet) action {
			services := flags.String("services", "user", "`NAMES` of the services of a new project in kebab case, with commas between them")
			dir := flags.String("dir", ".", "`FOLDER` of the project or module; that of a project is made if it does not exist")
			protos := flags.String("proto", project.DefaultProtos, "`FOLDER` of the contracts of a module that is there")
			replace := flags.String("replace", "", "`CHECKOUT` of protosvc to build with, instead of the version of this program")
			return func(ctx context.Context, s streams, args []string) error {
				given := map[string]bool{}
				flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
				switch {
				case len(args) > 1:
					return usagef("got %d arguments, want the path of the new module (for example \"example.com/shop\"), or none to set up the module of the folder", len(args))
				case len(args) == 0 && given["services"]:
					return usagef("--services is for new projects (want the path of the new module with it, for example \"example.com/shop\")")
				case len(args) == 0:
					return project.Adopt(ctx, project.AdoptOptions{Dir: *dir, Protos: *protos, Replace: *replace}, s.out)
				case given["proto"]:
					return usagef("--proto is for a module that is there, new projects have their contracts in %s", project.DefaultProtos)
				}
				return project.Create(ctx, project.Options{Module: args[0], Services: strings.Split(*services, ","), Dir: *dir, Replace: *replace}, s.out)
			}
		},
	}
}
