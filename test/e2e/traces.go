package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// traceSet is what a cluster could leave on a machine.
type traceSet map[string]bool

// traces finds what there is outside of the namespaces of a cluster: processes in
// namespaces of their own, mounts, namespaces and interfaces of the network, rules of
// iptables, cgroups of nodes, kernel parameters.
func traces() (traceSet, error) {
	all := traceSet{}
	for what, find := range map[string]func() ([]string, error){
		"process":           strangers,
		"mount":             mounts,
		"network namespace": files("/run/netns/*"),
		"interface":         files("/sys/class/net/*"),
		"rule of iptables":  rules,
		"cgroup":            files("/sys/fs/cgroup/"+cgroup, "/sys/fs/cgroup/*/"+cgroup),
		"parameter":         parameterLines,
	} {
		found, err := find()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		for _, f := range found {
			all[what+" "+strings.TrimSpace(f)] = true
		}
	}
	return all, nil
}

// compare is an error if there is more now.
func (before traceSet) compare() error {
	now, err := traces()
	if err != nil {
		return err
	}
	maps.DeleteFunc(now, func(trace string, _ bool) bool { return before[trace] })
	if len(now) == 0 {
		return nil
	}
	return fmt.Errorf("the cluster left behind:\n  %s", strings.Join(slices.Sorted(maps.Keys(now)), "\n  "))
}

func files(patterns ...string) func() ([]string, error) {
	return func() (all []string, err error) {
		for _, pattern := range patterns {
			found, err := filepath.Glob(pattern)
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		}
		return all, nil
	}
}

// strangers are the processes in other namespaces of processes than this one.
func strangers() (all []string, err error) {
	const namespace = "ns/pid"
	own, err := os.Readlink(filepath.Join("/proc/self", namespace))
	if err != nil {
		return nil, err
	}
	found, err := filepath.Glob("/proc/[0-9]*")
	for _, process := range found {
		of, gone := os.Readlink(filepath.Join(process, namespace))
		name, _ := os.ReadFile(filepath.Join(process, "comm"))
		if gone == nil && of != own {
			all = append(all, fmt.Sprintf("%s %s", filepath.Base(process), strings.TrimSpace(string(name))))
		}
	}
	return all, err
}

// mounts are the places where something is mounted.
func mounts() (all []string, err error) {
	lines, err := os.ReadFile("/proc/self/mounts")
	for line := range strings.Lines(string(lines)) {
		if fields := strings.Fields(line); len(fields) > 2 {
			all = append(all, fields[1]+" "+fields[2])
		}
	}
	return all, err
}

// rules are those of iptables, if the program is there.
func rules() (all []string, err error) {
	const program = "iptables-save"
	if _, err := exec.LookPath(program); err != nil {
		return nil, nil
	}
	out, err := exec.Command(program).Output()
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "-A") {
			all = append(all, strings.TrimSpace(line))
		}
	}
	return all, err
}
