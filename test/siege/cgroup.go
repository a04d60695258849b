package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cgroup bounds and measures the memory of a replica. Of version 1 and 2, the files have
// different names.
type cgroup struct {
	dir     string // empty: there is none, and the memory of a process is watched
	version int
}

const (
	cgroupName = "protosvc-siege-"
	hierarchy1 = "/sys/fs/cgroup/memory"
	hierarchy2 = "/sys/fs/cgroup"
)

// newCgroup makes a cgroup with a limit, or one that only watches where it cannot.
func newCgroup(limit int64) (cgroup, error) {
	c := cgroup{version: 2}
	root := hierarchy2
	if _, err := os.Stat(filepath.Join(hierarchy2, "cgroup.controllers")); err != nil {
		c.version, root = 1, hierarchy1
	}
	old, _ := filepath.Glob(filepath.Join(root, cgroupName+"*"))
	for _, dir := range old { // of runs that were killed; one with processes stays
		_ = syscall.Rmdir(dir)
	}
	dir := filepath.Join(root, cgroupName+strconv.Itoa(os.Getpid()))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return cgroup{}, err
	}
	c.dir = dir
	if c.version == 1 {
		// The second has the kernel count what sockets hold. Version 2 counts it as memory.
		return c.set(map[string]int64{"memory.limit_in_bytes": limit, "memory.kmem.tcp.limit_in_bytes": 1 << 40})
	}
	_ = os.WriteFile(filepath.Join(root, "cgroup.subtree_control"), []byte("+memory"), 0)
	_, _ = c.write("memory.swap.max", 0) // there may be no swap
	return c.set(map[string]int64{"memory.max": limit})
}

// set writes the settings. Without them there shall be no cgroup.
func (c cgroup) set(settings map[string]int64) (cgroup, error) {
	for name, n := range settings {
		if _, err := c.write(name, n); err != nil {
			return cgroup{}, errors.Join(err, c.remove())
		}
	}
	return c, nil
}

func (c cgroup) write(name string, n int64) (int, error) {
	f, err := os.OpenFile(filepath.Join(c.dir, name), os.O_WRONLY, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return fmt.Fprint(f, n)
}

// procs is the file that takes the ids of processes: /dev/null without a cgroup.
func (c cgroup) procs() string {
	if c.dir == "" {
		return os.DevNull
	}
	return filepath.Join(c.dir, "cgroup.procs")
}

// usage is what the replica holds: without the pages of files that can be dropped at any
// time, as the kubelet counts it; and what its sockets hold, where that is not part of it.
type usage struct{ memory, sockets int64 }

func (c cgroup) usage(pid int) usage {
	switch {
	case c.dir == "":
		return usage{memory: resident(pid)}
	case c.version == 1:
		return usage{c.number("memory.usage_in_bytes") - c.value("memory.stat", "total_inactive_file"), c.number("memory.kmem.tcp.usage_in_bytes")}
	}
	return usage{memory: c.number("memory.current") - c.value("memory.stat", "inactive_file")}
}

// kills is how often the kernel killed a process for the limit.
func (c cgroup) kills() int64 {
	if c.version == 1 {
		return c.value("memory.oom_control", "oom_kill")
	}
	return c.value("memory.events", "oom_kill")
}

func (c cgroup) number(name string) int64 {
	text, _ := os.ReadFile(filepath.Join(c.dir, name))
	n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n
}

// value is that of a line of a file.
func (c cgroup) value(name, key string) (n int64) {
	text, _ := os.ReadFile(filepath.Join(c.dir, name))
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), key+" "); ok {
			n, _ = strconv.ParseInt(rest, 10, 64)
		}
	}
	return n
}

// resident is the memory of a process.
func resident(pid int) int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	var all, pages int64
	_, _ = fmt.Sscan(string(text), &all, &pages)
	return pages * int64(os.Getpagesize())
}

// remove removes it when the last process in it has gone.
func (c cgroup) remove() (err error) {
	if c.dir == "" {
		return nil
	}
	for range 100 {
		if err = syscall.Rmdir(c.dir); err == nil || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		_ = sleep(context.Background(), 50*time.Millisecond)
	}
	return fmt.Errorf("%s: %w", c.dir, err)
}
