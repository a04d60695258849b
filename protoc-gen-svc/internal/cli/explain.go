package cli

import (
	"context"
	"flag"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/settings"
)

func explainCommand() command {
	return command{
		name:      "explain",
		arguments: "[NAME]",
		summary:   "show what is in force, and where it comes from",
		help: `
Prints the settings of services, methods, errors and configuration that have a
value: the effective one, and the place of its annotation, "default", or "by" and
the setting that it follows. With -v it prints those without a value, too, and below
each the files that it reaches. NAME is a service, by its full name or that of its
deployable unit; or a method, an error or a field of the configuration, as contracts,
logs and metrics have it: order.v1.OrderService/CreateOrder, order.CreateOrder,
ORDER_ERROR_NOT_FOUND. Run it where buf.gen.yaml is.

With --json: an array of {"kind", "name", "deployable", "settings"}, where kind is
service, method, error or config, and settings is an array of {"option", "value",
"from", "derived", "outputs"}: texts, apart from outputs, an array of paths below
the output folder. "from" is absent where the annotation is not set, "derived" where
nothing is followed, "deployable" except for services. Later versions add keys.`,
		setup: func(flags *flag.FlagSet) action {
			verbose := flags.Bool("v", false, "print settings without a value, too, and the files that each one reaches")
			onlySet := flags.Bool("set", false, "print only what the contract sets itself")
			asJSON := flags.Bool("json", false, "print JSON, always with all of a setting")
			template := flags.String("template", "buf.gen.yaml", "`FILE` that runs protoc-gen-svc, with its options")
			buf := bufFlag(flags)
			set := flags.String("descriptor-set", "", "`FILE` to read the contract from instead of running buf; - is standard input")
			return func(ctx context.Context, s streams, args []string) error {
				if len(args) > 1 {
					return usagef("got %d arguments, want one name or nothing", len(args))
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
				if *onlySet {
					groups = settings.OnlySet(groups)
				}
				print := settings.Text
				switch {
				case *asJSON:
					print = settings.JSON
				case *verbose:
					print = settings.Verbose
				}
				return print(s.out, groups)
			}
		},
	}
}
