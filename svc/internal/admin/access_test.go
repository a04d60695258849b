package admin_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/protosvc/protosvc/internal/reload"
	"github.com/protosvc/protosvc/svc/internal/admin"
)

// guarded are the pages that not everybody gets, open those that everybody does.
var (
	guarded = []string{"GET /config", "POST /config/reload", "POST /config/reload?dry_run=1", "GET /config/reload", "POST /config/hold?for=1m", "POST /config/undo?files=x", "GET /debug/pprof/", "GET /debug/pprof/heap", "GET /debug/pprof/cmdline", "GET /debug/pprof/none"}
	open    = []string{"GET /", "GET /livez", "GET /readyz", "GET /healthz", "GET /metrics", "GET /buildinfo"}
)

const (
	onlyLocal = "without admin.token_file this page is only for clients on the same machine"
	noToken   = "this page needs the header Authorization: Bearer TOKEN"
	bad       = "this is not the token of the admin port"
	elsewhere = "10.0.0.7:40000"
	here      = "127.0.0.1:40000"
)

// asked answers a request as if it came from a peer.
func asked(handler http.Handler, page, peer, host string, header http.Header) *httptest.ResponseRecorder {
	method, path, _ := strings.Cut(page, " ")
	r := httptest.NewRequest(method, path, nil)
	r.RemoteAddr, r.Host = peer, host
	if header != nil {
		r.Header = header
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func bearer(token string) http.Header { return http.Header{"Authorization": {token}} }

// TestAccess: who gets the guarded pages. Everybody gets the others.
func TestAccess(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	token, empty, large := file("token", " 0123456789abcdef\n"), file("empty", " \n"), file("large", strings.Repeat("x", 4097))
	missing := filepath.Join(dir, "missing")
	for _, test := range []struct {
		name, tokenFile, peer, host string
		header                      http.Header
		code                        int
		answer                      string
	}{
		{"here", "", here, "localhost:9091", nil, 200, ""},
		{"here by address", "", here, "127.0.0.1:9091", nil, 200, ""},
		{"here without a port", "", here, "LocalHost", nil, 200, ""},
		{"here, IPv6", "", "[::1]:40000", "[::1]:9091", nil, 200, ""},
		{"here, IPv6 without a port", "", "[::1]:40000", "[::1]", nil, 200, ""},
		{"here, IPv4 in IPv6", "", "[::ffff:127.0.0.1]:40000", "localhost", nil, 200, ""},
		{"elsewhere", "", elsewhere, "localhost", nil, 403, onlyLocal},
		{"elsewhere with some token", "", elsewhere, "order:9091", bearer("Bearer "), 403, onlyLocal},
		{"no address", "", "@", "localhost", nil, 403, onlyLocal},
		{"rebound name", "", here, "evil.example:9091", nil, 403, onlyLocal + ", as localhost or 127.0.0.1 and not by another name"},
		{"address of another", "", here, "10.0.0.1", nil, 403, onlyLocal + ", as localhost or 127.0.0.1 and not by another name"},
		{"through a proxy", "", here, "localhost", http.Header{"X-Forwarded-For": {"10.0.0.7"}}, 403, onlyLocal + ", not for what a proxy passes on"},
		{"through a standard proxy", "", here, "localhost", http.Header{"Forwarded": {"for=10.0.0.7"}}, 403, onlyLocal + ", not for what a proxy passes on"},
		{"through a cache", "", here, "localhost", http.Header{"Via": {"1.1 cache"}}, 403, onlyLocal + ", not for what a proxy passes on"},

		{"no file yet, here", missing, here, "localhost", nil, 200, ""},
		{"no file yet, elsewhere", missing, elsewhere, "order", bearer("Bearer "), 403, onlyLocal},

		{"the token", token, elsewhere, "order:9091", bearer("Bearer 0123456789abcdef"), 200, ""},
		{"the token, the scheme in other letters", token, elsewhere, "order", bearer("bearer 0123456789abcdef"), 200, ""},
		{"no token", token, elsewhere, "order", nil, 401, noToken},
		{"no token, here", token, here, "localhost", nil, 401, noToken},
		{"another scheme", token, elsewhere, "order", bearer("Basic 0123456789abcdef"), 401, noToken},
		{"no scheme", token, elsewhere, "order", bearer("0123456789abcdef"), 401, noToken},
		{"another token", token, here, "localhost", bearer("Bearer 0123456789abcdeg"), 401, bad},
		{"its beginning", token, here, "localhost", bearer("Bearer 0123456789abcde"), 401, bad},
		{"more than it", token, here, "localhost", bearer("Bearer 0123456789abcdef0"), 401, bad},
		{"an empty one", token, here, "localhost", bearer("Bearer "), 401, bad},

		{"empty file", empty, here, "localhost", bearer("Bearer "), 503, "the token of the admin port cannot be read: the log says why"},
		{"large file", large, here, "localhost", nil, 503, "the token of the admin port cannot be read: the log says why"},
		{"folder", dir, here, "localhost", nil, 503, "the token of the admin port cannot be read: the log says why"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := options(reloaded)
			o.TokenFile = test.tokenFile
			handler := admin.Handler(o)
			for _, page := range guarded {
				got := asked(handler, page, test.peer, test.host, test.header)
				if test.code == http.StatusOK {
					if got.Code == 401 || got.Code == 403 || got.Code == 503 {
						t.Errorf("%s: %d, %s", page, got.Code, got.Body)
					}
					continue
				}
				if got.Code != test.code || got.Body.String() != test.answer+"\n" {
					t.Errorf("%s: %d, %q; want %d, %q", page, got.Code, got.Body, test.code, test.answer)
				}
				if challenge := got.Header().Get("WWW-Authenticate"); (challenge == "Bearer") != (test.code == 401) {
					t.Errorf("%s: challenge %q beside %d", page, challenge, test.code)
				}
			}
			for _, page := range open {
				if got := asked(handler, page, test.peer, test.host, test.header); got.Code != http.StatusOK {
					t.Errorf("%s: %d, %s; is for everybody", page, got.Code, got.Body)
				}
			}
		})
	}
}

// TestRefusedDoesNothing: no reload, and a line for the first of many refusals.
func TestRefusedDoesNothing(t *testing.T) {
	var log bytes.Buffer
	reloads := 0
	o := options(func(reload.Request) reload.Response { reloads++; return reload.Response{} })
	o.Log = slog.New(slog.NewJSONHandler(&log, nil))
	handler := admin.Handler(o)
	for range 100 {
		asked(handler, "POST /config/reload", elsewhere, "order", nil)
	}
	if reloads != 0 {
		t.Errorf("%d reloads", reloads)
	}
	const want = `"msg":"the admin port refuses a request","path":"/config/reload","peer":"10.0.0.7:40000","reason":"` + onlyLocal + `"}`
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, want) {
		t.Errorf("the log is %s", got)
	}
}

// TestTokenRotates: a new token holds from the next request on, and the old one no longer;
// a Secret that appears or goes does so too.
func TestTokenRotates(t *testing.T) {
	o := options(reloaded)
	o.TokenFile = filepath.Join(t.TempDir(), "token")
	handler := admin.Handler(o)
	expect := func(when, token string, want int) {
		t.Helper()
		if got := asked(handler, "GET /config", here, "localhost", bearer("Bearer "+token)); got.Code != want {
			t.Errorf("%s: %q is answered with %d, want %d", when, token, got.Code, want)
		}
	}
	put := func(token string) {
		t.Helper()
		if err := os.WriteFile(o.TokenFile, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	expect("before", "first", 200)
	put("first")
	expect("first", "first", 200)
	expect("first", "second", 401)
	put("second")
	expect("second", "first", 401)
	expect("second", "second", 200)
	if err := os.Remove(o.TokenFile); err != nil {
		t.Fatal(err)
	}
	expect("after", "second", 200)
}
