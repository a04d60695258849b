package admin_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/protosvc/protosvc/svc/internal/admin"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// says is a page that gives its name.
func says(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) })
}

// reloaded is a reload that succeeds.
func reloaded(admin.ReloadRequest) admin.ReloadResponse {
	return admin.ReloadResponse{Outcome: admin.Reloaded, Generation: 2, Files: "0123"}
}

// options have every page.
func options(reload func(admin.ReloadRequest) admin.ReloadResponse) admin.Options {
	return admin.Options{
		Service: "order", Version: "1.2",
		Livez: says("livez"), Readyz: says("readyz"), Healthz: says("healthz"), Metrics: says("metrics"),
		Config: func() []byte { return []byte("grpc:\n  port: 1\n") },
		Reload: reload,
	}
}

// serve starts a server on a real socket.
func serve(t *testing.T, o admin.Options) string {
	t.Helper()
	server := httptest.NewServer(admin.Handler(o))
	t.Cleanup(func() { http.DefaultClient.CloseIdleConnections(); server.Close() })
	return server.URL
}

func ask(t *testing.T, method, url string, header ...string) (int, http.Header, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(body)
}

func TestPages(t *testing.T) {
	base := serve(t, options(reloaded))
	for _, c := range []struct {
		method, path string
		code         int
		kind, body   string // body is a part of it
	}{
		{"GET", "/livez", 200, "text/plain; charset=utf-8", "livez"},
		{"GET", "/readyz?verbose", 200, "text/plain; charset=utf-8", "readyz"},
		{"GET", "/healthz", 200, "text/plain; charset=utf-8", "healthz"},
		{"GET", "/metrics", 200, "text/plain; charset=utf-8", "metrics"},
		{"GET", "/config", 200, "application/yaml", "grpc:\n  port: 1\n"},
		{"POST", "/config/reload", 200, "application/json", "{\n  \"outcome\": \"reloaded\",\n  \"generation\": 2,\n  \"files\": \"0123\"\n}\n"},
		{"POST", "/config/reload?dry_run=perhaps", 400, "text/plain; charset=utf-8", "dry_run \"perhaps\" is neither 1 nor 0\n"},
		{"GET", "/buildinfo", 200, "application/json", `"service": "order"`},
		{"GET", "/debug/pprof/", 200, "text/plain; charset=utf-8", "/debug/pprof/goroutine"},
		{"GET", "/debug/pprof/heap", 200, "application/octet-stream", ""},
		{"GET", "/debug/pprof/goroutine?debug=1", 200, "text/plain; charset=utf-8", "goroutine profile"},
		{"GET", "/debug/pprof/cmdline", 200, "text/plain; charset=utf-8", "admin.test"},
		{"GET", "/debug/pprof/heap?gc=1", 200, "application/octet-stream", "\x1f\x8b"}, // gzip
		{"GET", "/debug/pprof/symbol", 404, "text/plain; charset=utf-8", `there is no profile "symbol"`},
		{"GET", "/debug/pprof/profile?seconds=-1", 400, "text/plain; charset=utf-8", `seconds "-1" is not a number`},
		{"GET", "/debug/pprof/trace?seconds=0.01", 200, "application/octet-stream", ""},
		{"GET", "/debug/pprof/profile?seconds=1", 200, "application/octet-stream", ""},
		{"GET", "/nothing", 404, "text/plain; charset=utf-8", ""},
		{"GET", "/config/reload", 405, "text/plain; charset=utf-8", ""},
		{"PUT", "/config/reload", 405, "text/plain; charset=utf-8", ""},
		{"POST", "/config", 405, "text/plain; charset=utf-8", ""},
		{"POST", "/livez", 405, "text/plain; charset=utf-8", ""},
	} {
		code, header, body := ask(t, c.method, base+c.path)
		if code != c.code || header.Get("Content-Type") != c.kind || !strings.Contains(body, c.body) {
			t.Errorf("%s %s: %d, %q\n%.200s", c.method, c.path, code, header.Get("Content-Type"), body)
		}
	}
}

// TestGarbageCollection: it costs a service time, so only the profile that is about
// memory starts one, and only when asked.
func TestGarbageCollection(t *testing.T) {
	base := serve(t, options(reloaded))
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for path, want := range map[string]bool{"heap?gc=1": true, "heap": false, "goroutine?gc=1": false} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		ask(t, "GET", base+"/debug/pprof/"+path)
		runtime.ReadMemStats(&after)
		if collected := after.NumGC != before.NumGC; collected != want {
			t.Errorf("%s: garbage is collected: %t, want %t", path, collected, want)
		}
	}
}

