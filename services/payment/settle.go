package payment

import (
	"context"
	"database/sql"
	"errors"
	"time"

	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	"github.com/protosvc/protosvc/services/internal/id"
)

// Capture takes money that was authorised.
func (h *handler) Capture(ctx context.Context, req *paymentv1.CaptureRequest) (*paymentv1.CaptureResponse, error) {
	r, err := h.settle(ctx, id.Canonical(req.GetPaymentId()), capture)
	if err != nil {
		return nil, err
	}
	return &paymentv1.CaptureResponse{Payment: r.message()}, nil
}

// Refund gives the money back, whether it was only reserved or taken.
func (h *handler) Refund(ctx context.Context, req *paymentv1.RefundRequest) (*paymentv1.RefundResponse, error) {
	r, err := h.settle(ctx, id.Canonical(req.GetPaymentId()), refund)
	if err != nil {
		return nil, err
	}
	return &paymentv1.RefundResponse{Payment: r.message()}, nil
}

// settle makes the move. A payment that made it before stays as it is.
func (h *handler) settle(ctx context.Context, paymentID string, m move) (record, error) {
	r, err := h.payments.move(ctx, paymentID, m)
	switch {
	case err == nil:
		h.metrics.PaymentsTotal(m.outcome).Inc()
	case errors.Is(err, sql.ErrNoRows):
		return h.settled(ctx, paymentID, m)
	}
	return r, err
}

// settled returns a payment that made the move before, or says why it cannot.
// The state that it reads is past all that the move may start from, because
// payments never move back.
func (h *handler) settled(ctx context.Context, paymentID string, m move) (record, error) {
	r, err := h.payments.byID(ctx, paymentID)
	switch {
	case err != nil:
		return record{}, notFound(err, paymentID)
	case r.state != m.to:
		return record{}, paymentv1svc.NewPaymentErrorTransitionNotAllowed(paymentv1svc.PaymentErrorTransitionNotAllowedParams{
			PaymentID: paymentID, State: stateName(r.state), Since: time.UnixMicro(r.updated), Wanted: stateName(m.to),
		})
	}
	return r, nil
}
