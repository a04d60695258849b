package order

import (
	"context"
	"database/sql"
	"errors"
	"time"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	"github.com/protosvc/protosvc/services/internal/id"
)

// CancelOrder cancels an order and has its payment refunded. Cancelling it again
// changes nothing.
//
// From the moment it is stored as cancelling, the order will be cancelled:
// should the payment service not answer, the outbox goes on with it.
func (h *handler) CancelOrder(ctx context.Context, req *orderv1.CancelOrderRequest) (*orderv1.CancelOrderResponse, error) {
	o, err := h.find(ctx, id.Canonical(req.GetOrderId()))
	if err != nil {
		return nil, err
	}
	if o.state == confirmed {
		if o, err = h.cancelling(ctx, o); err != nil {
			return nil, err
		}
	}
	if o.state == cancelling {
		if o, err = h.refund(ctx, o); err != nil {
			return nil, err
		}
	}
	if o.state != cancelled {
		return nil, orderv1svc.NewOrderErrorTransitionNotAllowed(orderv1svc.OrderErrorTransitionNotAllowedParams{
			OrderID: o.id, State: stateName(o.state), Since: time.UnixMicro(o.updated), Wanted: stateName(cancelled),
		})
	}
	return &orderv1.CancelOrderResponse{Order: o.message()}, nil
}

// cancelling begins to cancel a confirmed order, together with its refund. If
// another one has moved the order meanwhile, it returns the order as that one left it.
func (h *handler) cancelling(ctx context.Context, o record) (moved record, err error) {
	err = h.orders.db.Tx(ctx, func(tx *sql.Tx) error {
		if moved, err = h.move(ctx, tx, o.id, change{to: cancelling}); err != nil {
			return err
		}
		return h.enqueue(ctx, tx, moved)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return h.orders.byID(ctx, o.id)
	}
	return moved, err
}
