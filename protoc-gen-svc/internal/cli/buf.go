package cli

import "flag"

// bufFlag declares the flag of every command that runs buf.
func bufFlag(flags *flag.FlagSet) *string {
	return flags.String("buf", "", "`COMMAND` that runs buf; without it buf in PATH, bin/buf, or the tool of tools/buf/go.mod")
}
