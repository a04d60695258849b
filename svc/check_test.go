package svc

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/protosvc/protosvc/svc/client"
)

// The check finds all faults at once, and neither opens a port or a file, nor
// connects to anything.
func TestCheckWithoutStart(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	connected := make(chan bool, 1)
	go func() {
		_, err := listener.Accept()
		connected <- err == nil
	}()
	dir := t.TempDir()
	t.Setenv("GREETER_DATABASE_URLL", "x")
	t.Setenv("GREETER_SERVICE_HOST", "10.0.0.1")
	s := greeter(t, hello)
	s.Callees = []*Callee{
		{Key: "near", Spec: client.Spec{Service: "test.v1.Near", Target: "passthrough:///" + listener.Addr().String()}},
		{Key: "far", Spec: client.Spec{Service: "test.v1.Far", Target: "dns:///far"}},
	}
	s.HTTPCallees = []*HTTPCallee{{Name: "web", URL: "http://web", Timeout: time.Second}}
	check := func(text string) (int, string) {
		t.Helper()
		path := filepath.Join(dir, "config.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		return run(s, Options{}, []string{"--check-config", "--config", path}, &out, &out), out.String()
	}
	code, out := check("lsten: {}\nlisten: {grpc: ':70000', admin: '127.0.0.1'}\ndatabase: {url: 'mysql://x'}\ncallees: {far: {target: 'dns:///far:http:1'}, near: {balance: random}}\nhttp_callees: {web: {url: 'ftp://x'}}\n")
	for _, want := range []string{
		"1:1: unknown key \"lsten\"",
		"environment variable GREETER_DATABASE_URLL: there is no such setting (did you mean GREETER_DATABASE_URL)",
		"listen.grpc has the port 70000, which is not from 0 to 65535",
		"listen.admin is not an address",
		"database.url: database URL has the unknown scheme \"mysql\"",
		"callees.far: client of test.v1.Far: its target is not an address of gRPC",
		"callees.near: client of test.v1.Near: balance \"random\" is unknown",
		"http_callees.web: client of web: its URL is not one of http or https",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the check does not say %q", want)
		}
	}
	if code != exitFault || strings.Count(out, "\n") != 8 {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if err := os.Unsetenv("GREETER_DATABASE_URLL"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "new.db")
	if code, out := check(fmt.Sprintf("listen: {grpc: '%s'}\ndatabase: {url: 'sqlite:%s'}\n", listener.Addr(), file)); code != exitOK {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the check made the database")
	}
	_ = listener.Close()
	if <-connected {
		t.Error("the check connected to a callee")
	}
}

func TestCheckAddresses(t *testing.T) {
	for _, test := range []struct {
		grpc, http, admin string
		want              []string
	}{
		{":9090", "", ":9091", nil},
		{":0", ":0", ":0", nil},
		{"127.0.0.1:1", "", "127.0.0.2:1", nil},
		{"0.0.0.0:1", "", "[::1]:1", nil},
		{"a:1", "", "b:1", nil},
		{"[::1]:http", "[fe80::1%eth0]:1", "localhost:65535", nil},
		{":1", ":1", ":1", []string{"listen.http and listen.grpc have the same port 1", "listen.admin and listen.grpc have", "listen.admin and listen.http have"}},
		{"127.0.0.1:1", "", ":1", []string{"listen.admin and listen.grpc have the same port 1"}},
		{":1", "", "name:1", []string{"have the same port 1"}},
		{"[::]:1", "", "0.0.0.0:1", []string{"have the same port 1"}},
		{"0.0.0.0:1", "", "127.0.0.1:1", []string{"have the same port 1"}},
		{"localhost:1", "", "127.0.0.1:1", []string{"have the same port 1"}},
		{"name:80", "", "name:http", []string{"have the same port 80"}},
		{"9090", "", ":65536", []string{"listen.grpc is not an address", "listen.admin has the port 65536"}},
		{":-1", "", ":nonsense", []string{"listen.grpc has the port -1", "listen.admin has a port that is neither"}},
		{"a/b:1", "", "http://host:1", []string{"listen.grpc has a host that is neither", "listen.admin is not an address"}},
	} {
		var got []string
		Listen{GRPC: test.grpc, HTTP: test.http, Admin: test.admin}.check(func(wrong bool, key, format string, args ...any) {
			if wrong {
				got = append(got, fmt.Errorf(key+format, args...).Error())
			}
		})
		same := len(got) == len(test.want)
		for i := range min(len(got), len(test.want)) {
			same = same && strings.Contains(got[i], test.want[i])
		}
		if !same {
			t.Errorf("%q, %q, %q: %q, want %q", test.grpc, test.http, test.admin, got, test.want)
		}
	}
}

// A port that is taken is told before the database is touched.
func TestPortsBeforeMigrations(t *testing.T) {
	taken := start(t, greeter(t, hello), Options{})
	for name, listen := range map[string]Listen{
		"gRPC port: ":  {GRPC: taken.GRPC, HTTP: "127.0.0.1:0", Admin: "127.0.0.1:0"},
		"HTTP port: ":  {GRPC: "127.0.0.1:0", HTTP: taken.GRPC, Admin: "127.0.0.1:0"},
		"admin port: ": {GRPC: "127.0.0.1:0", HTTP: "127.0.0.1:0", Admin: taken.GRPC},
	} {
		file := filepath.Join(t.TempDir(), "new.db")
		s := posts(t)
		s.Settings.Listen, s.Settings.Database.URL = listen, "sqlite:"+file
		if err := Run(t.Context(), s, Options{}); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("Run = %v, want %q…", err, name)
		}
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%sis told after the database was made", name)
		}
	}
}