// TestIndex: it lists what there is and nothing else.
func TestIndex(t *testing.T) {
	_, _, all := ask(t, "GET", serve(t, options(reloaded))+"/")
	const want = `order 1.2

GET  /livez           is the process alive
GET  /readyz          can it take calls (?verbose)
GET  /healthz         both, with optional dependencies (?verbose)
GET  /metrics         metrics for Prometheus
GET  /buildinfo       what was built from what
GET  /debug/pprof/    profiles for go tool pprof
GET  /config          effective configuration
POST /config/reload   read the configuration anew (?dry_run=1)
`
	if all != want {
		t.Errorf("got\n%s\nwant\n%s", all, want)
	}

	base := serve(t, admin.Options{Service: "order", Version: "1.2"})
	_, _, few := ask(t, "GET", base+"/")
	if strings.Contains(few, "livez") || strings.Contains(few, "config") || !strings.Contains(few, "pprof") {
		t.Errorf("without options:\n%s", few)
	}
	for _, path := range []string{"/livez", "/metrics", "/config", "/config/reload"} {
		if code, _, _ := ask(t, "GET", base+path); code != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, code)
		}
	}
}

// TestNoProfiles: none is served under any address, and the answer says why.
func TestNoProfiles(t *testing.T) {
	base := serve(t, admin.Options{Service: "order", Version: "1.2", NoProfiles: true})
	if _, _, index := ask(t, "GET", base+"/"); strings.Contains(index, "pprof") {
		t.Errorf("the index has\n%s", index)
	}
	for _, path := range []string{"", "heap", "profile?seconds=0.01", "trace?seconds=0.01", "cmdline", "goroutine?debug=1", "a/b"} {
		code, _, body := ask(t, "GET", base+"/debug/pprof/"+path)
		if code != http.StatusNotFound || !strings.Contains(body, "(svc.v1.service).go_runtime.profiles") {
			t.Errorf("/debug/pprof/%s: %d\n%.200s", path, code, body)
		}
	}
}

func TestReloadFaults(t *testing.T) {
	base := serve(t, options(func(admin.ReloadRequest) admin.ReloadResponse {
		return admin.ReloadResponse{Outcome: admin.Refused, Generation: 1, Files: "0123", Faults: []admin.Fault{
			{File: "config.yaml", Line: 2, Column: 1, Message: "unknown key \"gprc\""},
			{Variable: "ORDER_GRPC_PORT", Message: "must be < 65536"},
			{Message: "service.seconds: must be greater than 0"},
		}}
	}))
	code, _, body := ask(t, "POST", base+"/config/reload")
	const want = `{
  "outcome": "refused",
  "generation": 1,
  "files": "0123",
  "faults": [
    {
      "file": "config.yaml",
      "line": 2,
      "column": 1,
      "message": "unknown key \"gprc\""
    },
    {
      "variable": "ORDER_GRPC_PORT",
      "message": "must be < 65536"
    },
    {
      "message": "service.seconds: must be greater than 0"
    }
  ]
}
`
	if code != http.StatusUnprocessableEntity || body != want {
		t.Errorf("got %d\n%s", code, body)
	}
}

// A dry run says so, and its body is what is to be checked; without one the file is.
func TestDryRun(t *testing.T) {
	var asked []string
	base := serve(t, options(func(req admin.ReloadRequest) admin.ReloadResponse {
		asked = append(asked, fmt.Sprintf("%t %q %t", req.DryRun, req.Text, req.Text == nil))
		return admin.ReloadResponse{Outcome: admin.Valid}
	}))
	for _, c := range []struct{ query, body string }{{"?dry_run=1", "a: 1\n"}, {"?dry_run=true", ""}, {"?dry_run=0", "a: 1\n"}, {"", "a: 1\n"}} {
		res, err := http.Post(base+"/config/reload"+c.query, "application/yaml", strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
	want := []string{`true "a: 1\n" false`, `true "" true`, `false "" true`, `false "" true`}
	if !slices.Equal(asked, want) {
		t.Errorf("got %q, want %q", asked, want)
	}
}

// TestReloadFromAnotherSite: a page in an operator's browser must not reach it.
func TestReloadFromAnotherSite(t *testing.T) {
	base := serve(t, options(func(admin.ReloadRequest) admin.ReloadResponse { t.Error("reloaded"); return admin.ReloadResponse{} }))
	code, _, _ := ask(t, "POST", base+"/config/reload", "Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site")
	if code != http.StatusForbidden {
		t.Errorf("got %d, want 403", code)
	}
}

func TestBuildInfo(t *testing.T) {
	_, _, body := ask(t, "GET", serve(t, options(nil))+"/buildinfo")
	var got map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if got["version"] != "1.2" || !strings.HasPrefix(fmt.Sprint(got["go"]), "go1.") {
		t.Errorf("got %s", body)
	}
}

func ExampleHandler() {
	server := httptest.NewServer(admin.Handler(admin.Options{
		Service: "order",
		Version: "1.2",
		Config:  func() []byte { return []byte("drain_delay: 5s\n") },
	}))
	defer server.Close()
	response, err := http.Get(server.URL + "/config")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	fmt.Print(string(body))
	// Output:
	// drain_delay: 5s
}
