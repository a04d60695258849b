// Package lifecycle starts and stops everything that runs in a service.
//
// A [Group] holds the parts: servers, background work, opened resources.
// [Group.Run] starts them, and stops them in the one order that loses no call.
package lifecycle

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	defaultGracefulBudget   = 20 * time.Second
	defaultBackgroundBudget = 5 * time.Second
)

// Group is a set of parts that live and die together. The zero value is ready.
// Its fields are set before Run; its methods are safe for concurrent use. Run
// can be called once.
//
// The longest stop takes the three times together, and what resources need to close,
// which bound that themselves. The sum must be below the
// time after which the process is killed (terminationGracePeriodSeconds of
// Kubernetes, TimeoutStopSec of systemd).
type Group struct {
	// DrainDelay is the wait between readiness off and the first refused
	// connection: as long as it takes until every load balancer knows.
	// 0 means no wait.
	DrainDelay time.Duration

	// GracefulBudget is how long running calls may take to finish; 0 means 20 s.
	// Servers with streams that do not end by themselves must end them within it.
	GracefulBudget time.Duration

	// BackgroundBudget is how long background work may take to return after its
	// context is cancelled; 0 means 5 s.
	BackgroundBudget time.Duration

	// OnReady is called when every part has been started, OnStop when the stop
	// begins: readiness on, readiness off. Each is called once; nil means that
	// nobody wants to know.
	OnReady, OnStop func()

	// Logger receives the phases of the stop; nil means nowhere.
	Logger *slog.Logger

	servers  []Server
	parts    parts
	refusing atomic.Bool // servers have been told to stop, so they may return

	mu        sync.Mutex
	resources []resource
}

// Server is a part that accepts calls and is bound to its address already.
type Server struct {
	Name string

	// Serve accepts calls until Graceful or Close; what it returns then does not
	// matter. Returning before is a fault, which stops the group.
	Serve func() error

	// Graceful refuses new calls, and returns when the running ones are finished
	// or Close was called. Its context ends with the budget. It is left out when
	// the stop is hard from the beginning.
	Graceful func(ctx context.Context)

	// Close ends every call at once. It is always called, and may come while
	// Graceful still waits.
	Close func()
}

// Serve adds a server, before Run. Servers start in the order of the calls and
// stop all at the same time.
//
// A server that has to answer to the end, like the one for probes and metrics,
// is a resource instead, which OnClose closes.
func (g *Group) Serve(s Server) { g.servers = append(g.servers, s) }

// Go adds background work. It starts with Run, or at once when Run has started,
// and its context is cancelled when the last call has been answered. Returning
// nil means that the work is done, which stops nothing; an error, or a panic,
// stops the group and is returned by Run. Work that comes when background work
// is being stopped is not started.
func (g *Group) Go(name string, work func(ctx context.Context) error) {
	g.parts.add(name, work)
}

// OnClose adds what is done at the very end, in reverse order of the calls: call
// it when the resource is opened.
func (g *Group) OnClose(name string, f func() error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.resources = append(g.resources, resource{name, f})
}
