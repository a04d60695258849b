package svc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/client"
)

// A handler that goes on after its call was cut, as at a second signal, still has
// its database, and has returned when Run has.
func TestNoHandlerOutlivesRun(t *testing.T) {
	entered, ended := make(chan struct{}), make(chan error, 1)
	hard, cut := context.WithCancel(context.Background())
	r := start(t, greeter(t, func(app *App) (greet, error) {
		store, err := hello(app)
		return func(ctx context.Context, in *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
			close(entered)
			<-ctx.Done()
			<-time.After(100 * time.Millisecond) // what it has left to do; a tenth of what it may take
			_, err := store(context.WithoutCancel(ctx), in)
			ended <- err
			return nil, err
		}, err
	}), Options{Hard: hard})
	called := make(chan struct{})
	go func() {
		defer close(called)
		if _, err := r.call(t, "late"); err == nil {
			t.Error("a call that was cut succeeded")
		}
	}()
	<-entered
	cut()
	if err := r.stop(); err != nil {
		t.Errorf("Run = %v", err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the handler did not have its database to the end: %v", err)
		}
	default:
		t.Error("Run has returned before the handler")
		<-ended
	}
	<-called
}

// A service that cannot do without a callee is not ready while that is away.
// Other callees are only reported.
func TestReadinessWithoutCallee(t *testing.T) {
	for _, test := range []struct {
		name  string
		gates bool
		want  int
	}{
		{"gates readiness", true, http.StatusServiceUnavailable},
		{"optional", false, http.StatusOK},
	} {
		t.Run(test.name, func(t *testing.T) {
			users := &Callee{
				Key: "users", Spec: client.Spec{Service: "test.v1.Users", Target: "passthrough:///" + refused},
				Balance: client.RoundRobin, GatesReadiness: test.gates,
			}
			s := greeter(t, func(app *App) (greet, error) {
				app.Dial(users)
				return func(_ context.Context, in *wrapperspb.StringValue) (*wrapperspb.StringValue, error) { return in, nil }, nil
			})
			s.Callees = []*Callee{users}
			r := start(t, s, Options{})
			code, body := r.admin(t, http.MethodGet, "/readyz?verbose")
			if code != test.want {
				t.Errorf("/readyz = %d %s, want %d", code, body, test.want)
			}
			if !strings.Contains(body, "users") || !strings.Contains(body, "connection refused") {
				t.Errorf("/readyz does not tell what the callee lacks:\n%s", body)
			}
		})
	}
}

// refused is an address of loopback at which nobody listens: that of tcpmux. A port that
// was free a moment ago may be somebody else's by now.
const refused = "127.0.0.1:1"

// free is an address of loopback at which nobody has listened a moment ago.
func free(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// posts is a greeter with a route of HTTP/JSON.
func posts(t *testing.T) Service {
	t.Helper()
	s := greeter(t, hello)
	s.Settings.Listen.HTTP = "127.0.0.1:0"
	s.HTTP = []Route{{Method: http.MethodPost, Path: "/echo", RPC: greetName, Body: "*"}}
	return s
}

// Pages of the origins of the contract may call.
func TestPagesOfOrigins(t *testing.T) {
	s := posts(t)
	s.CORSOrigins, s.CORSCredentials, s.CORSMaxAge = []string{"https://shop.example"}, true, time.Minute
	r := start(t, s, Options{})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, "http://"+r.HTTP+"/echo", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", "https://shop.example")
	req.Header.Set("Access-Control-Request-Method", http.MethodPost)
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	for name, want := range map[string]string{"Origin": "https://shop.example", "Credentials": "true", "Methods": "POST"} {
		if got := resp.Header.Get("Access-Control-Allow-" + name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := resp.Header.Get("Access-Control-Max-Age"); got != "60" {
		t.Errorf("max age %q", got)
	}
}

// The limits of the contract are those of HTTP/JSON, too.
func TestLimitsOfHTTP(t *testing.T) {
	s := posts(t)
	s.Settings.Limits.MessageBytes, s.Settings.Limits.HeaderBytes = 2<<10, 8<<10
	r := start(t, s, Options{})
	for _, test := range []struct {
		name         string
		header, body int
		want         int
	}{
		{"small", 1 << 10, 1 << 10, http.StatusOK},
		{"large header", 16 << 10, 0, http.StatusRequestHeaderFieldsTooLarge},
		{"large body", 0, 4 << 10, http.StatusRequestEntityTooLarge},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.HTTP+"/echo", strings.NewReader(`"`+strings.Repeat("x", test.body)+`"`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Large", strings.Repeat("x", test.header))
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode != test.want {
			t.Errorf("%s: %s, want %d", test.name, resp.Status, test.want)
		}
	}
}

// A connection too many to the port of HTTP/JSON is closed at once where none is idle,
// whatever is connected to others.
func TestConnectionsOfHTTP(t *testing.T) {
	r := start(t, posts(t), Options{Environ: []string{"GREETER_LIMITS_CONNECTIONS=1"}})
	if _, err := r.call(t, "by gRPC"); err != nil {
		t.Fatal(err)
	}
	first := r.connect(t)
	if _, err := io.WriteString(first, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(first, make([]byte, 12)); err != nil { // the body is waited for
		t.Fatalf("the first connection: %v", err)
	}
	second := r.connect(t)
	if err := second.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	// It is told nothing: the end comes by itself.
	var timeout net.Error
	if _, err := second.Read(make([]byte, 1)); err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("the second connection: %v, want it closed", err)
	}
}

// connect connects to the port of HTTP/JSON until the test ends.
func (r *running) connect(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", r.HTTP)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// systemd and Kubernetes tell these numbers apart: they are written out here.
func TestExitCodes(t *testing.T) {
	for args, want := range map[string]int{
		"--version":                   0,
		"--help":                      0,
		"--check-config --config=":    0,
		"--check-config --config=/no": 1,
		"--config=/no":                1,
		"--nonsense":                  2,
		"start":                       2,
	} {
		if code := run(greeter(t, hello), Options{}, strings.Fields(args), io.Discard, io.Discard); code != want {
			t.Errorf("%s: exit code %d, want %d", args, code, want)
		}
	}
}

// What a handler puts around HTTP/JSON sees every request, the first one outermost, and may
// answer itself.
func TestWrapHTTP(t *testing.T) {
	s := greeter(t, func(app *App) (greet, error) {
		for _, name := range []string{"outer", "inner"} {
			app.Deps().WrapHTTP(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Add("Passed", name)
					if r.URL.Path == "/"+name {
						w.WriteHeader(http.StatusTeapot)
						return
					}
					next.ServeHTTP(w, r)
				})
			})
		}
		return hello(app)
	})
	s.Settings.Listen.HTTP = "127.0.0.1:0"
	s.HTTP = []Route{{Method: "GET", Path: "/v1/greeting", RPC: greetName}}
	r := start(t, s, Options{})
	for path, want := range map[string]string{
		"/outer":       "418 [outer]",
		"/inner":       "418 [outer inner]",
		"/v1/greeting": "200 [outer inner]",
		"/v2":          "404 [outer inner]",
	} {
		res, err := http.Get("http://" + r.HTTP + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if got := fmt.Sprint(res.StatusCode, res.Header["Passed"]); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
