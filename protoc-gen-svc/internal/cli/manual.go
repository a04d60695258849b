package cli

import (
	"flag"
	"fmt"
	"strings"
)

const manualPreamble = `<!-- Written by "protoc-gen-svc doc cli" from the table of commands. DO NOT EDIT. -->

# Commands

Without arguments ` + "`protoc-gen-svc`" + ` is the plugin that buf and protoc run. Run by hand it has commands.
Those that read the contract have buf compile it as ` + "`buf.gen.yaml`" + ` says, or take
` + "`--descriptor-set=FILE`" + `. They exit with 0, with 1 when they did not succeed or found what they
look for, and with 2 for a wrong command line.
`

// manual is the reference of the commands, docs/cli.md: what --help says of each.
func manual() (string, error) {
	var out strings.Builder
	out.WriteString(manualPreamble)
	out.WriteString("\n| Command | |\n|---|---|\n")
	for _, c := range commands() {
		if !c.hidden {
			fmt.Fprintf(&out, "| [%s](#%[1]s) | %s |\n", c.name, c.summary)
		}
	}
	for _, c := range commands() {
		if c.hidden {
			continue
		}
		flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
		c.setup(flags)
		fmt.Fprintf(&out, "\n## %s\n\n```text\n", c.name)
		c.printHelp(&out, flags)
		out.WriteString("```\n")
	}
	return out.String(), nil
}
