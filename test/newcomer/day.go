package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/protosvc/protosvc/internal/testfolder"
	"github.com/protosvc/protosvc/test/guide"
)

// day is what the newcomer has in front of them, and what they have done.
type day struct {
	ctx          context.Context
	root, folder string
	dir          string            // where commands run
	tools        string            // is first in PATH
	addresses    map[string]string // where services listen, by what the guide has for it
	done         []*tally
}

// tally counts what was done in a part.
type tally struct {
	part     string
	took     time.Duration
	commands int
	lines    map[string]int // written by hand, by file
}

// equip puts the programs that are wanted into PATH: buf, by README.md, and grpcurl, by
// page 8 of the guide.
func (d *day) equip() error {
	d.tools = filepath.Join(d.folder, "tools")
	if err := os.Mkdir(d.tools, 0o755); err != nil {
		return err
	}
	buf := filepath.Join(d.root, "bin/buf")
	if _, err := os.Stat(buf); err != nil {
		return fmt.Errorf("%w (make bin/buf builds it)", err)
	}
	find := exec.CommandContext(d.ctx, "go", "tool", "-n", "grpcurl")
	find.Dir = filepath.Join(d.root, "test")
	grpcurl, err := find.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", find, err)
	}
	for name, program := range map[string]string{"buf": buf, "grpcurl": strings.TrimSpace(string(grpcurl))} {
		if err := os.Symlink(program, filepath.Join(d.tools, name)); err != nil {
			return err
		}
	}
	return nil
}

// play does the parts, and prints a line for each.
func (d *day) play(parts []part) error {
	for _, p := range parts {
		now := &tally{part: p.name, lines: map[string]int{}}
		d.done = append(d.done, now)
		began := time.Now()
		err := p.do(d)
		now.took = time.Since(began)
		if err != nil {
			fmt.Printf("FAIL  %s\n", p.name)
			return fmt.Errorf("%s: %w", p.name, err)
		}
		fmt.Printf("ok    %s (%.1f s)\n", p.name, now.took.Seconds())
	}
	return nil
}

// now is the tally of the part that is played.
func (d *day) now() *tally { return d.done[len(d.done)-1] }

// enter goes into a folder, which may be new.
func (d *day) enter(name string) error {
	d.dir = filepath.Join(d.folder, name)
	return os.MkdirAll(d.dir, 0o755)
}

// follow does what a page of the guide says, in the module of the project, with those of
// its commands that are wanted.
func (d *day) follow(page string, wanted func(guide.Command) bool) error {
	text, err := os.ReadFile(filepath.Join(d.root, "docs/guide", page))
	if err != nil {
		return err
	}
	blocks, err := guide.Parse(strings.ReplaceAll(string(text), guideModule, module))
	if err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	for _, b := range blocks {
		if b.Language != "console" {
			if err := d.write(b); err != nil {
				return fmt.Errorf("%s: %w", page, err)
			}
			continue
		}
		for _, c := range guide.Commands(b.Text) {
			if !wanted(c) {
				continue
			}
			if err := d.command(c); err != nil {
				return fmt.Errorf("%s: %w", page, err)
			}
		}
	}
	return nil
}

// write makes a file or changes it, or compares it with what is quoted of it.
func (d *day) write(b guide.Block) error {
	name := filepath.Join(d.dir, b.File)
	old, err := os.ReadFile(name)
	if err != nil && (b.Quoted || b.Language == "diff") {
		return err
	}
	text, err := b.Apply(string(old))
	if err != nil || b.Quoted {
		return err
	}
	d.now().lines[name] += typedLines(b)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(text), 0o644)
}

// typedLines are those of a whole file, or those that a diff adds.
func typedLines(b guide.Block) int {
	if b.Language == "diff" {
		return len(regexp.MustCompile(`(?m)^\+`).FindAllString(b.Text, -1))
	}
	return strings.Count(b.Text, "\n")
}

// console does what a block of the console shows.
func (d *day) console(text string) error {
	for _, c := range guide.Commands(text) {
		if err := d.command(c); err != nil {
			return err
		}
	}
	return nil
}

// typed runs the commands of a block without output.
func (d *day) typed(commands string) error {
	for line := range strings.Lines(strings.ReplaceAll(commands, "\\\n", "\\\r")) {
		if err := d.command(guide.Command{Line: strings.ReplaceAll(line, "\\\r", "\\\n")}); err != nil {
			return err
		}
	}
	return nil
}

// command runs a command, which must succeed and say what is shown.
func (d *day) command(c guide.Command) error {
	d.now().commands++
	cmd := d.prepare(c.Line)
	said, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("$ %s%w\n%s", c.Line, err, said)
	}
	return c.Compare(string(said))
}

// prepare makes a process of a line. It has a group of its own, which ends with ctx.
func (d *day) prepare(line string) *exec.Cmd {
	cmd := exec.CommandContext(d.ctx, "bash", "-eo", "pipefail", "-c", d.local(line))
	cmd.Dir = d.dir
	cmd.Env = append(testfolder.Environment(d.dir), "PATH="+d.tools+string(os.PathListSeparator)+os.Getenv("PATH"),
		"GOWORK=off", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=New", "GIT_AUTHOR_EMAIL=new@example.com", "GIT_COMMITTER_NAME=New", "GIT_COMMITTER_EMAIL=new@example.com")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = stopTimeout
	return cmd
}

// local has the addresses where services listen in place of the guide's.
func (d *day) local(line string) string {
	return regexp.MustCompile(`localhost:\d+`).ReplaceAllStringFunc(line, func(address string) string {
		if at := d.addresses[address]; at != "" {
			return at
		}
		return address
	})
}
