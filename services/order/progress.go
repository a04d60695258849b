package order

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	svcerrors "github.com/protosvc/protosvc/svc/errors"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// drive finishes an order that is half way. Other orders stay as they are.
func (h *handler) drive(ctx context.Context, o record) (record, error) {
	switch o.state {
	case pending:
		return h.pay(ctx, o)
	case cancelling:
		return h.refund(ctx, o)
	}
	return o, nil
}

// pay has the payment of a pending order authorised and confirms or rejects the
// order. The id of the order is the reference of the payment: asking again, here
// or in another replica, never makes a second one.
func (h *handler) pay(ctx context.Context, o record) (record, error) {
	res, err := h.payments.Authorize(ctx, &paymentv1.AuthorizeRequest{
		Reference: o.id,
		PayerId:   o.userID,
		Amount:    &paymentv1.Money{CurrencyCode: o.currency, AmountMinor: o.total},
	})
	switch {
	case errors.Is(err, paymentv1svc.PaymentErrorDeclined):
		return h.move(ctx, o, change{to: rejected, declineReason: declineReason(err)})
	case err != nil:
		return record{}, calleeError("authorize payment", err)
	}
	return h.move(ctx, o, change{to: confirmed, paymentID: res.GetPayment().GetPaymentId()})
}

// refund has the payment of an order given back and calls the order cancelled.
func (h *handler) refund(ctx context.Context, o record) (record, error) {
	if _, err := h.payments.Refund(ctx, &paymentv1.RefundRequest{PaymentId: o.paymentID}); err != nil {
		return record{}, calleeError("refund payment", err)
	}
	return h.move(ctx, o, change{to: cancelled})
}

// move stores the change and tells of it. If another one has moved the order
// meanwhile, it returns the order as that one left it.
func (h *handler) move(ctx context.Context, o record, c change) (record, error) {
	moved, err := h.orders.move(ctx, o.id, c)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return h.orders.byID(ctx, o.id)
	case err != nil:
		return record{}, err
	}
	h.watchers.wake(o.id)
	if c.to == confirmed {
		h.count(moved)
	}
	return moved, nil
}

// count records a confirmed order. It counts as created only now: whoever has
// the payment declined gets an error and has no order. The one who moved the row
// counts it, so an order is counted once, however often it is asked for.
func (h *handler) count(o record) {
	h.metrics.OrdersCreatedTotal(strings.ToLower(channelName(o.channel))).Inc()
	h.metrics.OrderAmountMinor().Observe(float64(o.total))
}

// declineReason is what the payment service gave as the reason.
func declineReason(err error) string {
	declined, _ := errors.AsType[*svcerrors.Error](err)
	return declined.Metadata["decline_reason"]
}

// calleeError says that a call failed. What is about the moment reaches the
// caller as it is, who may try again. Anything else is an answer that the
// contract does not foresee, so a fault of ours: formatting it with %v keeps its
// status from the caller, for whom it means nothing.
func calleeError(call string, err error) error {
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.ResourceExhausted:
		return fmt.Errorf("%s: %w", call, err)
	}
	return fmt.Errorf("%s: unexpected answer: %v", call, err)
}
