// Package health answers whether a service is alive and whether it can take
// calls: to probes over HTTP, to clients over gRPC.
//
// The two questions are kept apart. Liveness looks inside the process only: its
// failure means a restart, and no restart mends a database. Readiness looks at
// what the service depends on: its failure means no new calls. A service is not ready
//
//   - until its start is over, and from the beginning of its stop
//   - while its database does not answer, or has lost its file or its schema (package
//     database, Readiness)
//   - while a callee with gates_readiness cannot be called (svc/app.go, Dial)
//   - while a check of its own fails (svc.Deps.AddReadinessCheck)
//
// Other callees are reported as degraded and turn nothing off.
package health

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/protosvc/protosvc/internal/defaults"
)

const defaultMaxAge = time.Second

// Check returns what is wrong with one thing, or nil. It must return when ctx
// ends, and must not change anything.
type Check func(ctx context.Context) error

// Checker holds the checks of a process. The zero value is ready: alive, and not
// started yet. Its methods are safe for concurrent use.
type Checker struct {
	// MaxAge is how long the result of a check is good for, so that many probes
	// make few checks. 0 means 1 s. To be set before checks are added.
	MaxAge time.Duration

	mu        sync.Mutex
	state     state
	liveness  []*probe
	readiness []*probe
	listeners []func(state)
}

// state is what the process says of itself. It only goes forward.
type state int

const (
	starting state = iota
	started
	stopping
)

var stateError = map[state]error{
	starting: errors.New("the start has not finished"),
	stopping: errors.New("the process is stopping"),
}

// Alive adds a liveness check: something inside the process that only a restart
// can mend, like the heartbeat of a loop. It is given 2 s.
func (c *Checker) Alive(name string, check Check) {
	c.add(&c.liveness, &probe{name: name, check: check})
}

// Require adds a dependency without which the service is not ready. Timeout
// bounds one check; 0 means 2 s.
func (c *Checker) Require(name string, timeout time.Duration, check Check) {
	c.add(&c.readiness, &probe{name: name, check: check, timeout: timeout})
}

// Optional adds a dependency that the service can do without.
func (c *Checker) Optional(name string, timeout time.Duration, check Check) {
	c.add(&c.readiness, &probe{name: name, check: check, timeout: timeout, optional: true})
}

func (c *Checker) add(to *[]*probe, p *probe) {
	p.timeout = cmp.Or(p.timeout, defaults.CheckTimeout)
	p.maxAge = cmp.Or(c.MaxAge, defaultMaxAge)
	c.mu.Lock()
	defer c.mu.Unlock()
	*to = append(*to, p)
}

// Started says that the start has finished: from now on the required
// dependencies decide about readiness.
func (c *Checker) Started() { c.enter(started) }

// Stopping turns readiness off, at once and for good.
func (c *Checker) Stopping() { c.enter(stopping) }

func (c *Checker) enter(s state) {
	c.mu.Lock()
	c.state = max(c.state, s)
	now, listeners := c.state, slices.Clone(c.listeners)
	c.mu.Unlock()
	for _, tell := range listeners {
		tell(now)
	}
}

// listen calls tell with the present state and with every later one.
func (c *Checker) listen(tell func(state)) {
	c.mu.Lock()
	c.listeners = append(c.listeners, tell)
	now := c.state
	c.mu.Unlock()
	tell(now)
}

// Live is the outcome of the liveness checks.
func (c *Checker) Live(ctx context.Context) Report {
	c.mu.Lock()
	probes := slices.Clone(c.liveness)
	c.mu.Unlock()
	return outcome(ctx, probes)
}

// Ready is the process's own state and, unless it is stopping, the outcome of
// the checks of all dependencies, which run at the same time. It does not wait
// for optional ones that take longer than a moment.
func (c *Checker) Ready(ctx context.Context) Report {
	return c.ready(ctx, func(*probe) bool { return true })
}

// required is Ready without what is optional, which has no say in the status of
// gRPC.
func (c *Checker) required(ctx context.Context) Report {
	return c.ready(ctx, func(p *probe) bool { return !p.optional })
}

func (c *Checker) ready(ctx context.Context, which func(*probe) bool) Report {
	c.mu.Lock()
	state, all := c.state, slices.Clone(c.readiness)
	c.mu.Unlock()
	if state == stopping {
		return Report{{Name: "shutdown", Err: stateError[state]}}
	}
	probes := slices.DeleteFunc(all, func(p *probe) bool { return !which(p) })
	own := Result{Name: "startup", Err: stateError[state]}
	return append(Report{own}, outcome(ctx, probes)...)
}

// All is Live and Ready together.
func (c *Checker) All(ctx context.Context) Report {
	return append(c.Live(ctx), c.Ready(ctx)...)
}
