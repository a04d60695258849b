package cli

import (
	"context"
	"flag"
	"os"
	"strings"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/contractdiff"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/sync"
)

func diffCommand() command {
	return command{
		name:      "diff",
		arguments: "OLD NEW",
		summary:   "show what a change of the contract means in operation",
		help: `
Compares two contracts: settings that take effect, services, methods, errors, what
"buf breaking" says about the wire, and which generated files differ. Each change
is breaking, worth a look, or safe, with the reason. OLD and NEW are folders with
buf.gen.yaml, commits of the repository here (main, HEAD~1), or images that buf or
protoc wrote, with the options of the buf.gen.yaml here. A commit is unpacked
elsewhere: the work tree stays as it is.

Rules of buf.validate are judged by who sends the message. Tighter ones are breaking
in requests and in the service's configuration, where they refuse what was fine, and
safe in responses; looser ones are safe in the former, and worth a look in responses,
which may hold what callers never met. A message that goes both ways has the graver
of the two. Rules of a new field are breaking where they refuse messages without it.
CEL and regular expressions cannot be compared: changed ones are worth a look.

With --json: {"changes", "wire", "files"}, three arrays. A change is {"kind",
"name", "option", "old", "new", "level", "reason", "at"}: kind and name as of
explain, or message, oneof or field, no option where the whole is new or gone, level
breaking, look or safe, and the place in NEW of rules of buf.validate. An element of
wire is {"path", "start_line", "start_column", "type", "message"}, as buf has it,
always breaking; one of files is {"path", "change"}: new, changed or gone. Later
versions add keys.`,
		setup: func(flags *flag.FlagSet) action {
			var o contractdiff.Options
			buf := bufFlag(flags)
			flags.BoolVar(&o.JSON, "json", false, "print JSON")
			flags.BoolVar(&o.Fail, "exit-code", false, "exit with 1 when something is breaking")
			return func(ctx context.Context, s streams, args []string) error {
				if len(args) != 2 {
					return usagef("got %d arguments, want two contracts (for example main .)", len(args))
				}
				self, err := os.Executable()
				if err != nil {
					return err
				}
				o.Old, o.New = args[0], args[1]
				o.Buf = sync.Buf{Command: strings.Fields(*buf), Plugin: []string{self, captureName}}
				o.Generate = generate(s)
				return contractdiff.Run(ctx, o, s.out)
			}
		},
	}
}
