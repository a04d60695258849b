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
	"github.com/protosvc/protosvc/svc/outbox"
)

// enqueue has the outbox call the payment service for an order that is half way.
// The messages of one order have its id as their key, so they are delivered in
// turn. Until its caller had the time to deliver it, the relay leaves one alone.
func (h *handler) enqueue(ctx context.Context, tx *sql.Tx, o record) error {
	if o.state == cancelling {
		return h.outbox.PaymentServiceRefund.EnqueueHeld(ctx, tx, o.id, &paymentv1.RefundRequest{PaymentId: o.paymentID})
	}
	return h.outbox.PaymentServiceAuthorize.EnqueueHeld(ctx, tx, o.id, &paymentv1.AuthorizeRequest{
		Reference: o.id,
		PayerId:   o.userID,
		Amount:    &paymentv1.Money{CurrencyCode: o.currency, AmountMinor: o.total},
	})
}

// pay has the payment of a pending order decided and returns the order after
// that. The id of the order is the reference of the payment: asking again, here
// or in another replica, never makes a second one.
func (h *handler) pay(ctx context.Context, o record) (record, error) {
	if err := h.outbox.PaymentServiceAuthorize.Deliver(ctx, o.id); err != nil {
		return record{}, calleeError("authorize payment", err)
	}
	return h.orders.byID(ctx, o.id)
}

// refund has the payment of an order given back and returns the order after that.
func (h *handler) refund(ctx context.Context, o record) (record, error) {
	if err := h.outbox.PaymentServiceRefund.Deliver(ctx, o.id); err != nil {
		return record{}, calleeError("refund payment", err)
	}
	return h.orders.byID(ctx, o.id)
}

// authorized confirms or rejects an order when its payment is decided.
func (h *handler) authorized(ctx context.Context, tx *sql.Tx, o outbox.Outcome[paymentv1.AuthorizeRequest, paymentv1.AuthorizeResponse]) error {
	switch {
	case errors.Is(o.Err, paymentv1svc.PaymentErrorDeclined):
		return h.moved(ctx, tx, o.Key, change{to: rejected, declineReason: declineReason(o.Err)})
	case o.Err != nil:
		return calleeError("authorize payment", o.Err)
	}
	return h.moved(ctx, tx, o.Key, change{to: confirmed, paymentID: o.Response.GetPayment().GetPaymentId()})
}

// refunded calls an order cancelled when its payment is given back.
func (h *handler) refunded(ctx context.Context, tx *sql.Tx, o outbox.Outcome[paymentv1.RefundRequest, paymentv1.RefundResponse]) error {
	if o.Err != nil {
		return calleeError("refund payment", o.Err)
	}
	return h.moved(ctx, tx, o.Key, change{to: cancelled})
}

// moved stores the change that follows from an outcome. An order that made the
// move before stays as it is.
func (h *handler) moved(ctx context.Context, tx *sql.Tx, orderID string, c change) error {
	if _, err := h.move(ctx, tx, orderID, c); !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return nil
}

// move stores the change and, once that is committed, tells of it.
func (h *handler) move(ctx context.Context, tx *sql.Tx, orderID string, c change) (record, error) {
	o, err := h.orders.move(ctx, tx, orderID, c)
	if err != nil {
		return record{}, err
	}
	h.orders.db.OnCommit(tx, func() {
		h.watchers.wake(o.id)
		if c.to == confirmed {
			h.count(o)
		}
	})
	return o, nil
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
	declined, _ := paymentv1svc.AsPaymentErrorDeclined(err)
	return declined.DeclineReason
}

// calleeError says that a call failed. What is about the moment reaches the
// caller as it is, who may try again. Anything else is an answer that the
// contract does not foresee, so a fault of ours: formatting it with %v keeps its
// status from the caller, for whom it means nothing.
func calleeError(call string, err error) error {
	if svcerrors.IsTransient(err) {
		return fmt.Errorf("%s: %w", call, err)
	}
	return fmt.Errorf("%s: unexpected answer: %v", call, err)
}
