// Package cli is protoc-gen-svc as people run it: a word, flags, arguments.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/emit"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
)

const program = "protoc-gen-svc"

// What Main returns.
const (
	exitOK    = 0
	exitFault = 1 // the command was understood and did not succeed
	exitUsage = 2 // the command line is wrong
)

// Main runs the command that args name and returns the exit code of the process.
// Commands that generate do so with the overlays.
func Main(args []string, stdout, stderr io.Writer, overlays ...emit.Overlay) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return run(ctx, streams{os.Stdin, stdout, stderr, overlays}, args)
}

// streams are where a command reads and writes, and the plugin's own templates
// where it has some.
type streams struct {
	in       io.Reader
	out, err io.Writer
	overlays []emit.Overlay
}

// command is one row of the table of commands.
type command struct {
	name string
	// arguments are what follows the flags, as the usage line shows them.
	arguments string
	// summary is one line for the list of commands, help the rest of its text.
	summary, help string
	// hidden keeps a command out of the list: it is not for people.
	hidden bool
	// setup declares the flags and returns what runs once they are parsed.
	setup func(*flag.FlagSet) action
}

// action runs a command with its arguments.
type action func(ctx context.Context, s streams, args []string) error

// usageError is a mistake in the command line.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// aliases are what people try first.
var aliases = map[string]string{"-h": "help", "-help": "help", "--help": "help", "-version": "version", "--version": "version"}

func run(ctx context.Context, s streams, args []string) int {
	if len(args) == 0 {
		args = []string{"help"}
	}
	name := args[0]
	if alias := aliases[name]; alias != "" {
		name = alias
	}
	c, found := find(name)
	if !found {
		fmt.Fprintf(s.err, "%s: %v\n", program, unknown(name))
		return exitUsage
	}
	err := c.run(ctx, s, args[1:])
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(s.err, "%s %s: %v\n%s\n", program, c.name, err, c.usageLine())
		return exitUsage
	default:
		fmt.Fprintf(s.err, "%s %s: %v\n", program, c.name, err)
		return exitFault
	}
}

func find(name string) (command, bool) {
	all := commands()
	i := slices.IndexFunc(all, func(c command) bool { return c.name == name })
	if i < 0 {
		return command{}, false
	}
	return all[i], true
}

func unknown(name string) error {
	var names []string
	for _, c := range commands() {
		if !c.hidden {
			names = append(names, c.name)
		}
	}
	text := fmt.Sprintf("unknown command %q", name)
	if hint := fault.DidYouMean(name, names); hint != "" {
		return usagef("%s%s", text, hint)
	}
	return usagef("%s (want one of %s)", text, strings.Join(names, ", "))
}

// run parses flags wherever they stand among the arguments, then acts.
func (c command) run(ctx context.Context, s streams, args []string) error {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	act := c.setup(flags)
	var rest []string
	for {
		if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
			c.printHelp(s.out, flags)
			return nil
		} else if err != nil {
			return usagef("%v", err)
		}
		if flags.NArg() == 0 {
			return act(ctx, s, rest)
		}
		rest = append(rest, flags.Arg(0))
		args = flags.Args()[1:]
	}
}
