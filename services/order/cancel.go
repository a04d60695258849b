package order

import (
	"context"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	"github.com/protosvc/protosvc/services/internal/id"
)

// CancelOrder cancels an order and has its payment refunded. Cancelling it again
// changes nothing.
//
// From the moment it is stored as cancelling, the order will be cancelled:
// should the payment service not answer, the recovery goes on with it.
func (h *handler) CancelOrder(ctx context.Context, req *orderv1.CancelOrderRequest) (*orderv1.CancelOrderResponse, error) {
	o, err := h.find(ctx, id.Canonical(req.GetOrderId()))
	if err != nil {
		return nil, err
	}
	if o.state == confirmed {
		if o, err = h.move(ctx, o, change{to: cancelling}); err != nil {
			return nil, err
		}
	}
	if o.state == cancelling {
		if o, err = h.refund(ctx, o); err != nil {
			return nil, err
		}
	}
	if o.state != cancelled {
		return nil, orderv1svc.NewOrderErrorTransitionNotAllowed(o.id, stateName(o.state), stateName(cancelled))
	}
	return &orderv1.CancelOrderResponse{Order: o.message()}, nil
}
