//go:build unix

package svc

import (
	"bufio"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// SIGHUP reloads as POST /config/reload does, and the log has the outcome.
func TestHangUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, "service: {seconds: 7}\n")
	r := &running{Addresses: Addresses{GRPC: free(t), Admin: free(t)}}
	cmd, log := process(t, r.Addresses, path)
	if err := log.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(log)
	r.waitReady(t)
	var last logged
	for _, step := range []struct{ file, level, msg, fault, inForce string }{
		{"service: {seconds: 9}\n", "INFO", "config reloaded", "", "seconds: 9"},
		{"service: {secs: 9}\n", "ERROR", "config not reloaded", `unknown key "secs"`, "seconds: 9"},
		{"stop: {budget: 4s}\n", "ERROR", "config not reloaded", "restart", "seconds: 9"},
		{"{}\n", "INFO", "config reloaded", "", "seconds: 3"},
	} {
		write(t, path, step.file)
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		line := lineAbout(t, lines, "config ")
		for line == last { // the file was looked at before the signal came, or after it
			line = lineAbout(t, lines, "config ")
		}
		last = line
		if line.Level != step.level || line.Msg != step.msg || !strings.Contains(line.Error, step.fault) {
			t.Errorf("%s: the log says %+v", step.file, line)
		}
		if _, dump := r.admin(t, http.MethodGet, "/config"); !strings.Contains(dump, step.inForce) {
			t.Errorf("%s: in force is\n%s", step.file, dump)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the process ended with %v", err)
	}
}

// logged is what tests look at in a line of the log.
type logged struct{ Level, Msg, Error string }

// lineAbout is the next line whose message begins like that.
func lineAbout(t *testing.T, lines *bufio.Scanner, msg string) (line logged) {
	t.Helper()
	for lines.Scan() {
		line = logged{}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%v in %s", err, lines.Bytes())
		}
		if strings.HasPrefix(line.Msg, msg) {
			return line
		}
	}
	t.Fatalf("the log ended before %q: %v", msg, lines.Err())
	return line
}
