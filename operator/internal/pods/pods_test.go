package pods

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/protosvc/protosvc/internal/reload"
)

// admin is the admin port of a pod that says what it was asked, and answers as told.
func admin(t *testing.T, status int, answer string) (c *Client, p Pod, asked func() string) {
	t.Helper()
	var last string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		last = fmt.Sprintf("%s %s %s %q %s", r.Method, r.URL.RequestURI(), r.Header.Get("Authorization"), r.Header.Get("Content-Type"), body)
		w.Header().Set("Date", "Mon, 30 Nov 2026 10:00:00 GMT")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return &Client{HTTP: server.Client()}, Pod{Address: server.Listener.Addr().String(), Token: "secret"}, func() string { return last }
}

// Each question is asked as package reload says.
func TestQuestions(t *testing.T) {
	c, p, asked := admin(t, http.StatusOK, `{"outcome": "held", "generation": 3, "files": "abc", "since": "2026-11-30T09:59:30Z"}`)
	for want, ask := range map[string]func() (reload.Response, error){
		`GET /config/reload Bearer secret "" `:         func() (reload.Response, error) { res, _, err := c.Look(t.Context(), p); return res, err },
		`POST /config/hold?for=1m0s Bearer secret "" `: func() (reload.Response, error) { res, _, err := c.Hold(t.Context(), p, time.Minute); return res, err },
		`POST /config/reload?dry_run=1 Bearer secret "application/json" {"config.yaml":"log: {}\u003c"}`: func() (reload.Response, error) {
			return c.Check(t.Context(), p, map[string]string{"config.yaml": "log: {}<"})
		},
		`POST /config/reload Bearer secret "" `:           func() (reload.Response, error) { return c.Load(t.Context(), p) },
		`POST /config/undo?files=a%26b Bearer secret "" `: func() (reload.Response, error) { return c.Undo(t.Context(), p, "a&b") },
	} {
		res, err := ask()
		if err != nil || res.Outcome != reload.Held || res.Generation != 3 || res.Files != "abc" {
			t.Errorf("%s: %+v, %v", want, res, err)
		}
		if got := asked(); got != want {
			t.Errorf("asked %s, want %s", got, want)
		}
	}
	p.Token = ""
	if _, inForce, err := c.Look(t.Context(), p); err != nil || inForce != 30*time.Second {
		t.Errorf("in force for %v by the clock of the pod, %v, want 30s", inForce, err)
	}
	if got := asked(); got != `GET /config/reload  "" ` {
		t.Errorf("without a token it asked %s", got)
	}
}

// A refusal is an answer; anything else that is not one is an error that says what came.
func TestAnswers(t *testing.T) {
	for _, test := range []struct {
		status       int
		answer, want string
	}{
		{http.StatusUnprocessableEntity, `{"outcome": "refused"}`, ""},
		{http.StatusUnauthorized, "want a token\n", "GET /config/reload: 401 Unauthorized: want a token"},
		{http.StatusOK, "<html>", "GET /config/reload: invalid character '<' looking for beginning of value"},
		{http.StatusInternalServerError, strings.Repeat("x", 1000), "GET /config/reload: 500 Internal Server Error: " + strings.Repeat("x", 200)},
	} {
		c, p, _ := admin(t, test.status, test.answer)
		_, _, err := c.Look(t.Context(), p)
		if got := fmt.Sprint(err); err != nil && got != test.want || err == nil && test.want != "" {
			t.Errorf("%d: %v, want %s", test.status, err, test.want)
		}
	}
}

func TestReady(t *testing.T) {
	for status, want := range map[int]bool{http.StatusOK: true, http.StatusServiceUnavailable: false} {
		c, p, asked := admin(t, status, "")
		if got := c.Ready(t.Context(), p); got != want || !strings.HasPrefix(asked(), "GET /readyz ") {
			t.Errorf("%d: ready is %v, asked %s", status, got, asked())
		}
	}
	if (&Client{HTTP: http.DefaultClient}).Ready(t.Context(), Pod{Address: "127.0.0.1:1"}) {
		t.Error("a pod that nobody reaches is ready")
	}
}
