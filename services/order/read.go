package order

import (
	"context"
	"math"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	"github.com/protosvc/protosvc/services/internal/id"
	"github.com/protosvc/protosvc/services/internal/page"
)

// newest is the position before all orders.
var newest = page.Position{Time: math.MaxInt64}

// GetOrder returns one order.
func (h *handler) GetOrder(ctx context.Context, req *orderv1.GetOrderRequest) (*orderv1.GetOrderResponse, error) {
	o, err := h.find(ctx, id.Canonical(req.GetOrderId()))
	if err != nil {
		return nil, err
	}
	return &orderv1.GetOrderResponse{Order: o.message()}, nil
}

// ListOrders returns a user's orders page by page, the newest first.
func (h *handler) ListOrders(ctx context.Context, req *orderv1.ListOrdersRequest) (*orderv1.ListOrdersResponse, error) {
	userID := id.Canonical(req.GetUserId())
	listName := "orders/" + userID
	before, err := page.Parse(listName, req.GetPageToken(), newest)
	if err != nil {
		return nil, orderv1svc.NewOrderErrorPageTokenInvalid().WithCause(err)
	}
	size := page.Size(req.GetPageSize(), h.config.Load().GetDefaultPageSize())
	orders, err := h.orders.list(ctx, userID, before, size+1)
	if err != nil {
		return nil, err
	}
	orders, next := page.Cut(orders, size, func(o record) string { return o.position().Token(listName) })
	out := &orderv1.ListOrdersResponse{NextPageToken: next}
	for _, o := range orders {
		out.Orders = append(out.Orders, o.message())
	}
	return out, nil
}
