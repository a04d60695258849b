package cli

import (
	"context"
	"flag"
	"strings"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/openapi"
)

func openapiCommand() command {
	return command{
		name:    "openapi",
		summary: "be a plugin that completes the OpenAPI of another one",
		help: `
For buf.gen.yaml, in front of the plugin that writes OpenAPI 3 as JSON: each
operation then lists the errors that its method declares, by HTTP status.

  - local: [protoc-gen-svc, openapi, "--plugin=protoc-gen-openapiv3"]
    out: generated`,
		setup: func(flags *flag.FlagSet) action {
			plugin := flags.String("plugin", "protoc-gen-openapiv3", "`COMMAND` of the other plugin")
			return func(ctx context.Context, s streams, args []string) error {
				command := strings.Fields(*plugin)
				if len(args) > 0 || len(command) == 0 {
					return usagef("want no arguments, and a command as --plugin")
				}
				return openapi.Run(ctx, command, s.in, s.out, s.err)
			}
		},
	}
}
