package payment_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
)

// Every move from every state: allowed, repeated, or refused with both states.
func TestMoves(t *testing.T) {
	f := start(t)
	for i, test := range []struct{ before, move, refused string }{
		{"", "capture", ""},
		{"", "refund", ""},
		{"capture", "capture", ""},
		{"capture", "refund", ""},
		{"refund", "refund", ""},
		{"refund", "capture", "REFUNDED to CAPTURED"},
		{"capture refund", "refund", ""},
		{"capture refund", "capture", "REFUNDED to CAPTURED"},
	} {
		id := f.authorize(fmt.Sprint("order-", i)).GetPaymentId()
		for _, move := range strings.Fields(test.before) {
			if _, err := f.move(id, move); err != nil {
				f.t.Fatalf("%v: %s: %v", test, move, err)
			}
		}
		got, err := f.move(id, test.move)
		if refusal(err) != test.refused {
			f.t.Errorf("%v: %v", test, err)
		}
		stored := f.get(id)
		if err == nil && !proto.Equal(got, stored) {
			f.t.Errorf("%v: answered %v, stored %v", test, got, stored)
		}
		refused, ok := paymentv1svc.AsPaymentErrorTransitionNotAllowed(err)
		if ok && (refused.PaymentID != id || !refused.Since.Equal(stored.GetUpdateTime().AsTime())) {
			f.t.Errorf("%v: refused with %+v, stored %v", test, refused, stored)
		}
	}
	if got, want := f.outcomes(), "authorized=8 declined=0 captured=5 refunded=6"; got != want {
		f.t.Errorf("payments_total: %s, want %s", got, want)
	}
}

// move captures or refunds a payment.
func (f fixture) move(id, name string) (*paymentv1.Payment, error) {
	if name == "capture" {
		res, err := f.Capture(f.ctx, &paymentv1.CaptureRequest{PaymentId: id})
		return res.GetPayment(), err
	}
	res, err := f.Refund(f.ctx, &paymentv1.RefundRequest{PaymentId: id})
	return res.GetPayment(), err
}

// refusal is the move that an error of the contract refuses.
func refusal(err error) string {
	refused, ok := paymentv1svc.AsPaymentErrorTransitionNotAllowed(err)
	switch {
	case err == nil:
		return ""
	case ok:
		return refused.State + " to " + refused.Wanted
	}
	return err.Error()
}

func (f fixture) get(id string) *paymentv1.Payment {
	f.t.Helper()
	res, err := f.GetPayment(f.ctx, &paymentv1.GetPaymentRequest{PaymentId: id})
	if err != nil {
		f.t.Fatal(err)
	}
	return res.GetPayment()
}

// A declined payment has an id too, which Reconcile tells; it cannot be moved.
func TestDeclinedCannotMove(t *testing.T) {
	f := start(t)
	if _, err := f.Authorize(f.ctx, request("much", payer, limit+1, "EUR")); err == nil {
		f.t.Fatal("payment above the limit was authorised")
	}
	id := f.reconcile("much", limit+1, "EUR")[0].GetPayment().GetPaymentId()
	for move, want := range map[string]string{"capture": "DECLINED to CAPTURED", "refund": "DECLINED to REFUNDED"} {
		if _, err := f.move(id, move); refusal(err) != want {
			f.t.Errorf("%s: %v, want %s", move, err, want)
		}
	}
}

func TestAbsentPayment(t *testing.T) {
	f := start(t)
	_, get := f.GetPayment(f.ctx, &paymentv1.GetPaymentRequest{PaymentId: absent})
	_, capture := f.move(absent, "capture")
	_, refund := f.move(absent, "refund")
	for _, err := range []error{get, capture, refund} {
		if !errors.Is(err, paymentv1svc.PaymentErrorNotFound) {
			f.t.Errorf("%v, want %v", err, paymentv1svc.PaymentErrorNotFound)
		}
	}
}

// Captures and refunds at the same time end as refunded, each counted once.
func TestConcurrentMoves(t *testing.T) {
	f := start(t)
	id := f.authorize("order-1").GetPaymentId()
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if _, err := f.move(id, "capture"); err != nil && refusal(err) != "REFUNDED to CAPTURED" {
				f.t.Errorf("capture: %v", err)
			}
		})
		group.Go(func() {
			if _, err := f.move(id, "refund"); err != nil {
				f.t.Errorf("refund: %v", err)
			}
		})
	}
	group.Wait()
	if got := f.get(id).GetState(); got != paymentv1.PaymentState_PAYMENT_STATE_REFUNDED {
		f.t.Errorf("payment is %v in the end", got)
	}
	if got := f.Metric(`payments_total{outcome="refunded"}`); got != 1 {
		f.t.Errorf("%v refunds were counted, want 1", got)
	}
	if got := f.Metric(`payments_total{outcome="captured"}`); got > 1 {
		f.t.Errorf("%v captures were counted, want 1 at the most", got)
	}
}
