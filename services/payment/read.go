package payment

import (
	"context"
	"database/sql"
	"errors"
	"io"

	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	"github.com/protosvc/protosvc/services/internal/id"
	"google.golang.org/grpc"
)

// GetPayment returns one payment.
func (h *handler) GetPayment(ctx context.Context, req *paymentv1.GetPaymentRequest) (*paymentv1.GetPaymentResponse, error) {
	paymentID := id.Canonical(req.GetPaymentId())
	r, err := h.payments.byID(ctx, paymentID)
	if err != nil {
		return nil, notFound(err, paymentID)
	}
	return &paymentv1.GetPaymentResponse{Payment: r.message()}, nil
}

// Reconcile answers every line of the caller's books with what was found, in
// the order of the lines.
func (h *handler) Reconcile(stream grpc.BidiStreamingServer[paymentv1.ReconcileRequest, paymentv1.ReconcileResponse]) error {
	for {
		line, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		found, err := h.compare(stream.Context(), line)
		if err != nil {
			return err
		}
		if err := stream.Send(found); err != nil {
			return err
		}
	}
}

// compare looks up one line.
func (h *handler) compare(ctx context.Context, line *paymentv1.ReconcileRequest) (*paymentv1.ReconcileResponse, error) {
	found := &paymentv1.ReconcileResponse{Reference: line.GetReference()}
	r, err := h.payments.byReference(ctx, line.GetReference())
	switch {
	case errors.Is(err, sql.ErrNoRows):
		found.Result = paymentv1.ReconcileResult_RECONCILE_RESULT_MISSING
		return found, nil
	case err != nil:
		return nil, err
	}
	found.Payment = r.message()
	found.Result = paymentv1.ReconcileResult_RECONCILE_RESULT_MATCHED
	if r.currency != line.GetAmount().GetCurrencyCode() || r.amount != line.GetAmount().GetAmountMinor() {
		found.Result = paymentv1.ReconcileResult_RECONCILE_RESULT_AMOUNT_DIFFERS
	}
	return found, nil
}
