package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/protos"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/reference"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/release"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/rules"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/sync"
)

// captureName is the hidden command by which sync and its like learn what buf gives plugins.
const captureName = "capture-request"

// commands is the table of commands, in the order of help.
func commands() []command {
	return []command{initCommand(), addCommand(), protosCommand(), syncCommand(), lintCommand(), explainCommand(), diffCommand(), upgradeCommand(), docCommand(), completionCommand(), versionCommand(), helpCommand(), captureCommand(), namesCommand()}
}

func protosCommand() command {
	return command{
		name:      "protos",
		arguments: "DIR",
		summary:   "write the proto files that a contract imports",
		help: `
Writes google/api, google/rpc, buf/validate and svc/v1 below DIR, for projects
that have no schema registry. The third-party files come out of Go modules with
pinned checksums, by way of the go command. Files that are right keep their time
stamp, others of the same paths are replaced, and nothing else is touched.`,
		setup: func(flags *flag.FlagSet) action {
			var o protos.Options
			flags.BoolVar(&o.ThirdPartyOnly, "third-party-only", false, "leave out svc/v1/svc.proto")
			flags.BoolVar(&o.Verbose, "v", false, "name every file that is written")
			return func(ctx context.Context, s streams, args []string) error {
				if len(args) != 1 {
					return usagef("got %d arguments, want the folder to write to", len(args))
				}
				o.Dir = args[0]
				return protos.Write(ctx, o, s.out)
			}
		},
	}
}

func syncCommand() command {
	return command{
		name:    "sync",
		summary: "write stubs of handlers that are missing",
		help: `
Compares the contract with the handler packages and writes what the generated
mains need and the packages do not have: a whole package, New, Migrations, or the
method of a new RPC. Every stub goes into a new file; no file that exists is
changed or deleted. Methods and a New that no longer fit the contract, fields in the
place of one, and methods of RPCs that are gone are named with file and line. So is
deploy/protosvc.yaml when the run that wrote it saw only a part of the contract, or
root= is not the import path of the output folder. Run it where buf.gen.yaml is.

With --json: {"files", "wrong", "notes"}, three arrays. An element of files is {"path",
"what"}: written, or with --check missing. Those of wrong and notes are texts: what does
not fit the contract, and what else is left to you. Later versions add keys.`,
		setup: func(flags *flag.FlagSet) action {
			var o sync.Options
			flags.BoolVar(&o.Check, "check", false, "write nothing; exit with 1 when something is missing or does not fit")
			flags.BoolVar(&o.JSON, "json", false, "print JSON")
			template := flags.String("template", "buf.gen.yaml", "`FILE` that runs protoc-gen-svc, with its options")
			buf := bufFlag(flags)
			set := flags.String("descriptor-set", "", "`FILE` to read the contract from instead of running buf; - is standard input")
			flags.StringVar(&o.Root, "root", "", "import `PATH` of the output folder, instead of the template's root=")
			flags.StringVar(&o.Handlers, "handlers", "", "import `PATH` of the handlers, instead of the template's handlers=")
			return func(ctx context.Context, s streams, args []string) (err error) {
				if len(args) > 0 {
					return usagef("%q is an argument, and there are none", args[0])
				}
				if o.Source, err = contract(*set, *buf, *template, s); err != nil {
					return err
				}
				o.Output, _ = sync.Output(*template) // a descriptor set needs no template
				return sync.Run(ctx, o, s.out, s.err)
			}
		},
	}
}

// contract is where a command that reads the contract has it from.
func contract(set, buf, template string, s streams) (sync.Source, error) {
	if set != "" {
		return sync.DescriptorSet{File: set, In: s.in, Template: template}, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return sync.Buf{Command: strings.Fields(buf), Template: template, Plugin: []string{self, captureName}}, nil
}

// references are what doc prints, by argument.
func references() map[string]func() (string, error) {
	return map[string]func() (string, error){
		"annotations": reference.Markdown,
		"cli":         manual,
		"diagnostics": func() (string, error) {
			return fault.Markdown(slices.Concat(model.Rules(), rules.Rules()), slices.Concat(model.Messages(), rules.Messages())), nil
		},
	}
}

func docCommand() command {
	return command{
		name:      "doc",
		arguments: "[annotations|cli|diagnostics]",
		summary:   "print a reference, in Markdown",
		help: `
Prints the manual of the annotations, that of the commands, or what the plugin
says about contracts that cannot work.`,
		setup: func(*flag.FlagSet) action {
			return func(_ context.Context, s streams, args []string) error {
				if len(args) == 0 {
					args = []string{"annotations"}
				}
				text, known := references()[args[0]]
				if !known || len(args) > 1 {
					return usagef("%q is not a reference (want annotations, cli or diagnostics)", strings.Join(args, " "))
				}
				markdown, err := text()
				if err != nil {
					return err
				}
				_, err = io.WriteString(s.out, markdown)
				return err
			}
		},
	}
}

func captureCommand() command {
	return command{
		name:    captureName,
		hidden:  true,
		summary: "be a plugin that hands back the request it gets",
		setup: func(*flag.FlagSet) action {
			return func(_ context.Context, s streams, _ []string) error { return sync.Capture(s.in, s.out) }
		},
	}
}

func versionCommand() command {
	return command{
		name:    "version",
		summary: "show the version of this program",
		setup: func(*flag.FlagSet) action {
			return func(_ context.Context, s streams, args []string) error {
				if len(args) > 0 {
					return usagef("%q is an argument, and there are none", args[0])
				}
				fmt.Fprintf(s.out, "%s %s (module %s, %s)\n", program, release.Version, version(), runtime.Version())
				return nil
			}
		},
	}
}

// version is that of the module which this program was built from: "(devel)" in
// a checkout whose version control the go command does not ask.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
