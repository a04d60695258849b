package system_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/protosvc/protosvc/internal/system"
)

// The environment variables that make the test binary a parent, see parent.
const (
	parentVariable = "SYSTEM_TEST_PARENT_DIR"
	binVariable    = "SYSTEM_TEST_PARENT_BIN"
)

// parent starts a system, prints the ids of its processes in one line, and waits
// to be killed.
func parent(dir string) int {
	bin = os.Getenv(binVariable)
	sys, err := system.Start(context.Background(), options(dir))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(sys.User.PID(), sys.Payment.PID(), sys.Order.PID())
	select {}
}

func TestProcessesDieWithTheirParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ties a process to its parent")
	}
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentVariable+"="+t.TempDir(), binVariable+"="+bin)
	parent.Stderr = os.Stderr
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if killed := parent.Process.Kill(); err != nil || killed != nil {
		t.Fatalf("the parent printed %q, %v; kill: %v", line, err, killed)
	}
	var exit *exec.ExitError
	if err := parent.Wait(); !errors.As(err, &exit) {
		t.Fatal(err)
	}
	pids := strings.Fields(line)
	if len(pids) != 3 {
		t.Fatalf("the parent printed %q", line)
	}
	for _, text := range pids {
		pid, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "process "+text+" is gone", func() bool { return !running(pid) })
	}
}

// running reports whether the process lives. One that has ended and that nobody
// has waited for does not.
func running(pid int) bool {
	if err := syscall.Kill(pid, 0); err != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(stat), ") ")
	return err == nil && !strings.HasPrefix(state, "Z")
}
