package gateway

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/protosvc/protosvc/internal/weborigin"
)

// CORS says the pages of which origins may call from a browser, by the Fetch standard.
// The zero value lets none.
type CORS struct {
	// Origins are "https://shop.example", with a port that is not the scheme's own, or
	// "*" alone for all.
	Origins []string

	// Credentials is true if browsers may send cookies and certificates of their own
	// accord. The header Authorization, which a page sets itself, does not need it.
	Credentials bool

	// MaxAge is how long a browser may remember what it was allowed, in whole seconds.
	// Zero: as long as browsers do by themselves, 5 s.
	MaxAge time.Duration
}

// check returns a mistake of the contract.
func (c CORS) check() error {
	for _, origin := range c.Origins {
		switch {
		case origin == weborigin.Any && c.Credentials:
			return fmt.Errorf("CORS: origin %q is not for requests with credentials", origin)
		case origin == weborigin.Any && len(c.Origins) > 1:
			return fmt.Errorf("CORS: origin %q leaves nothing for others", origin)
		case origin != weborigin.Any && !weborigin.Valid(origin):
			return fmt.Errorf("CORS: %q is no origin, as browsers write it (want for example %q)", origin, "https://shop.example")
		}
	}
	return nil
}

// crossing are the rules for pages of other origins, ready for use.
type crossing struct {
	CORS
	allowHeaders, maxAge string
}

// asked are the request headers that the gateway understands itself.
var asked = []string{"content-type", "content-encoding", "grpc-timeout", idempotencyKey}

// exposed are the response headers that a page may read beside those that every page may.
const exposed = "Retry-After, WWW-Authenticate"

func newCrossing(c CORS, h headers) crossing {
	names := slices.Collect(maps.Keys(h))
	for _, name := range asked {
		names = append(names, http.CanonicalHeaderKey(name))
	}
	slices.Sort(names)
	x := crossing{CORS: c, allowHeaders: strings.Join(slices.Compact(names), ", ")}
	if c.MaxAge > 0 {
		x.maxAge = strconv.FormatInt(int64(c.MaxAge/time.Second), 10)
	}
	return x
}

// allow lets the page that sent the request read the answer, whatever that will be. It
// reports whether the page may.
func (x *crossing) allow(header http.Header, origin string) bool {
	if len(x.Origins) == 0 {
		return false
	}
	allowed := x.Origins[0]
	if allowed != weborigin.Any {
		header.Add("Vary", "Origin") // also where none is sent: caches keep that answer too
		if !slices.Contains(x.Origins, origin) {
			return false
		}
		allowed = origin
	}
	if origin == "" {
		return false
	}
	header.Set("Access-Control-Allow-Origin", allowed)
	if x.Credentials {
		header.Set("Access-Control-Allow-Credentials", "true")
	}
	return true
}

// isPreflight reports whether a browser asks what a page may send.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
}

// cross answers the preflight of a page that may call, and marks other answers for it.
// It reports whether the request is answered.
func (m *Mux) cross(w http.ResponseWriter, r *http.Request) bool {
	header := w.Header()
	if !m.crossing.allow(header, r.Header.Get("Origin")) {
		return false
	}
	if !isPreflight(r) {
		header.Set("Access-Control-Expose-Headers", exposed)
		return false
	}
	methods := m.router.Methods(r.Header.Get("Access-Control-Request-Method"), r.URL.EscapedPath())
	if methods == nil {
		return false // 404, which the page sees as such
	}
	header.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
	header.Set("Access-Control-Allow-Headers", m.crossing.allowHeaders)
	if m.crossing.maxAge != "" {
		header.Set("Access-Control-Max-Age", m.crossing.maxAge)
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}
