package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// A cluster lives in namespaces of processes, mounts and network of its own. The kernel
// ends all of it with the first of its processes, however that ends. What is left then
// are the two things that have no namespace: cgroups, and kernel parameters that the
// kubelet sets.

// confine runs this program again, with other arguments, as the first process of such
// namespaces.
func confine(ctx context.Context, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	folder, err := cache("e2e")
	if err != nil {
		return err
	}
	unlock, err := lock(filepath.Join(folder, "lock"))
	if err != nil {
		return err
	}
	defer unlock()
	saved := filepath.Join(folder, "parameters")
	if err := restore(saved); err != nil { // of a run that was killed
		return err
	}
	if err := save(saved); err != nil {
		return err
	}
	before, err := traces()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC,
		Setpgid:    true, // a signal of the terminal is for this process, which then ends the other
		Pdeathsig:  syscall.SIGKILL,
	}
	runtime.LockOSThread() // the other dies with the thread that starts it
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return errors.Join(err, restore(saved))
	}
	first := filepath.Join(folder, firstProcess)
	err = errors.Join(os.WriteFile(first, fmt.Appendln(nil, cmd.Process.Pid), 0o644), cmd.Wait())
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return errors.Join(err, os.Remove(first), restore(saved), before.compare())
}

// firstProcess is a file with the id of the first process of a cluster, as the processes
// outside of it have it.
const firstProcess = "process"

// lock takes a lock that no other run has.
func lock(path string) (unlock func(), err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: another cluster is running: %w", path, err)
	}
	return func() { _ = f.Close() }, nil
}

// parameters are those that a kubelet sets when it starts.
var parameters = []string{
	"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
	"kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
}

// save writes the values of the parameters into a file.
func save(path string) error {
	lines, err := parameterLines()
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600)
}

// parameterLines are the names and values of the parameters that this kernel has.
func parameterLines() (lines []string, err error) {
	for _, name := range parameters {
		value, err := os.ReadFile(filepath.Join("/proc/sys", name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		lines = append(lines, fmt.Sprintf("%s %s\n", name, strings.TrimSpace(string(value))))
	}
	return lines, nil
}

// restore gives the parameters the values of the file again and removes it, and the
// cgroups. Without a file there is nothing to restore.
func restore(path string) error {
	lines, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(lines)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		parameter := filepath.Join("/proc/sys", name)
		now, err := os.ReadFile(parameter)
		if err != nil {
			return err
		}
		if strings.TrimSpace(string(now)) == value {
			continue
		}
		if err := os.WriteFile(parameter, []byte(value), 0); err != nil {
			return err
		}
	}
	if err := removeCgroups(); err != nil {
		return err
	}
	return os.Remove(path)
}

// cgroup is the one below which those of the pods are, for each node.
const cgroup = "protosvc-e2e"

// hierarchies are the folders of all hierarchies of cgroups: one in version 2, one for
// each controller in version 1.
func hierarchies() ([]string, error) {
	const root = "/sys/fs/cgroup"
	if _, err := os.Stat(filepath.Join(root, "cgroup.controllers")); err == nil {
		return []string{root}, nil
	}
	return filepath.Glob(root + "/*")
}

// makeCgroups makes those of the nodes.
func makeCgroups(nodes []*node) error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		for _, n := range nodes {
			if err := os.MkdirAll(filepath.Join(root, cgroup, n.name), 0o755); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeCgroups removes all of them, when the last processes in them have gone.
func removeCgroups() error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		top := filepath.Join(root, cgroup)
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			err := removeTree(top)
			if err == nil {
				break
			}
			if time.Now().After(end) {
				return err
			}
		}
	}
	return nil
}

// removeTree removes a cgroup and those below it. Its files are the kernel's.
func removeTree(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeTree(filepath.Join(folder, e.Name())); err != nil {
				return err
			}
		}
	}
	return syscall.Rmdir(folder)
}

// The addresses of a cluster. Its network is no one else's and leads nowhere.
const (
	controlAddress = "10.99.0.1" // API server and databases
	nodeAddress    = "10.99.0.1%d"
	podNetwork     = "10.98.0.0/16"
)

// furnish makes the namespaces that this process is the first of a place for a cluster.
func furnish(nodes []*node) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mounts of its own: %w", err)
	}
	for _, m := range []struct{ kind, at string }{
		{"proc", "/proc"},     // of the new processes
		{"tmpfs", "/run"},     // everything that the cluster writes
		{"tmpfs", "/var/log"}, // where the kubelet makes folders whatever its settings say
	} {
		if err := syscall.Mount(m.kind, m.at, m.kind, 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	commands := [][]string{
		{"link", "set", "lo", "up"},
		// Both ends here: what asks for an interface with an address and a way out finds
		// one.
		{"link", "add", "e2e", "type", "veth", "peer", "name", "nowhere"},
		{"link", "set", "e2e", "up"},
		{"link", "set", "nowhere", "up"},
		{"address", "add", controlAddress + "/24", "dev", "e2e"},
	}
	for _, n := range nodes {
		commands = append(commands, []string{"address", "add", n.address + "/24", "dev", "e2e"})
	}
	commands = append(commands, []string{"route", "add", "default", "dev", "e2e"})
	for _, args := range commands {
		if err := command(context.Background(), "", "ip", args...); err != nil {
			return err
		}
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0)
}
