package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// process is a program that runs until it is stopped.
type process struct {
	name, log string
	cmd       *exec.Cmd
	ended     chan struct{}
}

// niceness is what programs of the cluster yield to its pods: here they share their
// processors with all of a control plane and two nodes, and each thread of those would
// weigh as much as four pods. Processes of pods have it as well, which is of no account:
// each pod has a cgroup, and its weight.
const niceness = "10"

// start starts a program that writes its log, NAME.log, into a folder. It ends with this
// one, too, if this one is killed.
func start(folder, name, binary string, args ...string) (*process, error) {
	p := &process{name: name, log: filepath.Join(folder, name+".log"), ended: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	p.cmd = exec.Command("nice", slices.Concat([]string{"--adjustment", niceness, binary}, args)...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// stop ends the program and waits until it is gone.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// until asks again and again until the answer is no error. It gives up when the program
// has ended.
func (p *process) until(ctx context.Context, ready func(context.Context) error) error {
	var last error // that is not of the end of ctx
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w: %w", p.name, context.Cause(ctx), last)
		case <-p.ended:
			return fmt.Errorf("%s has ended: %v\n%s", p.name, p.cmd.ProcessState, p.tail())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// within is until, for so long at the most.
func (p *process) within(ctx context.Context, most time.Duration, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, most, fmt.Errorf("not so after %v", most))
	defer cancel()
	return p.until(ctx, ready)
}

// tail is the end of the log.
func (p *process) tail() string {
	const most = 4000
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}
