package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// stopTimeout is how long what runs may take to end.
const stopTimeout = 30 * time.Second

// running is what make run says of a service: its name, and where gRPC and HTTP/JSON are.
var running = regexp.MustCompile(`^(\S+): gRPC (\S+), HTTP/JSON http://([^,]+),`)

// pageAddresses are those of page 8 of the guide, by service and protocol.
var pageAddresses = map[string][]string{
	"note": {"localhost:9090", "localhost:8080"},
	"task": {"localhost:9190", "localhost:8180"},
}

// allRun is the line of make run that says that calls may be made.
const allRun = "All run. Ctrl-C stops them.\n"

// serve starts all services and notes where they listen. What it returns stops them by
// the signal that Ctrl-C in a terminal is: to make, and to what it has started.
func (d *day) serve() (stop func() error, err error) {
	const line = "make run"
	d.now().commands++
	cmd := d.prepare(line + " 2>&1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	d.addresses = map[string]string{}
	lines, said, text := bufio.NewReader(out), "", ""
	for err == nil && text != allRun {
		text, err = lines.ReadString('\n')
		said += text
		if m := running.FindStringSubmatch(text); m != nil {
			for i, address := range pageAddresses[m[1]] {
				d.addresses[address] = m[2+i]
			}
		}
	}
	stop = func() error {
		kill := time.AfterFunc(stopTimeout, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		defer kill.Stop()
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) // fails if it has ended
		rest, err := io.ReadAll(lines)
		_ = cmd.Wait() // make says that it was interrupted
		if err != nil || !strings.Contains(string(rest), "\nAll stopped.\n") {
			return fmt.Errorf("$ %s\n%s%s\ninterrupted, it does not say that all stopped (%v)", line, said, rest, err)
		}
		return nil
	}
	if want := 2 * len(pageAddresses); text != allRun || len(d.addresses) != want {
		return nil, errors.Join(fmt.Errorf("$ %s\n%s%d of %d addresses are known (%v)", line, said, len(d.addresses), want, err), stop())
	}
	return stop, nil
}
