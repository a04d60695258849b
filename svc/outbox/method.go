package outbox

import (
	"context"
	"database/sql"
	stderrors "errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/claim"
)

const (
	maxFailures  = 10
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 30 * time.Second
	storeTimeout = 2 * time.Second // for what is stored after a call whose own time may be over
)

// isUnreached reports whether the error of an attempt says nothing about the
// message: the callee is down, busy or in a conflict, or the caller went away.
func isUnreached(err error) bool { return errors.IsTransient(err) }

// method is the part of a Deferred that is the same for all types.
type method struct {
	outbox *Outbox
	name   string
	send   func(context.Context, message) (func(context.Context, *sql.Tx) error, error)
	wakes  chan struct{}
	log    *slog.Logger
	gauges
}

func (o *Outbox) bind(name string, send func(context.Context, message) (func(context.Context, *sql.Tx) error, error)) *method {
	m := &method{o, name, send, make(chan struct{}, 1), o.log.With(slog.String("rpc", name)), o.series.bind(name)}
	o.methods = append(o.methods, m)
	return m
}

// deliver is Deferred.Deliver.
func (m *method) deliver(ctx context.Context, key string) error {
	for looks := 0; ; looks++ {
		got, err := m.outbox.store.claimKey(ctx, m.name, key)
		if err != nil {
			return err
		}
		for _, msg := range got {
			if err := m.attempt(ctx, msg); err != nil && !stderrors.Is(err, errLost) {
				return err
			}
			looks = 0
		}
		pending, err := m.outbox.store.pending(ctx, m.name, key)
		if err != nil || !pending {
			return err
		}
		if len(got) > 0 {
			continue
		}
		if err := m.outbox.flights.Wait(ctx, key, looks); err != nil {
			return err
		}
	}
}

// attempt delivers a claimed message once.
func (m *method) attempt(ctx context.Context, msg message) error {
	defer m.outbox.flights.Begin(msg.key)()
	stop := claim.Keep(func(ctx context.Context) {
		if err := m.outbox.store.renew(ctx, msg); err != nil {
			m.log.WarnContext(ctx, "lease of a message is not renewed", "key", msg.key, "error", err)
		}
	})
	defer stop()
	handle, err := m.send(restore(ctx, msg.headers), msg)
	m.attempts(errors.ToStatus(err).Code()).Inc()

	later, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	if err == nil {
		err = m.outbox.store.settle(later, msg, func(tx *sql.Tx) error { return handle(later, tx) })
	}
	switch {
	case err == nil:
		m.outbox.wake() // for the next one of the key
	case !stderrors.Is(err, errLost):
		m.postpone(later, msg, err)
	}
	return err
}

// postpone gives a message back after a failed attempt, and parks it after too
// many that were the message's own.
func (m *method) postpone(ctx context.Context, msg message, cause error) {
	due, failures, own := time.Now(), msg.failures, !isUnreached(cause)
	if own {
		failures++
	}
	// One that somebody took out of the park stays out while the callee is down.
	park := own && failures >= maxFailures
	if own && !park { // a parked one is due as soon as it is not
		due = due.Add(backoff(failures, lastBackoff))
	}
	switch err := m.outbox.store.postpone(ctx, msg, due, failures, park, cause); {
	case err != nil: // due again when the lease ends
		m.log.WarnContext(ctx, "message is not given back", "key", msg.key, "error", err, "cause", cause)
	case park && !(msg.failures >= maxFailures):
		m.log.ErrorContext(ctx, "message is parked", "key", msg.key, "id", msg.id, "attempts", msg.attempts, "error", cause)
	case failures > msg.failures:
		m.log.WarnContext(ctx, "message waits after a failure", "key", msg.key, "attempts", msg.attempts, "error", cause)
	}
}

// backoff is the wait after a number of failures in a row, with up to half of it
// taken off at random.
func backoff(failures int, limit time.Duration) time.Duration {
	wait := min(firstBackoff<<min(failures-1, 16), limit)
	return wait - rand.N(wait/2)
}
