package health_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/internal/health"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDown = errors.New("connection refused")

func fine(context.Context) error { return nil }
func down(context.Context) error { return errDown }

// slow takes as long as it may.
func slow(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func TestPages(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(c *health.Checker)
		path    string
		accept  string
		code    int
		body    string
	}{
		"alive without checks":       {func(*health.Checker) {}, "/livez", "", 200, "ok"},
		"alive":                      {func(c *health.Checker) { c.Alive("loop", fine) }, "/livez?verbose", "", 200, "[+]loop ok\nlivez check passed\n"},
		"dead":                       {func(c *health.Checker) { c.Alive("loop", down) }, "/livez", "", 503, "[-]loop failed: connection refused\nlivez check failed\n"},
		"alive without its database": {func(c *health.Checker) { c.Require("database", 0, down) }, "/livez", "", 200, "ok"},
		"starting": {func(c *health.Checker) { c.Require("database", 0, fine) }, "/readyz", "", 503,
			"[-]startup failed: the start has not finished\n[+]database ok\nreadyz check failed\n"},
		"started":             {func(c *health.Checker) { c.Started(); c.Require("database", 0, fine) }, "/readyz", "", 200, "ok"},
		"dead is not unready": {func(c *health.Checker) { c.Started(); c.Alive("loop", down) }, "/readyz", "", 200, "ok"},
		"required": {func(c *health.Checker) { c.Started(); c.Require("database", 0, down); c.Require("user", 0, fine) }, "/readyz", "", 503,
			"[+]startup ok\n[-]database failed: connection refused\n[+]user ok\nreadyz check failed\n"},
		"optional": {func(c *health.Checker) { c.Started(); c.Optional("cache", 0, down) }, "/readyz", "", 200, "ok"},
		"optional in words": {func(c *health.Checker) { c.Started(); c.Optional("cache", 0, down) }, "/readyz?verbose", "", 200,
			"[+]startup ok\n[!]cache degraded: connection refused\nreadyz check passed\n"},
		"stopping": {func(c *health.Checker) { c.Started(); c.Stopping(); c.Started(); c.Require("database", 0, fine) }, "/readyz", "", 503,
			"[-]shutdown failed: the process is stopping\nreadyz check failed\n"},
		"everything": {func(c *health.Checker) { c.Started(); c.Alive("loop", fine); c.Require("database", 0, fine) }, "/healthz?verbose", "", 200,
			"[+]loop ok\n[+]startup ok\n[+]database ok\nhealthz check passed\n"},
		"panic": {func(c *health.Checker) { c.Alive("loop", func(context.Context) error { panic("oops") }) }, "/livez", "", 503,
			"[-]loop failed: panic: oops\nlivez check failed\n"},
		"JSON": {func(c *health.Checker) { c.Started(); c.Optional("cache", 0, down) }, "/readyz", "application/json", 200,
			`{"status":"degraded","checks":[{"name":"startup","status":"ok"},{"name":"cache","status":"degraded","error":"connection refused"}]}` + "\n"},
		"JSON of nothing": {func(*health.Checker) {}, "/livez", "text/html, application/json;q=0.9", 200, `{"status":"ok","checks":[]}` + "\n"},
		"JSON of a fault": {func(c *health.Checker) { c.Alive("loop", down) }, "/livez", "application/json", 503,
			`{"status":"failed","checks":[{"name":"loop","status":"failed","error":"connection refused"}]}` + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var checker health.Checker
			c.prepare(&checker)
			got := get(&checker, c.path, c.accept)
			if got.Code != c.code || got.Body.String() != c.body {
				t.Errorf("got %d\n%s\nwant %d\n%s", got.Code, got.Body, c.code, c.body)
			}
		})
	}
}

func get(c *health.Checker, path, accept string) *httptest.ResponseRecorder {
	mux := http.NewServeMux()
	mux.Handle("/livez", c.Livez())
	mux.Handle("/readyz", c.Readyz())
	mux.Handle("/healthz", c.Healthz())
	request := httptest.NewRequest(http.MethodGet, path, nil)
	request.Header.Set("Accept", accept)
	recorder := httptest.NewRecorder()
	mux.ServeHTTP(recorder, request)
	return recorder
}

