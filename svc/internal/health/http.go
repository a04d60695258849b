package health

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Livez answers liveness probes: 200 or 503. A good answer is "ok", with
// ?verbose and in a bad one there is a line for each check, and with
// Accept: application/json it is an object:
//
//	{"status": "degraded", "checks": [{"name": "cache", "status": "degraded", "error": "timeout after 2s"}]}
func (c *Checker) Livez() http.Handler { return page{"livez", c.Live} }

// Readyz answers readiness probes in the form of Livez.
func (c *Checker) Readyz() http.Handler { return page{"readyz", c.Ready} }

// Healthz answers with all checks in the form of Livez, for people and monitors.
func (c *Checker) Healthz() http.Handler { return page{"healthz", c.All} }

// page shows one kind of report.
type page struct {
	name   string
	report func(context.Context) Report
}

func (p page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	report := p.report(r.Context())
	code := http.StatusOK
	if report.Status() == Failed {
		code = http.StatusServiceUnavailable
	}
	kind, body := "text/plain; charset=utf-8", "ok"
	switch {
	case strings.Contains(r.Header.Get("Accept"), "application/json"):
		kind, body = "application/json", report.json()
	case code != http.StatusOK || r.URL.Query().Has("verbose"):
		body = report.text(p.name)
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	fmt.Fprint(w, body)
}

var mark = map[Status]string{OK: "[+]", Degraded: "[!]", Failed: "[-]"}

// text has the form of the Kubernetes API server's own health pages.
func (r Report) text(name string) string {
	var b strings.Builder
	for _, result := range r {
		status := result.Status()
		fmt.Fprintf(&b, "%s%s %s", mark[status], result.Name, status)
		if result.Err != nil {
			fmt.Fprintf(&b, ": %v", result.Err)
		}
		b.WriteByte('\n')
	}
	verdict := "passed"
	if r.Status() == Failed {
		verdict = "failed"
	}
	fmt.Fprintf(&b, "%s check %s\n", name, verdict)
	return b.String()
}

func (r Report) json() string {
	type check struct {
		Name   string `json:"name"`
		Status Status `json:"status"`
		Error  string `json:"error,omitempty"`
	}
	all := struct {
		Status Status  `json:"status"`
		Checks []check `json:"checks"`
	}{r.Status(), []check{}}
	for _, result := range r {
		one := check{Name: result.Name, Status: result.Status()}
		if result.Err != nil {
			one.Error = result.Err.Error()
		}
		all.Checks = append(all.Checks, one)
	}
	text, _ := json.Marshal(all) // strings only: cannot fail
	return string(text) + "\n"
}
