package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
)

func helpCommand() command {
	return command{
		name:      "help",
		arguments: "[COMMAND]",
		summary:   "show the commands, or all about one",
		setup: func(*flag.FlagSet) action {
			return func(_ context.Context, s streams, args []string) error {
				if len(args) == 0 {
					printCommands(s.out)
					return nil
				}
				c, found := find(args[0])
				if !found {
					return unknown(args[0])
				}
				flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
				c.setup(flags)
				c.printHelp(s.out, flags)
				return nil
			}
		},
	}
}

func printCommands(w io.Writer) {
	fmt.Fprintf(w, "%s turns annotated proto files into services.\n\n", program)
	fmt.Fprintln(w, "Without arguments it is the plugin that buf and protoc run. Commands for people:")
	fmt.Fprintln(w)
	for _, c := range commands() {
		if !c.hidden {
			fmt.Fprintf(w, "  %-10s %s\n", c.name, c.summary)
		}
	}
	fmt.Fprintf(w, "\n\"%s COMMAND --help\" shows the flags of one.\n", program)
}

func (c command) usageLine() string {
	words := []string{"usage:", program, c.name}
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	c.setup(flags)
	flags.VisitAll(func(*flag.Flag) { words = append(words[:3:3], "[FLAGS]") })
	if c.arguments != "" {
		words = append(words, c.arguments)
	}
	return strings.Join(words, " ")
}

func (c command) printHelp(w io.Writer, flags *flag.FlagSet) {
	fmt.Fprintf(w, "%s\n\n%s: %s.\n", c.usageLine(), c.name, c.summary)
	if c.help != "" {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(c.help))
	}
	title := "\nFlags:\n"
	flags.VisitAll(func(f *flag.Flag) {
		fmt.Fprint(w, title)
		title = ""
		value, usage := flag.UnquoteUsage(f)
		if value != "" {
			value = "=" + value
		}
		if f.DefValue != "" && f.DefValue != "false" {
			usage += fmt.Sprintf(" (default %q)", f.DefValue)
		}
		fmt.Fprintf(w, "  %-22s %s\n", dashes(f)+f.Name+value, usage)
	})
}

// dashes are what a flag is written with.
func dashes(f *flag.Flag) string {
	if len(f.Name) == 1 {
		return "-"
	}
	return "--"
}
