// Package admin serves what operators need, on a port of its own: health,
// metrics, configuration, build, profiles.
//
// Probes and metrics are for everybody who reaches the port. The other pages want a
// token or, without one, a client on the same machine.
package admin

import (
	"cmp"
	"log/slog"
	"net/http"

	"github.com/protosvc/protosvc/internal/reload"
)

// Options are the pages whose content comes from elsewhere. A nil page is not
// served.
type Options struct {
	// Service and Version are shown by / and /buildinfo.
	Service, Version string

	// Livez, Readyz and Healthz are the handlers of package health.
	Livez, Readyz, Healthz http.Handler

	// Metrics is what Prometheus scrapes.
	Metrics http.Handler

	// Config returns the effective configuration as YAML, without its secrets.
	Config func() []byte

	// Reload does what package reload says of the configuration.
	Reload func(reload.Request) reload.Response

	// TokenFile holds the token that profiles, configuration and reloads want. If it has
	// no name or does not exist, they are only for clients on the same machine.
	TokenFile string

	// Log is told of connections that had to make room for others, of refused requests
	// and of what net/http has to say. Nil means nobody is told.
	Log *slog.Logger
	// NoProfiles says that there are no profiles.
	NoProfiles bool
}

func (o Options) log() *slog.Logger { return cmp.Or(o.Log, slog.New(slog.DiscardHandler)) }

// Handler serves:
//
//	GET  /                       list of the pages
//	GET  /livez /readyz /healthz health
//	GET  /metrics                metrics
//	GET  /buildinfo              JSON
//	GET  /config                 effective configuration
//	GET  /debug/pprof/           profiles, or 404 with the reason
//
// and the pages of package reload, as JSON: 200, or 422 with the faults.
//
// They, /config and profiles are guarded: a request without the token is answered with 401, one
// from elsewhere with 403 where there is no token, any with 503 while the token cannot
// be read. Any other method is answered with 405. Reload requests that a browser makes
// on behalf of another site are answered with 403. A body is for dry runs, and else
// ignored: 413 above 64 KiB, 408 where it does not come.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	guarded := newAccess(o)
	pages := o.pages(guarded)
	for _, p := range pages {
		mux.Handle(p.method+" "+p.path, p.handler)
	}
	mux.Handle("GET /{$}", index(o, pages))
	if o.NoProfiles {
		mux.HandleFunc("/debug/pprof/", noProfiles)
	} else {
		mux.Handle("GET /debug/pprof/{name}", guarded.guard(http.HandlerFunc(profile)))
	}
	return received(http.NewCrossOriginProtection().Handler(mux))
}

// page is one line of the index.
type page struct {
	method, path, about string
	handler             http.Handler
}

func (o Options) profiles(guarded *access) http.Handler {
	if o.NoProfiles {
		return nil
	}
	return guarded.guard(http.HandlerFunc(profiles))
}

// pages are those that exist, in the order of the index.
func (o Options) pages(guarded *access) []page {
	all := []page{
		{"GET", "/livez", "is the process alive", o.Livez},
		{"GET", "/readyz", "can it take calls (?verbose)", o.Readyz},
		{"GET", "/healthz", "both, with optional dependencies (?verbose)", o.Healthz},
		{"GET", "/metrics", "metrics for Prometheus", o.Metrics},
		{"GET", "/buildinfo", "what was built from what", build(o)},
		{"GET", "/debug/pprof/", "profiles for go tool pprof", o.profiles(guarded)},
	}
	if o.Config != nil {
		all = append(all, page{"GET", "/config", "effective configuration", guarded.guard(config(o.Config))})
	}
	if o.Reload != nil {
		for _, p := range reloads(o.Reload) {
			p.handler = guarded.guard(p.handler)
			all = append(all, p)
		}
	}
	var served []page
	for _, p := range all {
		if p.handler != nil {
			served = append(served, p)
		}
	}
	return served
}
