package order

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/protosvc/protosvc/services/internal/page"
)

const (
	// firstWait is the wait after the first failure in a row; it doubles from
	// failure to failure.
	firstWait = 100 * time.Millisecond
	// longestWait bounds every wait, so that a payment service that comes back, or
	// a shorter recovery_age, is noticed.
	longestWait = 30 * time.Second
	// shortestPause is the least time between two rounds without failures.
	shortestPause = time.Second
)

// recovery finishes the orders that somebody left half way: a process that was
// killed, a caller who gave up, a payment service that did not answer. It goes
// round from the oldest to the newest, at the start and for as long as the
// service runs, since another replica may be killed at any time.
//
// Every replica runs one. An order in the hands of two is driven by both, with
// the same outcome.
type recovery struct {
	handler  *handler
	after    page.Position // the last order looked at in this round
	failures int           // in a row
}

// run drives orders until ctx ends. It never fails: a service whose payment
// service is down still has much to do.
func (r *recovery) run(ctx context.Context) error {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(r.next(ctx)):
		}
	}
	return nil
}

// next drives one order, and returns how long to wait before the one after it.
// An order that fails is left for the next round, so it cannot hold up others.
func (r *recovery) next(ctx context.Context) time.Duration {
	age := r.handler.config.Load().GetRecoveryAge().AsDuration()
	o, err := r.handler.orders.unfinished(ctx, time.Now().Add(-age), r.after)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return r.endRound(age)
	case err == nil:
		r.after = page.Position{Time: o.updated, ID: o.id}
		err = r.finish(ctx, o)
	}
	switch {
	case err == nil:
		r.failures = 0
		return 0
	case ctx.Err() == nil:
		r.handler.log.WarnContext(ctx, "recovery waits before it goes on", "error", err)
	}
	r.failures++
	return r.backoff()
}

// finish drives the order to the end of what it is in the middle of.
func (r *recovery) finish(ctx context.Context, o record) error {
	done, err := r.handler.drive(ctx, o)
	if err != nil {
		return fmt.Errorf("order %s is still %s: %w", o.id, stateName(o.state), err)
	}
	r.handler.log.InfoContext(ctx, "recovery finished an order", "order_id", o.id, "was", stateName(o.state), "state", stateName(done.state))
	return nil
}

// endRound returns how long to wait before the first order's turn comes again:
// there can be no new one before it is old enough. A reload may shorten that age,
// so the wait has a bound.
func (r *recovery) endRound(age time.Duration) time.Duration {
	r.after = page.Position{}
	if r.failures > 0 {
		return r.backoff()
	}
	return min(max(age, shortestPause), longestWait)
}

// backoff is the wait after a number of failures in a row, with up to half of it
// taken off at random, so that replicas do not all ask at once.
func (r *recovery) backoff() time.Duration {
	wait := min(firstWait<<min(r.failures-1, 16), longestWait)
	return wait - rand.N(wait/2)
}
