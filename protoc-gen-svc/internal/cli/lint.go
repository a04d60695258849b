package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/sync"
)

// checkPlugin has the rules about contracts that are not about their working. It
// is a program of its own, so that this one need not link what buf asks of it.
const checkPlugin = "buf-plugin-svc"

func lintCommand() command {
	return command{
		name:      "lint",
		arguments: "[PATH]...",
		summary:   "run buf lint, and make sure that it has the rules of protosvc",
		help: `
Runs "buf lint" over the project, or over the files and folders that are named.
The rules are those that buf.yaml chooses, buf's own too; it is a fault when
buf.yaml does not name the check plugin buf-plugin-svc. Run it where buf.yaml is.`,
		setup: func(flags *flag.FlagSet) action {
			buf := bufFlag(flags)
			format := flags.String("error-format", "text", "`FORMAT` of the findings, as buf has it; json names the rules")
			asJSON := flags.Bool("json", false, "print JSON, as --error-format=json: an object a line")
			return func(ctx context.Context, s streams, paths []string) error {
				if err := checkWired("buf.yaml"); err != nil {
					return err
				}
				line, err := sync.Buf{Command: strings.Fields(*buf)}.Line()
				if err != nil {
					return err
				}
				if *asJSON {
					*format = "json"
				}
				line = append(line, "lint", "--error-format="+*format)
				for _, path := range paths {
					line = append(line, "--path="+path)
				}
				return runLint(ctx, s, line)
			}
		},
	}
}

// checkWired makes sure that buf runs the check plugin. That its rules are in use
// is something that buf itself warns of.
func checkWired(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var config struct {
		Plugins []struct{ Plugin any }
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, p := range config.Plugins {
		// A name, or a command with its arguments.
		words := strings.Fields(strings.Trim(fmt.Sprint(p.Plugin), "[]"))
		if slices.ContainsFunc(words, func(word string) bool { return filepath.Base(word) == checkPlugin }) {
			return nil
		}
	}
	return fmt.Errorf(`%[1]s does not name the check plugin %[2]s: run "go get -tool github.com/protosvc/protosvc/%[2]s", and add SVC to lint.use and

plugins:
  - plugin: [go, tool, %[2]s]`, name, checkPlugin)
}

func runLint(ctx context.Context, s streams, line []string) error {
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Stdout, cmd.Stderr = s.out, s.err
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%s is not in PATH: say how to run buf with --buf", line[0])
	}
	if err != nil {
		return fmt.Errorf("buf lint: %w", err)
	}
	return nil
}
