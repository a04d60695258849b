package main

import (
	"context"

	"github.com/protosvc/protosvc/internal/books"
)

// audit compares the books of order and payment when what was interrupted has settled.
func (c *cluster) audit(ctx context.Context, e engine, calls []call) (r books.Result, err error) {
	order, err := e.open(c.stores["order"])
	if err != nil {
		return r, err
	}
	defer order.Close()
	payment, err := e.open(c.stores["payment"])
	if err != nil {
		return r, err
	}
	defer payment.Close()
	var accepted []string
	for _, call := range calls {
		if call.ok() {
			accepted = append(accepted, call.OrderID)
		}
	}
	return books.Settled(ctx, order, payment, accepted, settle)
}
