package svc

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/protosvc/protosvc/svc/client"
)

// A password in the configuration comes out nowhere, whatever else is wrong with
// it: not from the check, not from a start, not from a reload, not from the log.
func TestPasswordsStayInside(t *testing.T) {
	const password = "hunter2"
	shapes := []string{
		"database: hunter2", "database: 'postgres://u:hunter2@h/d'", "database: ['postgres://u:hunter2@h/d']", "database: {url: hunter2}",
		"database: {url: 'hunter2:x'}", "database: {url: 'host=db password=hunter2'}", "database: {url: 'host=db password=hunter2:x'}",
		"database: {url: 'mysql://u:hunter2@h/d'}", "database: {url: ['hunter2']}", "database: {url: *hunter2 }", "database: {max_connections: 'postgres://u:hunter2@h/d'}",
		"database: {url: 'postgres://u:hunter2%zz@h/d'}", "database: {url: 'postgres://u:hunter2@a:b/d'}",
		"http_callees: {x: {url: 'ftp://u:hunter2@h'}}", "http_callees: {x: 'http://u:hunter2@h'}", "http_callees: {x: {url: 'http://u:hunter2%zz@h'}}",
		"listen: {http: 'http://u:hunter2@h'}", "listen: {grpc: 'http://u:hunter2@h'}", "listen: {admin: 'u:hunter2@h'}", "listen: {grpc: 'u@hunter2:1'}",
		"callees: {y: {target: 'http://u:hunter2@h'}}", "callees: {y: {target: 'u:hunter2@h'}}", "callees: {y: {target: 'dns://u:hunter2@h'}}",
		"callees: {y: {target: 'dns:///u:hunter2%zz@h'}}", "callees: {y: {target: 'mysql://hunter2'}}",
		"service: {seconds: 'http://u:hunter2@h'}", "service: hunter2",
	}
	path := filepath.Join(t.TempDir(), "config.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	x := &HTTPCallee{Name: "x", URL: "http://u:hunter2@127.0.0.1", Timeout: 1}
	s := greeter(t, nil)
	s.HTTPCallees = []*HTTPCallee{x}
	s.Callees = []*Callee{{Key: "y", Spec: client.Spec{Service: "test.v1.Y", Target: "dns:///y"}}}
	s.Start = Start(&greeterDesc, func(app *App) *App {
		app.DialHTTP(x)
		return app
	}, hello, newGreetServer)
	write("")
	r := start(t, s, Options{Config: path})
	for _, shape := range shapes {
		write(shape)
		var out bytes.Buffer
		run(s, Options{}, []string{"--config", path, "--check-config"}, &out, &out)
		checked := out.Len()
		if run(s, Options{}, []string{"--config", path}, &out, &out) != exitFault || checked == 0 || out.Len() == checked {
			t.Errorf("%s: was taken: %s", shape, &out)
		}
		_, answer := r.admin(t, http.MethodPost, "/config/reload")
		_, dump := r.admin(t, http.MethodGet, "/config")
		if dump == "" || answer == "" {
			t.Errorf("%s: no answer", shape)
		}
		if all := out.String() + answer + dump; strings.Contains(all, password) {
			t.Errorf("%s\n=> %s", shape, all)
		}
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	if log := r.log.String(); strings.Contains(log, password) || !strings.Contains(log, "ready") {
		t.Errorf("the log: %s", log)
	}
}

// The token file of the settings is the one that the admin port asks for.
func TestAdminTokenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := start(t, greeter(t, hello), Options{Environ: []string{"GREETER_ADMIN_TOKEN_FILE=" + path}})
	if code, body := r.admin(t, http.MethodGet, "/config"); code != http.StatusUnauthorized {
		t.Errorf("/config without the token is answered with %d, %s", code, body)
	}
	if code, body := r.admin(t, http.MethodGet, "/livez"); code != http.StatusOK {
		t.Errorf("/livez is answered with %d, %s", code, body)
	}
}
