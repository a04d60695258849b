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
func knowing() map[string]func(context.Context, streams) ([]string, error) {
	return map[string]func(context.Context, streams) ([]string, error){
		"completion": func(context.Context, streams) ([]string, error) { return slices.Sorted(maps.Keys(shells())), nil },
		"diff":       func(ctx context.Context, _ streams) ([]string, error) { return contractdiff.Refs(ctx), nil },
		"explain": func(ctx context.Context, s streams) ([]string, error) {
			source, err := contract("", "", "buf.gen.yaml", s)
			if err != nil {
				return nil, err
			}
			groups, err := settings.Read(ctx, source)
			return settings.Names(groups), err
		},
		"help": func(context.Context, streams) ([]string, error) {
			names, _ := visible()
			return names, nil
		},
	}
}

func namesCommand() command {
	return command{
		name:    namesName,
		hidden:  true,
		summary: "print what a command may have as arguments",
		setup: func(*flag.FlagSet) action {
			return func(ctx context.Context, s streams, args []string) error {
				names := knowing()[strings.Join(args, " ")]
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
    compopt +o default 2>/dev/null # no files
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
case $(complete -p go 2>/dev/null) in
  *_protoc_gen_svc_go*) ;;
  *" -F "*)
    _protoc_gen_svc_before=$(complete -p go | sed 's/.* -F \([^ ]*\).*/\1/')
    complete -o default -F _protoc_gen_svc_go go ;;
  "") complete -o default -F _protoc_gen_svc_go go ;;
esac
`, strings.Join(known(), " "), namesName)
}

// zsh does as bash does, and says what commands and flags are.
func zsh(w io.Writer) {
	names, flagsOf := visible()
	fmt.Fprint(w, `(($+functions[compdef])) || { autoload -U compinit && compinit; }
_protoc_gen_svc() {
  local -i first=2
  [[ $words[1] == go ]] && first=4
  local -a all=()
  local command=$words[first]
  if ((CURRENT == first)); then
    all=(
`)
	for _, name := range names {
		c, _ := find(name)
		fmt.Fprintf(w, "      %s\n", quoted(name+":"+c.summary))
	}
	fmt.Fprint(w, `    )
    _describe command all
    return
  fi
  # The value of a flag, of which only its name would be known, may be a file.
  compset -P '--*=' && { _files; return; }
  if [[ $PREFIX == -* ]]; then
    case $command in
`)
	for _, name := range names {
		if len(flagsOf[name]) == 0 {
			continue
		}
		fmt.Fprintf(w, "      %s) all=(\n", name)
		for _, f := range flagsOf[name] {
			_, usage := flag.UnquoteUsage(f)
			fmt.Fprintf(w, "        %s\n", quoted(dashes(f)+f.Name+":"+usage))
		}
		fmt.Fprint(w, "      ) ;;\n")
	}
	fmt.Fprintf(w, `    esac
    _describe flag all
  else
    [[ " %s " == *" $command "* ]] && all=(${(f)"$($words[1,first-1] %s $command 2>/dev/null)"})
    compadd -a all || _files
  fi
}
_protoc_gen_svc_go() {
  if ((CURRENT > 3)) && [[ "$words[2,3]" == "tool protoc-gen-svc" ]]; then
    _protoc_gen_svc
  else
    ${_protoc_gen_svc_before:-_files}
  fi
}
compdef _protoc_gen_svc protoc-gen-svc
if [[ ${_comps[go]-} != _protoc_gen_svc_go ]]; then
  _protoc_gen_svc_before=${_comps[go]-}
  compdef _protoc_gen_svc_go go
fi
`, strings.Join(known(), " "), namesName)
}

// fish has a list of what can come behind what: commands and known arguments without
// files, else with them. What else comes behind go tool is fish's own matter.
func fish(w io.Writer) {
	fmt.Fprint(w, `function __protoc_gen_svc_after
    set -l before (commandline -opc)
    if test "$before[1]" = go
        test "$before[2..3]" = "tool protoc-gen-svc"; or return 1
        set before $before[3..-1]
    end
    test "$before[2]" = "$argv[1]"
end
function __protoc_gen_svc_names
    set -l before (commandline -opc)
    test "$before[1]" = go; and set before go tool protoc-gen-svc; or set before $before[1]
    command $before `+namesName+` $argv[1] 2>/dev/null
end
`)
	names, flagsOf := visible()
	for _, under := range []string{program, "go"} {
		for _, name := range names {
			c, _ := find(name)
			fmt.Fprintf(w, "complete -c %s -n __protoc_gen_svc_after -f -a %s -d %s\n", under, name, quoted(c.summary))
			behind := quoted("__protoc_gen_svc_after " + name)
			for _, f := range flagsOf[name] {
				kind := map[string]string{"-": "s", "--": "l"}[dashes(f)] // short, long
				value, usage := flag.UnquoteUsage(f)
				if value != "" {
					kind = "rF" + kind // it has a value, which may be a file
				}
				fmt.Fprintf(w, "complete -c %s -n %s -%s %s -d %s\n", under, behind, kind, f.Name, quoted(usage))
			}
			if knowing()[name] != nil {
				fmt.Fprintf(w, "complete -c %s -n %s -f -a '(__protoc_gen_svc_names %s)'\n", under, behind, name)
			}
		}
	}
}

// quoted is a text as one word of zsh and of fish. No backslash may be in it.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

func known() []string { return slices.Sorted(maps.Keys(knowing())) }

func dashed(flags []*flag.Flag) []string {
	out := make([]string, 0, len(flags))
	for _, f := range flags {
		out = append(out, dashes(f)+f.Name)
	}
	slices.Sort(out)
	return out
}
