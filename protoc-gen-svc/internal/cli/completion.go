package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/contractdiff"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/settings"
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
The script completes commands, flags, services and methods for explain, and branches
and tags for diff, of protoc-gen-svc and of go tool protoc-gen-svc. It is for the
start-up file of the shell; where the program is a tool of a project, go tool stands
before its name here:

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

// namesName is the hidden command by which the scripts ask for what is only known where
// they run.
const namesName = "complete-names"

// knowing are the commands whose arguments it knows.
var knowing = map[string]func(context.Context, streams) ([]string, error){
	"diff": func(ctx context.Context, _ streams) ([]string, error) { return contractdiff.Refs(ctx), nil },
	"explain": func(ctx context.Context, s streams) ([]string, error) {
		source, err := contract("", "", "buf.gen.yaml", s)
		if err != nil {
			return nil, err
		}
		groups, err := settings.Read(ctx, source)
		return settings.Names(groups), err
	},
}

func namesCommand() command {
	return command{
		name:    namesName,
		hidden:  true,
		summary: "print what a command may have as arguments",
		setup: func(*flag.FlagSet) action {
			return func(ctx context.Context, s streams, args []string) error {
				names := knowing[strings.Join(args, " ")]
				if names == nil {
					return usagef("nothing is known about %q", strings.Join(args, " "))
				}
				all, err := names(ctx, s)
				for _, name := range all {
					fmt.Fprintln(s.out, name)
				}
				return err
			}
		},
	}
}

// bash completes the command, then its flags, what it knows of arguments, then files.
// With "go tool" in front, it does so for what the shell asks about go, and leaves the
// rest of it to who was asked before.
func bash(w io.Writer) {
	names, flagsOf := visible()
	fmt.Fprintf(w, `_protoc_gen_svc() {
  local words= first=1
  [[ ${COMP_WORDS[0]} == go ]] && first=3
  local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[first]}
  if ((COMP_CWORD == first)); then
    words=%q
  elif [[ $word == -* ]]; then
    case $command in
`, strings.Join(names, " "))
	for _, name := range names {
		if flags := flagsOf[name]; len(flags) > 0 {
			fmt.Fprintf(w, "      %s) words=%q ;;\n", name, strings.Join(dashed(flags), " "))
		}
	}
	fmt.Fprintf(w, `    esac
  elif [[ " %s " == *" $command "* ]]; then
    words=$("${COMP_WORDS[@]:0:first}" %s "$command" 2>/dev/null | tr '\n' ' ')
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
_protoc_gen_svc_go() {
  if ((COMP_CWORD > 2)) && [[ ${COMP_WORDS[1]} == tool && ${COMP_WORDS[2]} == protoc-gen-svc ]]; then
    _protoc_gen_svc
  elif [[ -n $_protoc_gen_svc_before ]]; then
    "$_protoc_gen_svc_before" "$@"
  fi
}
complete -o default -F _protoc_gen_svc protoc-gen-svc
`, strings.Join(slices.Sorted(maps.Keys(knowing)), " "), namesName)
	// zsh may know go by a completion of its own, which stays.
	fmt.Fprint(w, `[[ -n ${ZSH_VERSION-} && -n ${_comps[go]-} ]] || case $(complete -p go 2>/dev/null) in
  *_protoc_gen_svc_go*) ;;
  *" -F "*)
    _protoc_gen_svc_before=$(complete -p go | sed 's/.* -F \([^ ]*\).*/\1/')
    complete -o default -F _protoc_gen_svc_go go ;;
  "") complete -o default -F _protoc_gen_svc_go go ;;
esac
`)
}

// zsh runs the script of bash.
func zsh(w io.Writer) {
	fmt.Fprint(w, "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n")
	bash(w)
}

// fish knows the program by its name, and below go tool.
func fish(w io.Writer) {
	names, flagsOf := visible()
	for _, under := range []struct{ program, first, run, and string }{
		{program, "__fish_use_subcommand", program, ""},
		{"go", "__fish_seen_subcommand_from " + program + "; and not __fish_seen_subcommand_from " + strings.Join(names, " "), "go tool " + program, "__fish_seen_subcommand_from " + program + "; and "},
	} {
		for _, name := range names {
			c, _ := find(name)
			fmt.Fprintf(w, "complete -c %s -n '%s' -a %s -d '%s'\n", under.program, under.first, name, c.summary)
			behind := under.and + "__fish_seen_subcommand_from " + name
			for _, f := range flagsOf[name] {
				kind := map[string]string{"-": "s", "--": "l"}[dashes(f)] // short, long
				fmt.Fprintf(w, "complete -c %s -n '%s' -%s %s\n", under.program, behind, kind, f.Name)
			}
			if knowing[name] != nil {
				fmt.Fprintf(w, "complete -c %s -n '%s' -a '(%s %s %s 2>/dev/null)'\n", under.program, behind, under.run, namesName, name)
			}
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
