package svc

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"

	"go.opentelemetry.io/otel/trace"

	"github.com/protosvc/protosvc/svc/internal/health"
	"github.com/protosvc/protosvc/svc/internal/lifecycle"
)

// Deps is what every handler gets, embedded in the generated Deps of its
// service. It is made by the runtime.
type Deps struct {
	// Log writes one JSON object per line. Use its methods with a context, so
	// that lines carry the ids of the trace.
	Log *slog.Logger

	// TracerProvider makes spans inside of a call, and is for libraries that take one
	// of OpenTelemetry. The spans of calls, in and out, are there without it.
	TracerProvider trace.TracerProvider

	group    *lifecycle.Group
	health   *health.Checker
	wraps    *wraps
	stopping <-chan struct{}
}

// Stopping returns a channel that is closed when the service has begun to stop
// and takes no new calls. Handlers of long streams look at it: they have half of
// the budget to bring their streams to a good end; then those end with
// errors.Stopping, upon which callers connect to another replica. Handlers of
// unary methods need not look.
func (d Deps) Stopping() <-chan struct{} { return d.stopping }

// Go runs background work as a part of the service. Its context ends when the
// last call has been answered; returning nil means that the work is done, an
// error stops the service.
func (d Deps) Go(name string, work func(context.Context) error) { d.group.Go(name, work) }

// AddReadinessCheck adds a check without which the service is not ready. It runs with a
// timeout of 2 s.
func (d Deps) AddReadinessCheck(name string, check func(context.Context) error) {
	d.health.Require(name, 0, check)
}

// WrapHTTP puts a handler around all of HTTP/JSON, for what it does not do itself: further
// routes, sessions, headers of a security policy. It is for the start of the handler: what
// comes later has no effect. Of several, the first is the outermost. What a wrapper answers
// itself is in none of the runtime's metrics and traces, and no limit or deadline of the
// contract holds for it.
func (d Deps) WrapHTTP(wrap func(http.Handler) http.Handler) { d.wraps.add(wrap) }

// wraps are what handlers have put around HTTP/JSON.
type wraps struct {
	mu  sync.Mutex
	all []func(http.Handler) http.Handler
}

func (w *wraps) add(wrap func(http.Handler) http.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, wrap)
}

// around returns the handler with everything around it.
func (w *wraps) around(h http.Handler) http.Handler {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, wrap := range slices.Backward(w.all) {
		h = wrap(h)
	}
	return h
}
