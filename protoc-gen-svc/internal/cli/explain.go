package cli

import (
	"context"
	"flag"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/settings"
)

func explainCommand() command {
	return command{
		name:      "explain",
		arguments: "[SERVICE[/METHOD]]",
		summary:   "show what is in force, and where it comes from",
		help: `
Prints every setting of every service, method and error: its effective value;
the place of its annotation, "default", or "by" and the setting that it follows;
and the files that it reaches. SERVICE is the full name of a service or the name
of its deployable unit. Run it where buf.gen.yaml is.

With --json: an array of {"kind", "name", "deployable", "settings"}, where kind is
service, method, error or config, and settings is an array of {"option", "value",
"from", "derived", "outputs"}: texts, apart from outputs, an array of paths below
the output folder. "from" is absent where the annotation is not set, "derived" where
nothing is followed, "deployable" except for services. Later versions add keys.`,
		setup: func(flags *flag.FlagSet) action {
			asJSON := flags.Bool("json", false, "print JSON")
			template := flags.String("template", "buf.gen.yaml", "`FILE` that runs protoc-gen-svc, with its options")
			buf := bufFlag(flags)
			set := flags.String("descriptor-set", "", "`FILE` to read the contract from instead of running buf; - is standard input")
			return func(ctx context.Context, s streams, args []string) error {
				if len(args) > 1 {
					return usagef("got %d arguments, want a service, a method or nothing", len(args))
				}
				source, err := contract(*set, *buf, *template, s)
				if err != nil {
					return err
				}
				groups, err := settings.Read(ctx, source)
				if err != nil {
					return err
				}
				if len(args) == 1 {
					if groups, err = settings.Find(groups, args[0]); err != nil {
						return err
					}
				}
				if *asJSON {
					return settings.JSON(s.out, groups)
				}
				return settings.Text(s.out, groups)
			}
		},
	}
}
