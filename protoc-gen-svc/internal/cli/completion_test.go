package cli

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// completions are lines as far as they are typed, and what a tab key finds for their
// last words.
var completions = []struct{ line, want string }{
	{"protoc-gen-svc s", "sync"},
	{"protoc-gen-svc he", "help"},
	{"protoc-gen-svc b", ""},       // files are nothing there
	{"protoc-gen-svc capture", ""}, // hidden
	{"protoc-gen-svc sync --de", "--descriptor-set"},
	{"protoc-gen-svc protos -", "--third-party-only -v"},
	{"protoc-gen-svc protos thi", "third_party"},
	{"protoc-gen-svc explain or", "order order/GetOrder"},
	{"protoc-gen-svc explain --js", "--json"},
	{"protoc-gen-svc explain --json use", "user"},
	{"protoc-gen-svc explain --template bu", "buf.gen.yaml"},
	{"protoc-gen-svc explain --template=bu", "buf.gen.yaml"},
	{"protoc-gen-svc diff ma", "main"},
	{"protoc-gen-svc diff main v", "v1.0.0"},
	{"protoc-gen-svc completion ", "bash fish zsh"},
	{"protoc-gen-svc help ex", "explain"},
	{"go tool protoc-gen-svc s", "sync"},
	{"go tool protoc-gen-svc sync --de", "--descriptor-set"},
	{"go tool protoc-gen-svc diff ma", "main"},
	{"go tool protoc-gen-svc explain order/", "order/GetOrder"},
	{"go tool ve", "vet"}, // as before
}

// players are programs of the shells. Each runs the script, the file $SCRIPT, as the
// shell does for a tab key: twice, as for who starts a shell in a shell, and where go has
// a completion. Then it prints what is found for each of the lines in $TYPED, and a line
// with "end".
var players = map[string]string{
	// Readline asks for files where nothing is found and no compopt has forbidden it.
	"bash": `compopt() { [[ "$*" == "+o default" ]] && files=; }
_go() { COMPREPLY=(vet); }
complete -F _go go
source "$SCRIPT"; source "$SCRIPT"
while IFS= read -r line; do
  IFS=' ' read -ra COMP_WORDS <<<"${line//=/ = }"
  [[ $line == *" " ]] && COMP_WORDS+=("")
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=() files=yes
  read -ra spec <<<"$(complete -p "${COMP_WORDS[0]}")" # complete -o default -F FUNCTION NAME
  "${spec[4]}"
  [[ -n $files ]] && ((!${#COMPREPLY[@]})) && COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
  printf '%s\n' "${COMPREPLY[@]}" end
done <<<"$TYPED"
`,
	// zsh completes for a terminal only, which zpty is one of.
	"zsh": `cat >"$HOME/inner" <<'INNER'
autoload -U compinit && compinit -D
_vet() { compadd vet }
compdef _vet go
source "$SCRIPT"; source "$SCRIPT"
compadd() {
  local -a flags=(${@[1,(i)--]}) found
  [[ -n ${flags[(r)-[OAD]]-} ]] || { builtin compadd -O found "$@"; print -rl -- $found >>"$HOME/found"; }
  builtin compadd "$@"
}
setopt no_auto_menu no_beep
play() {
  for line in "${(f)TYPED}"; do
    BUFFER=$line CURSOR=$#line
    zle complete-word
    print end >>"$HOME/found"
  done
  exit
}
zle -N play
bindkey X play
INNER
zmodload zsh/zpty
zpty inner "zsh -f -i"
zpty -w inner 'source $HOME/inner'
zpty -w -n inner X
while zpty -r inner; do :; done >/dev/null
cat "$HOME/found"
`,
	"fish": `source $SCRIPT; source $SCRIPT
for line in (string split \n -- $TYPED)
    complete -C $line | string replace -r '\t.*' ''
    echo end
end
`,
}

