package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/protosvc/protosvc/svc/internal/sleep"
)

// Run starts every part, waits for the end of ctx or for a fault, stops in six
// phases, and returns the fault with whatever else went wrong, or nil. When it
// has returned no goroutine of the group is left, save those that it names in
// the error because they ignored the end of their context.
//
// The end of hard skips the drain delay and the graceful stop; see [Signals].
func (g *Group) Run(ctx, hard context.Context) error {
	g.start(ctx)
	call(g.OnReady)
	cause := g.wait(ctx, hard)

	log := g.phases(cause)
	log("readiness off") // 1. load balancers begin to look elsewhere
	call(g.OnStop)
	log("drain delay") // 2. until all of them do, calls are answered as ever
	sleep.For(hard, g.DrainDelay)
	log("graceful stop") // 3. no new calls; the running ones finish
	finished := g.gracefulStop(hard)
	log("hard stop", "finished", finished) // 4. what has not finished in time is cut off
	g.closeServers()
	log("background work") // 5. nobody waits for its results any more
	stuck := g.parts.stop(cmp.Or(g.BackgroundBudget, defaultBackgroundBudget))
	log("resources") // 6. nobody uses them any more
	closing := g.Close()
	return errors.Join(append(g.parts.faults(), stuck, closing)...)
}

func (g *Group) start(ctx context.Context) {
	// Background work outlives ctx until phase 5, but keeps its values.
	g.parts.start(context.WithoutCancel(ctx))
	for _, s := range g.servers {
		g.parts.spawn("server "+s.Name, func(context.Context) error {
			err := s.Serve()
			if g.refusing.Load() {
				return nil
			}
			return cmp.Or(err, errEnded)
		})
	}
}

var errEnded = errors.New("ended by itself")

// wait returns why the group has to stop.
func (g *Group) wait(ctx, hard context.Context) error {
	select {
	case <-g.parts.failed():
		return errors.Join(g.parts.faults()...)
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-hard.Done():
		return context.Cause(hard)
	}
}

// gracefulStop reports whether every call finished within the budget.
func (g *Group) gracefulStop(hard context.Context) bool {
	ctx, cancel := context.WithTimeout(hard, cmp.Or(g.GracefulBudget, defaultGracefulBudget))
	defer cancel()
	g.refusing.Store(true)
	if ctx.Err() != nil {
		return false
	}
	var stops []*part
	for _, s := range g.servers {
		stops = append(stops, g.parts.spawn("graceful stop of "+s.Name, func(context.Context) error {
			s.Graceful(ctx)
			return nil
		}))
	}
	return len(await(ctx, stops)) == 0
}

func (g *Group) closeServers() {
	for _, s := range g.servers {
		s.Close()
	}
}

// resource is something open and how to close it.
type resource struct {
	name  string
	close func() error
}

// Close closes the resources, each once, the last one first. Run does it in the
// end; call it where the start fails before Run.
func (g *Group) Close() error {
	g.mu.Lock()
	open := g.resources
	g.resources = nil
	g.mu.Unlock()
	var faults []error
	for _, r := range slices.Backward(open) {
		if err := r.close(); err != nil {
			faults = append(faults, fmt.Errorf("close %s: %w", r.name, err))
		}
	}
	return errors.Join(faults...)
}

// phases logs the cause, and returns a function that logs a phase.
func (g *Group) phases(cause error) func(phase string, attrs ...any) {
	log := g.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	begin := time.Now()
	log.Info("stopping", "cause", cause)
	return func(phase string, attrs ...any) {
		attrs = append([]any{"phase", phase}, attrs...)
		log.Info("stopping", append(attrs, "elapsed", time.Since(begin).String())...)
	}
}

func call(f func()) {
	if f != nil {
		f()
	}
}