// TestTimeouts: each dependency has its own, and they run at the same time.
func TestTimeouts(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var c health.Checker
		c.Started()
		c.Require("a", time.Second, slow)
		c.Require("b", 3*time.Second, slow)
		c.Require("c", 0, slow)
		begin := time.Now()
		got := c.Ready(t.Context())
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("took %s, want that of the slowest, 3s", took)
		}
		for i, want := range []string{"<nil>", "timeout after 1s", "timeout after 3s", "timeout after 2s"} {
			if err := fmt.Sprint(got[i].Err); err != want {
				t.Errorf("%s: %s, want %s", got[i].Name, err, want)
			}
		}
	})
}

// TestProbesShareChecks: many probes at the same time, and some after, make one
// check; its result lasts for MaxAge.
func TestProbesShareChecks(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := health.Checker{MaxAge: 5 * time.Second}
		var calls atomic.Int32
		c.Alive("loop", func(context.Context) error {
			calls.Add(1)
			time.Sleep(time.Second)
			return nil
		})
		ask := func(probes int, want int32) {
			t.Helper()
			var all sync.WaitGroup
			for range probes {
				all.Go(func() {
					if s := c.Live(t.Context()).Status(); s != health.OK {
						t.Errorf("status %s", s)
					}
				})
			}
			all.Wait()
			if n := calls.Load(); n != want {
				t.Errorf("%d checks so far, want %d", n, want)
			}
		}
		ask(100, 1)
		time.Sleep(5 * time.Second)
		ask(100, 1)
		time.Sleep(time.Nanosecond)
		ask(100, 2)
	})
}

// TestDeafCheck: one that ignores its context is reported, and not started again
// while it hangs.
func TestDeafCheck(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var c health.Checker
		var calls atomic.Int32
		c.Alive("deaf", func(context.Context) error {
			calls.Add(1)
			time.Sleep(time.Minute)
			return nil
		})
		for range 3 {
			if err := c.Live(t.Context())[0].Err; err == nil || err.Error() != "timeout after 2s" {
				t.Errorf("err = %v", err)
			}
			time.Sleep(10 * time.Second)
		}
		time.Sleep(time.Minute)
		if n := calls.Load(); n != 1 {
			t.Errorf("%d checks, want 1", n)
		}
	})
}

// TestProbeThatGoesAway does not wait, and does not spoil the result of others.
func TestProbeThatGoesAway(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var c health.Checker
		c.Alive("loop", func(ctx context.Context) error { time.Sleep(time.Second); return ctx.Err() })
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := c.Live(ctx)[0].Err; !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v", err)
		}
		if err := c.Live(t.Context())[0].Err; err != nil {
			t.Errorf("err = %v", err)
		}
	})
}

func ExampleChecker() {
	var c health.Checker
	c.Require("database", time.Second, func(context.Context) error { return nil })
	c.Optional("cache", time.Second, func(context.Context) error { return errors.New("connection refused") })
	c.Started()

	recorder := httptest.NewRecorder()
	c.Readyz().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/readyz?verbose", nil))
	fmt.Println(recorder.Code)
	fmt.Print(recorder.Body)
	// Output:
	// 200
	// [+]startup ok
	// [+]database ok
	// [!]cache degraded: connection refused
	// readyz check passed
}

// A report does not wait for what the service can do without: the probe that
// asks has a timeout too.
func TestOptionalDoesNotDelay(t *testing.T) {
	c := new(health.Checker)
	release := make(chan struct{})
	c.Optional("cache", time.Minute, func(ctx context.Context) error {
		select {
		case <-release:
			return errors.New("connection refused")
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	c.Started()
	if report := c.Ready(t.Context()); report.Status() != health.Degraded || report[1].Err == nil || report[1].Err.Error() != "no answer yet" {
		t.Errorf("Ready while the check hangs = %v", report)
	}
	close(release)
	for { // until the answer is there
		if report := c.Ready(t.Context()); report[1].Err.Error() == "connection refused" {
			break
		}
	}
}
