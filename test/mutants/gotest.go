package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// verdict is what tests say of a mutant.
type verdict string

const (
	killed   verdict = "killed"
	hung     verdict = "hung" // killed, too, by the end of its time
	survived verdict = "survived"
	invalid  verdict = "invalid" // does not compile
)

// goTest is one run of tests.
type goTest struct {
	tests
	root string
	// overlay names the changed files.
	overlay string
	timeout time.Duration
	// patience is what go test may take besides, which ends its tests itself.
	patience time.Duration
}

// patience is enough for a build from nothing.
const patience = 5 * time.Minute

// do tests, and says what came of it. An error is one of the machinery.
func (g goTest) do(ctx context.Context) (verdict, error) {
	limited, cancel := context.WithTimeout(ctx, g.timeout+g.patience)
	defer cancel()
	// What vet says is not a test's saying.
	args := []string{"test", "-count=1", "-failfast", "-vet=off", "-timeout=" + g.timeout.String(), "-run=" + g.run}
	if g.short {
		args = append(args, "-short")
	}
	cmd := exec.CommandContext(limited, "go", append(args, "./"+g.pkg)...)
	cmd.Dir = g.root
	cmd.WaitDelay = 10 * time.Second // a test's own processes may outlive it
	// By the environment, so that it reaches what the tests build themselves.
	cmd.Env = append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" '-overlay="+g.overlay+"'")
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return invalid, ctx.Err()
	}
	if limited.Err() != nil {
		return hung, nil // a whole run is not given up for one mutant
	}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return invalid, err
	}
	return judgement(string(out))
}

// judgement reads what go test prints of one package.
func judgement(out string) (verdict, error) {
	for line := range strings.Lines(out) {
		switch {
		case strings.HasPrefix(line, "ok  \t") && !strings.Contains(line, "[no test"):
			return survived, nil
		case !strings.HasPrefix(line, "FAIL\t"):
		case strings.Contains(line, "[build failed]"):
			return invalid, nil
		case strings.Contains(line, "[setup failed]"):
		case strings.Contains(out, "panic: test timed out after "):
			return hung, nil
		default:
			return killed, nil
		}
	}
	return invalid, fmt.Errorf("go test says nothing of tests:\n%s", out)
}
