package outside_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startTimeout is how long a service may take to be ready.
const startTimeout = 20 * time.Second

// addresses are where a service says that it listens.
type addresses struct {
	Msg, GRPC, HTTP, Admin string
}

// start runs the service on free ports of the loopback and stops it when the
// test ends: by SIGTERM, to which it must answer with exit code 0.
func start(t *testing.T, binary, config string) addresses {
	t.Helper()
	cmd := exec.Command(binary, "--config="+config)
	cmd.Env = append(os.Environ(),
		"STOCK_LISTEN_GRPC=127.0.0.1:0", "STOCK_LISTEN_HTTP=127.0.0.1:0", "STOCK_LISTEN_ADMIN=127.0.0.1:0",
		"STOCK_STOP_DRAIN_DELAY=0s")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready, log := make(chan addresses, 1), make(chan string, 1)
	go func() { log <- follow(stderr, ready) }()
	t.Cleanup(func() { stop(t, cmd, log) })
	select {
	case at := <-ready:
		return at
	case text := <-log:
		log <- text
		t.Fatalf("the service ended at once")
	case <-time.After(startTimeout):
		t.Fatalf("the service is not ready after %v", startTimeout)
	}
	return addresses{}
}

// follow reads the log until the process ends, returns it, and sends the
// addresses as soon as they are known.
func follow(stderr io.Reader, ready chan<- addresses) string {
	var text strings.Builder
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		text.WriteString(lines.Text() + "\n")
		var line addresses
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "ready" {
			ready <- line
		}
	}
	return text.String()
}

// stop ends the process. One that does not stop is killed, and a failure.
func stop(t *testing.T, cmd *exec.Cmd, log <-chan string) {
	_ = cmd.Process.Signal(syscall.SIGTERM) // fails if it has ended; Wait tells
	killed := time.AfterFunc(startTimeout, func() { _ = cmd.Process.Kill() })
	defer killed.Stop()
	text := <-log
	if err := cmd.Wait(); err != nil {
		t.Errorf("the service ended with: %v", err)
	}
	if t.Failed() {
		t.Logf("log of the service:\n%s", text)
	}
}
