package order

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	userv1 "github.com/protosvc/protosvc/generated/user/v1"
)

// CreateOrder checks the user, stores the order, has it paid and confirms it.
//
// Should the payment service not answer, the order stays pending and the caller
// may try again with the same request id; whether or not it does, the outbox
// finishes the order.
//
// The runtime answers repetitions for as long as it keeps the answers. A request
// id stays unique in its tenant for as long as there is an order with it, in
// imports too, so the order's own row has the last word.
func (h *handler) CreateOrder(ctx context.Context, req *orderv1.CreateOrderRequest) (*orderv1.CreateOrderResponse, error) {
	o, err := h.create(ctx, req)
	if err != nil {
		return nil, err
	}
	return &orderv1.CreateOrderResponse{Order: o.message()}, nil
}

// create returns the order of the request, new or found, with its payment
// decided.
func (h *handler) create(ctx context.Context, req *orderv1.CreateOrderRequest) (record, error) {
	asked, err := draft(ctx, req)
	if err != nil {
		return record{}, err
	}
	o, err := h.stored(ctx, asked)
	switch {
	case err != nil:
		return record{}, err
	case !bytes.Equal(o.fingerprint, asked.fingerprint):
		return record{}, orderv1svc.NewOrderErrorRequestIDReused(req.GetRequestId())
	}
	if o.state == pending {
		if o, err = h.pay(ctx, o); err != nil {
			return record{}, err
		}
	}
	if o.state == rejected {
		return record{}, orderv1svc.NewOrderErrorPaymentDeclined(o.id, o.declineReason)
	}
	return o, nil
}

// stored returns the order with the request id of the draft: the one that is
// there, or the draft as stored now. The user is asked for a new order only, so
// that a repetition has the answer of the first time.
func (h *handler) stored(ctx context.Context, asked record) (record, error) {
	o, err := h.orders.byRequest(ctx, asked.requestID)
	if !errors.Is(err, sql.ErrNoRows) {
		return o, err
	}
	if err := h.checkUser(ctx, asked.userID); err != nil {
		return record{}, err
	}
	err = h.orders.db.Tx(ctx, func(tx *sql.Tx) error {
		if o, err = h.orders.insert(ctx, tx, asked); err != nil {
			return err
		}
		return h.enqueue(ctx, tx, o)
	})
	if errors.Is(err, sql.ErrNoRows) { // the same request at the same time
		o, err = h.orders.byRequest(ctx, asked.requestID)
	}
	return o, err
}

// checkUser returns an error unless the user may order.
func (h *handler) checkUser(ctx context.Context, userID string) error {
	res, err := h.users.GetUser(ctx, &userv1.GetUserRequest{UserId: userID})
	switch {
	case err != nil: // the contract says what becomes of a user who is not found
		return fmt.Errorf("get user: %w", err)
	case res.GetUser().GetState() != userv1.UserState_USER_STATE_ACTIVE:
		return orderv1svc.NewOrderErrorUserNotActive(userID)
	}
	return nil
}
