package admin_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/protosvc/protosvc/internal/reload"
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
func reloaded(reload.Request) reload.Response {
	return reload.Response{Outcome: reload.Reloaded, State: reload.State{Generation: 2, Files: "0123"}}
}

// options have every page.
func options(do func(reload.Request) reload.Response) admin.Options {
	return admin.Options{
		Service: "order", Version: "1.2",
		Livez: says("livez"), Readyz: says("readyz"), Healthz: says("healthz"), Metrics: says("metrics"),
		Config: func() []byte { return []byte("grpc:\n  port: 1\n") },
		Reload: do,
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
	return askWith(t, method, url, "", header...)
}

func askWith(t *testing.T, method, url, body string, header ...string) (int, http.Header, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
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
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(answer)
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
		{"POST", "/config/reload", 200, "application/json", "{\n  \"outcome\": \"reloaded\",\n  \"generation\": 2,\n  \"files\": \"0123\",\n"},
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
		{"GET", "/config/hold", 405, "text/plain; charset=utf-8", ""},
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
GET  /config/reload   which configuration is in force, and what the files are now
POST /config/reload   read the configuration anew (?dry_run=1)
POST /config/hold     do not reload by yourself (?for=1m)
POST /config/undo     put in force what was before (?files=HASH)
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
	base := serve(t, options(func(reload.Request) reload.Response {
		return reload.Response{Outcome: reload.Refused, State: reload.State{Generation: 1, Files: "0123", Found: "4567", Names: []string{"config.yaml"}}, Faults: []reload.Fault{
			{File: "config.yaml", Line: 2, Column: 1, Message: "unknown key \"gprc\""},
			{Variable: "ORDER_GRPC_PORT", Message: "must be < 65536"},
			{Message: "listen.grpc: cannot change", Restart: true},
		}}
	}))
	code, _, body := ask(t, "POST", base+"/config/reload")
	const want = `{
  "outcome": "refused",
  "generation": 1,
  "files": "0123",
  "since": "0001-01-01T00:00:00Z",
  "found": "4567",
  "names": [
    "config.yaml"
  ],
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
      "restart": true,
      "message": "listen.grpc: cannot change"
    }
  ]
}
`
	if code != http.StatusUnprocessableEntity || body != want {
		t.Errorf("got %d\n%s", code, body)
	}
}

// What a request asks for. The body of a dry run is what is to be checked; without one the
// files are.
func TestReloadRequests(t *testing.T) {
	var asked reload.Request
	base := serve(t, options(func(req reload.Request) reload.Response {
		asked = req
		return reload.Response{}
	}))
	for _, c := range []struct {
		method, path, kind, body string
		want                     reload.Request
	}{
		{"GET", "reload", "", "", reload.Request{Action: reload.Look}},
		{"POST", "reload", "", "a: 1\n", reload.Request{Action: reload.Load}},
		{"POST", "reload?dry_run=0", "", "a: 1\n", reload.Request{Action: reload.Load}},
		{"POST", "reload?dry_run=true", "", "", reload.Request{Action: reload.Check}},
		{"POST", "reload?dry_run=1", "application/yaml", "a: 1\n", reload.Request{Action: reload.Check, Texts: map[string][]byte{"": []byte("a: 1\n")}}},
		{"POST", "reload?dry_run=1", "application/json; charset=utf-8", `{"config.prod.yaml": "a: 1\n"}`,
			reload.Request{Action: reload.Check, Texts: map[string][]byte{"config.prod.yaml": []byte("a: 1\n")}}},
		{"POST", "hold?for=1m", "", "", reload.Request{Action: reload.Hold, For: time.Minute}},
		{"POST", "hold?for=0s", "", "", reload.Request{Action: reload.Hold}},
		{"POST", "undo?files=0123", "", "", reload.Request{Action: reload.Undo, Files: "0123"}},
	} {
		asked = reload.Request{}
		code, _, body := askWith(t, c.method, base+"/config/"+c.path, c.body, "Content-Type", c.kind)
		if code != http.StatusOK || !reflect.DeepEqual(asked, c.want) {
			t.Errorf("%s %s: %d %s%+v, want %+v", c.method, c.path, code, body, asked, c.want)
		}
	}
	for path, want := range map[string]string{
		"reload?dry_run=maybe": "dry_run \"maybe\" is neither 1 nor 0\n",
		"hold":                 "for \"\" is not a duration from 0s to 10m0s\n",
		"hold?for=-1s":         "for \"-1s\" is not a duration from 0s to 10m0s\n",
		"hold?for=11m":         "for \"11m\" is not a duration from 0s to 10m0s\n",
		"undo":                 "files has to be the hash of what is to be undone\n",
	} {
		if code, _, body := ask(t, "POST", base+"/config/"+path); code != http.StatusBadRequest || body != want {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	code, _, body := askWith(t, "POST", base+"/config/reload?dry_run=1", "a: 1", "Content-Type", "application/json")
	if code != http.StatusBadRequest || !strings.HasPrefix(body, "the body is not a JSON object of files by their names: ") {
		t.Errorf("%d %s", code, body)
	}
}

// TestReloadFromAnotherSite: a page in an operator's browser must not reach it.
func TestReloadFromAnotherSite(t *testing.T) {
	base := serve(t, options(func(reload.Request) reload.Response { t.Error("reloaded"); return reload.Response{} }))
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
