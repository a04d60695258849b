package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// shells write the script of a shell, made from the table of commands.
func shells() map[string]func(io.Writer) {
	return map[string]func(io.Writer){"bash": bash, "zsh": zsh, "fish": fish}
}

func completionCommand() command {
	return command{
		name:      "completion",
		arguments: "bash|zsh|fish",
		summary:   "print a script that completes commands in a shell",
		help: `
The script is for the start-up file of the shell:

  bash   source <(protoc-gen-svc completion bash)
  zsh    source <(protoc-gen-svc completion zsh)
  fish   protoc-gen-svc completion fish | source`,
		setup: func(*flag.FlagSet) action {
			return func(_ context.Context, s streams, args []string) error {
				script := shells()[strings.Join(args, " ")]
				if script == nil {
					return usagef("%q is not a shell (want bash, zsh or fish)", strings.Join(args, " "))
				}
				script(s.out)
				return nil
			}
		},
	}
}

// visible are the commands for people, with their flags by name.
func visible() (names []string, flagsOf map[string][]*flag.Flag) {
	flagsOf = map[string][]*flag.Flag{}
	for _, c := range commands() {
		if c.hidden {
			continue
		}
		names = append(names, c.name)
		set := flag.NewFlagSet(c.name, flag.ContinueOnError)
		c.setup(set)
		set.VisitAll(func(f *flag.Flag) { flagsOf[c.name] = append(flagsOf[c.name], f) })
	}
	return names, flagsOf
}

// bash completes the command, then its flags, then files.
func bash(w io.Writer) {
	names, flagsOf := visible()
	fmt.Fprintf(w, "_protoc_gen_svc() {\n  local words=\n  if ((COMP_CWORD == 1)); then\n    words=%q\n  else\n    case ${COMP_WORDS[1]} in\n", strings.Join(names, " "))
	for _, name := range names {
		if flags := flagsOf[name]; len(flags) > 0 {
			fmt.Fprintf(w, "      %s) words=%q ;;\n", name, strings.Join(dashed(flags), " "))
		}
	}
	fmt.Fprint(w, `    esac
  fi
  if ((COMP_CWORD == 1)) || [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
    COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
  fi
}
complete -o default -F _protoc_gen_svc protoc-gen-svc
`)
}

// zsh runs the script of bash.
func zsh(w io.Writer) {
	fmt.Fprint(w, "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n")
	bash(w)
}

func fish(w io.Writer) {
	names, flagsOf := visible()
	for _, name := range names {
		c, _ := find(name)
		fmt.Fprintf(w, "complete -c %s -n __fish_use_subcommand -a %s -d '%s'\n", program, name, c.summary)
		for _, f := range flagsOf[name] {
			kind := map[string]string{"-": "s", "--": "l"}[dashes(f)] // short, long
			fmt.Fprintf(w, "complete -c %s -n '__fish_seen_subcommand_from %s' -%s %s\n", program, name, kind, f.Name)
		}
	}
}

func dashed(flags []*flag.Flag) []string {
	out := make([]string, 0, len(flags))
	for _, f := range flags {
		out = append(out, dashes(f)+f.Name)
	}
	slices.Sort(out)
	return out
}
