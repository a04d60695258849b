package payment

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	"github.com/protosvc/protosvc/services/internal/id"
)

// Authorize decides on a payment once for its reference, and stores the answer
// with it: the runtime gives it to whoever asks again. After the runtime has
// forgotten it, the payment itself still answers.
func (h *handler) Authorize(ctx context.Context, req *paymentv1.AuthorizeRequest) (*paymentv1.AuthorizeResponse, error) {
	asked := decide(req, h.config.Load())
	var stored record
	err := h.payments.db.Tx(ctx, func(tx *sql.Tx) (err error) {
		if stored, err = h.payments.insert(ctx, tx, asked); err != nil {
			return err
		}
		res, refusal := answer(stored, asked)
		return h.answers.Authorize.Answer(ctx, tx, res, refusal)
	})
	switch {
	case err == nil:
		h.metrics.PaymentsTotal(decision(stored)).Inc()
	case errors.Is(err, sql.ErrNoRows): // the reference is taken
		stored, err = h.payments.byReference(ctx, asked.reference)
	}
	if err != nil {
		return nil, err
	}
	return answer(stored, asked)
}

// answer tells the stored decision to a caller who asked for a payment.
func answer(stored, asked record) (*paymentv1.AuthorizeResponse, error) {
	switch {
	case !stored.samePayload(asked):
		return nil, paymentv1svc.NewPaymentErrorReferenceReused(asked.reference)
	case stored.state == declined:
		return nil, paymentv1svc.NewPaymentErrorDeclined(stored.declineReason)
	}
	return &paymentv1.AuthorizeResponse{Payment: stored.message()}, nil
}

// decide makes the payment that a request asks for, authorised or declined.
func decide(req *paymentv1.AuthorizeRequest, c *paymentv1.Config) record {
	now := time.Now().UnixMicro()
	r := record{
		id:            id.New(),
		reference:     req.GetReference(),
		payerID:       id.Canonical(req.GetPayerId()),
		currency:      req.GetAmount().GetCurrencyCode(),
		amount:        req.GetAmount().GetAmountMinor(),
		state:         authorized,
		declineReason: declineReason(req.GetAmount(), c),
		created:       now,
		updated:       now,
	}
	if r.declineReason != "" {
		r.state = declined
	}
	return r
}

// declineReason says why the amount is refused; empty if it is not.
func declineReason(amount *paymentv1.Money, c *paymentv1.Config) string {
	switch {
	case !slices.Contains(c.GetCurrencies(), amount.GetCurrencyCode()):
		return "currency_not_accepted"
	case amount.GetAmountMinor() > c.GetMaxAmountMinor():
		return "amount_above_limit"
	}
	return ""
}

// decision is the label of payments_total for a new payment.
func decision(r record) string {
	if r.state == declined {
		return "declined"
	}
	return "authorized"
}