// TestCompletion plays the script of each shell that is installed.
func TestCompletion(t *testing.T) {
	t.Chdir(t.TempDir())
	home := t.TempDir()
	for name, text := range map[string]string{
		home + "/bin/protoc-gen-svc": `#!/bin/sh
case "$*" in
  "complete-names explain") printf '%s\n' user order order/GetOrder ;;
  "complete-names diff") printf '%s\n' main v1.0.0 ;;
  "complete-names completion") printf '%s\n' bash fish zsh ;;
  "complete-names help") printf '%s\n' diff explain help ;;
esac
`,
		home + "/bin/go":   "#!/bin/sh\nshift\nexec \"$@\"\n", // go tool
		"third_party/file": "",
		"buf.gen.yaml":     "",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var lines []string
	for _, c := range completions {
		lines = append(lines, c.line)
	}
	for shell := range shells() {
		t.Run(shell, func(t *testing.T) {
			if _, err := exec.LookPath(shell); err != nil {
				t.Skipf("%s is not installed", shell)
			}
			var script, errors bytes.Buffer
			if exit := Main([]string{"completion", shell}, &script, &errors); exit != exitOK {
				t.Fatalf("exit code %d: %s", exit, &errors)
			}
			file := filepath.Join(t.TempDir(), "script")
			if err := os.WriteFile(file, script.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			play := exec.CommandContext(ctx, shell, "-c", players[shell])
			play.Env = []string{
				"HOME=" + home, "XDG_CONFIG_HOME=" + home, "PATH=" + home + "/bin" + string(os.PathListSeparator) + os.Getenv("PATH"),
				"TERM=dumb", "LC_ALL=C", "SCRIPT=" + file, "TYPED=" + strings.Join(lines, "\n"),
			}
			out, err := play.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			found := strings.Split(string(out), "end\n")
			if len(found) != len(lines)+1 || found[len(lines)] != "" {
				t.Fatalf("want the answers of %d lines, got:\n%s", len(lines), out)
			}
			for i, c := range completions {
				if got := offered(found[i]); got != c.want {
					t.Errorf("%q completes to %q, want %q", c.line, got, c.want)
				}
			}
		})
	}
}

// offered are the words that a shell found, without what shells do not agree on: their
// order, what stands behind folders, and whether the name of a flag is said again.
func offered(found string) string {
	words := strings.Fields(found)
	for i, word := range words {
		if _, value, ok := strings.Cut(word, "="); ok {
			word = value
		}
		words[i] = strings.TrimSuffix(word, "/")
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// TestCompletionScripts: every command for people is in the script of each shell,
// and shells that are there accept it.
func TestCompletionScripts(t *testing.T) {
	for shell := range shells() {
		var script, errors bytes.Buffer
		if exit := Main([]string{"completion", shell}, &script, &errors); exit != exitOK {
			t.Fatalf("exit code %d: %s", exit, &errors)
		}
		for _, c := range commands() {
			if c.name != namesName && strings.Contains(script.String(), c.name) == c.hidden {
				t.Errorf("%s: command %s is missing, or is hidden and is there", shell, c.name)
			}
		}
		if _, err := exec.LookPath(shell); err != nil {
			t.Logf("%s is not installed: its script is not tried", shell)
			continue
		}
		check := exec.Command(shell, "-n")
		check.Stdin = &script
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s -n: %v\n%s", shell, err, out)
		}
	}
}

// TestNamesCommand: what the scripts ask for, where there is a repository and where not.
func TestNamesCommand(t *testing.T) {
	names := func(command string) (string, int) {
		var out, errors bytes.Buffer
		exit := Main([]string{namesName, command}, &out, &errors)
		return out.String() + errors.String(), exit
	}
	t.Chdir(t.TempDir())
	if got, exit := names("diff"); got != "" || exit != exitOK {
		t.Errorf("without a repository: %q, exit code %d", got, exit)
	}
	if got, exit := names("explain"); !strings.Contains(got, "open buf.gen.yaml: ") || exit != exitFault {
		t.Errorf("without a contract: %q, exit code %d", got, exit)
	}
	if got, exit := names("completion"); got != "bash\nfish\nzsh\n" || exit != exitOK {
		t.Errorf("of shells: %q, exit code %d", got, exit)
	}
	if got, exit := names("help"); !strings.HasPrefix(got, "init\n") || strings.Contains(got, namesName) || exit != exitOK {
		t.Errorf("of commands: %q, exit code %d", got, exit)
	}
	if got, exit := names("sync"); !strings.Contains(got, `nothing is known about "sync"`) || exit != exitUsage {
		t.Errorf("of sync: %q, exit code %d", got, exit)
	}
	for _, args := range []string{"init -q -b main", "-c user.name=a -c user.email=a@b commit -q --allow-empty -m a", "tag v1.0.0", "branch feature/x"} {
		if out, err := exec.Command("git", strings.Fields(args)...).CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", args, err, out)
		}
	}
	if got, exit := names("diff"); got != "feature/x\nmain\nv1.0.0\n" || exit != exitOK {
		t.Errorf("in a repository: %q, exit code %d", got, exit)
	}
}
