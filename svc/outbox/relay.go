package outbox

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/protosvc/protosvc/svc/internal/sleep"
)

const (
	// pollInterval is how often a relay looks for what it is not woken for:
	// messages of replicas that died, and those whose backoff has ended.
	pollInterval = 500 * time.Millisecond
	// probeInterval is the longest wait between two looks at a callee that is down.
	probeInterval = time.Second
	// batch is how many messages of a method a replica delivers at once.
	batch = 16
)

// relay delivers the messages of a method until ctx ends. A callee that cannot be
// reached is a state of the callee and not of the messages: it is asked with one
// message at a time until it answers.
func (m *method) relay(ctx context.Context) {
	for unreached := 0; ctx.Err() == nil; {
		limit := batch
		if unreached > 0 {
			limit = 1
		}
		sent, down := m.round(ctx, limit)
		switch {
		case down:
			unreached++
			if unreached == 1 && ctx.Err() == nil {
				m.log.WarnContext(ctx, "callee cannot be reached, its messages wait")
			}
			sleep.For(ctx, backoff(unreached, probeInterval))
		case sent > 0:
			unreached = 0
		default:
			m.rest(ctx)
		}
	}
}

// round claims and delivers messages, and reports how many, and whether one did
// not reach the callee.
func (m *method) round(ctx context.Context, limit int) (sent int, down bool) {
	got, err := m.outbox.store.claimDue(ctx, m.name, limit)
	if err != nil {
		if ctx.Err() == nil {
			m.log.WarnContext(ctx, "messages cannot be claimed", "error", err)
		}
		return 0, false
	}
	var missed atomic.Bool
	var group sync.WaitGroup
	for _, msg := range got {
		group.Go(func() {
			if err := m.attempt(ctx, msg); err != nil && isUnreached(err) {
				missed.Store(true)
			}
		})
	}
	group.Wait()
	return len(got), missed.Load()
}

// rest returns when it is worth looking again.
func (m *method) rest(ctx context.Context) {
	timer := time.NewTimer(pollInterval)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-m.wakes:
	case <-timer.C:
	}
}
