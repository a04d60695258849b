package order

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

const (
	// adoptAge is how long an order of an earlier release is left to the process
	// that made it, which may still run during an update.
	adoptAge = 30 * time.Second
	// adoptInterval is the pause between two looks.
	adoptInterval = 10 * time.Second
)

// adopt gives the outbox the orders that earlier releases left half way: they
// called the payment service without it. It goes on until ctx ends, because such
// a release may run beside this one during an update.
func (h *handler) adopt(ctx context.Context) error {
	for ctx.Err() == nil {
		err := h.adoptNext(ctx)
		if err == nil {
			continue
		}
		if !errors.Is(err, sql.ErrNoRows) && ctx.Err() == nil {
			h.log.WarnContext(ctx, "orders of an earlier release wait", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(adoptInterval):
		}
	}
	return nil
}

// adoptNext adopts one order, or returns sql.ErrNoRows because there is none.
func (h *handler) adoptNext(ctx context.Context) error {
	return h.orders.db.Tx(ctx, func(tx *sql.Tx) error {
		o, err := h.orders.adopt(ctx, tx, time.Now().Add(-adoptAge))
		if err != nil {
			return err
		}
		return h.enqueue(ctx, tx, o)
	})
}
