package main

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"time"

	"github.com/protosvc/protosvc/internal/system"
)

// replaced is a cluster with payments for those that come when they double, and for
// those that come in the place of all. They run before they are known, since to start
// them takes longer than the time between one and the other.
var replaced = shape{payments: 3, further: 9, orders: 2, environ: []string{"PAYMENT_STOP_DRAIN_DELAY=5s"}}

// replaceAll doubles the payments and replaces all of them a second later, as
// Kubernetes does: the name server no longer knows those that are told to stop, and
// they take calls for the drain delay of a contract that says nothing.
func replaceAll(ctx context.Context, c *cluster, _ engine) error {
	doubled := 2 * c.shape.payments
	c.know(0, doubled)
	if err := sleep(ctx, time.Second); err != nil {
		return err
	}
	c.know(doubled, len(c.payments))
	for _, p := range c.payments[:doubled] {
		if err := p.Signal(syscall.SIGTERM); err != nil {
			return err
		}
	}
	if err := sleep(ctx, maxRecovery); err != nil {
		return err
	}
	c.mark(c.payments[doubled:])
	return ended(ctx, c.payments[:doubled])
}

// ended waits for processes that were told to stop.
func ended(ctx context.Context, all []*system.Service) error {
	faults := make([]error, len(all))
	var waits sync.WaitGroup
	for i, p := range all {
		waits.Go(func() { faults[i] = p.Wait(ctx) })
	}
	waits.Wait()
	return errors.Join(faults...)
}

// mark has shares count from now on, for these payments.
func (c *cluster) mark(of []*system.Service) {
	c.marked, c.sharing = c.counts.total(authorize), of
}

// shares are the calls of each payment since the mark.
func (c *cluster) shares() (out []float64) {
	now := c.counts.total(authorize)
	for _, p := range c.sharing {
		out = append(out, now[p.Admin]-c.marked[p.Admin])
	}
	return out
}
