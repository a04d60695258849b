package payment_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	"github.com/protosvc/protosvc/services/internal/servicetest"
	"github.com/protosvc/protosvc/services/payment"
	svcerrors "github.com/protosvc/protosvc/svc/errors"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	payer  = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
	other  = "017f22e2-79b0-7cc3-98c4-dc0c0c073990"
	absent = "017f22e2-79b0-7cc3-98c4-dc0c0c073991"
	limit  = 5000
)

// fixture is a running payment service that accepts up to 50.00 EUR or USD, and
// a client of it.
type fixture struct {
	*servicetest.Service
	paymentv1.PaymentServiceClient
	ctx context.Context
	t   *testing.T
}

func start(t *testing.T, url string) fixture {
	s := servicetest.Start(t, paymentv1svc.PaymentService(payment.New, payment.Migrations), fmt.Sprintf(`
database: {url: %q}
service: {max_amount_minor: %d, currencies: [EUR, USD]}
`, url, limit))
	return fixture{s, servicetest.Dial(t, s.Target(), paymentv1svc.DialPaymentService), servicetest.Context(t), t}
}

func onEachEngine(t *testing.T, test func(fixture)) {
	servicetest.OnEachEngine(t, func(t *testing.T, url string) { test(start(t, url)) })
}

func request(reference, payer string, minor int64, currency string) *paymentv1.AuthorizeRequest {
	return &paymentv1.AuthorizeRequest{
		Reference: reference, PayerId: payer, Amount: &paymentv1.Money{CurrencyCode: currency, AmountMinor: minor},
	}
}

// authorize makes a payment of 10.00 EUR.
func (f fixture) authorize(reference string) *paymentv1.Payment {
	f.t.Helper()
	res, err := f.Authorize(f.ctx, request(reference, payer, 1000, "EUR"))
	if err != nil {
		f.t.Fatal(err)
	}
	return res.GetPayment()
}

// outcomes is payments_total by outcome.
func (f fixture) outcomes() string {
	var parts []string
	for _, outcome := range []string{"authorized", "declined", "captured", "refunded"} {
		parts = append(parts, fmt.Sprintf("%s=%v", outcome, f.Metric(f.t, fmt.Sprintf("payments_total{outcome=%q}", outcome))))
	}
	return strings.Join(parts, " ")
}

func TestAuthorizeOnceForAReference(t *testing.T) {
	onEachEngine(t, func(f fixture) {
		first := f.authorize("order-1")
		if first.GetState() != paymentv1.PaymentState_PAYMENT_STATE_AUTHORIZED || first.GetReference() != "order-1" || first.GetPayerId() != payer {
			f.t.Errorf("payment is %v", first)
		}
		if second := f.authorize("order-1"); !proto.Equal(first, second) {
			f.t.Errorf("authorised again: %v, first: %v", second, first)
		}
		if third := f.authorize("order-2"); third.GetPaymentId() == first.GetPaymentId() {
			f.t.Errorf("two references have one payment, %v", third)
		}
		if got, want := f.outcomes(), "authorized=2 declined=0 captured=0 refunded=0"; got != want {
			f.t.Errorf("payments_total: %s, want %s", got, want)
		}
	})
}

func TestAuthorizeRefusesAnotherPayload(t *testing.T) {
	onEachEngine(t, func(f fixture) {
		f.authorize("order-1")
		for _, req := range []*paymentv1.AuthorizeRequest{
			request("order-1", other, 1000, "EUR"),
			request("order-1", payer, 1001, "EUR"),
			request("order-1", payer, 1000, "USD"),
			request("order-1", payer, limit+1, "EUR"),
		} {
			if _, err := f.Authorize(f.ctx, req); !errors.Is(err, paymentv1svc.PaymentErrorReferenceReused) {
				f.t.Errorf("Authorize(%v): %v, want %v", req, err, paymentv1svc.PaymentErrorReferenceReused)
			}
		}
	})
}

func TestDeclinedIsStoredAndAnsweredAgain(t *testing.T) {
	onEachEngine(t, func(f fixture) {
		for reference, test := range map[string]struct {
			minor            int64
			currency, reason string
		}{
			"much":    {limit + 1, "EUR", "amount_above_limit"},
			"pounds":  {1000, "GBP", "currency_not_accepted"},
			"both":    {limit + 1, "GBP", "currency_not_accepted"},
			"allowed": {limit, "USD", ""},
		} {
			for range 2 {
				_, err := f.Authorize(f.ctx, request(reference, payer, test.minor, test.currency))
				if got := declineReason(err); got != test.reason {
					f.t.Errorf("%s: %v, reason %q, want %q", reference, err, got, test.reason)
				}
			}
		}
		if got, want := f.outcomes(), "authorized=1 declined=3 captured=0 refunded=0"; got != want {
			f.t.Errorf("payments_total: %s, want %s", got, want)
		}
	})
}

func declineReason(err error) string {
	if typed, ok := errors.AsType[*svcerrors.Error](err); ok && errors.Is(err, paymentv1svc.PaymentErrorDeclined) {
		return typed.Metadata["decline_reason"]
	}
	return ""
}

func TestConcurrentAuthorizeMakesOnePayment(t *testing.T) {
	onEachEngine(t, func(f fixture) {
		var group sync.WaitGroup
		ids := make(chan string, 200)
		for range cap(ids) {
			group.Go(func() {
				res, err := f.Authorize(f.ctx, request("order-1", payer, 1000, "EUR"))
				if err != nil {
					f.t.Errorf("Authorize: %v", err)
				}
				ids <- res.GetPayment().GetPaymentId()
			})
		}
		group.Wait()
		close(ids)
		first := <-ids
		for id := range ids {
			if id != first {
				f.t.Errorf("payments %s and %s for one reference", first, id)
			}
		}
		if got, want := f.outcomes(), "authorized=1 declined=0 captured=0 refunded=0"; got != want {
			f.t.Errorf("payments_total: %s, want %s", got, want)
		}
	})
}

// Of concurrent requests that differ, one gets the reference.
func TestConcurrentAuthorizeOfDifferentPayloads(t *testing.T) {
	onEachEngine(t, func(f fixture) {
		var group sync.WaitGroup
		results := make(chan error, 50)
		for i := range cap(results) {
			group.Go(func() {
				_, err := f.Authorize(f.ctx, request("order-1", payer, int64(1+i), "EUR"))
				results <- err
			})
		}
		group.Wait()
		close(results)
		won := 0
		for err := range results {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, paymentv1svc.PaymentErrorReferenceReused):
				f.t.Errorf("Authorize: %v", err)
			}
		}
		if won != 1 {
			f.t.Errorf("%d different payments for one reference", won)
		}
	})
}

// Every move from every state: allowed, repeated, or refused with both states.
func TestMoves(t *testing.T) {
	onEachEngine(t, func(f fixture) {
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
			if stored := f.get(id); err == nil && !proto.Equal(got, stored) {
				f.t.Errorf("%v: answered %v, stored %v", test, got, stored)
			}
		}
		if got, want := f.outcomes(), "authorized=8 declined=0 captured=5 refunded=6"; got != want {
			f.t.Errorf("payments_total: %s, want %s", got, want)
		}
	})
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
	typed, ok := errors.AsType[*svcerrors.Error](err)
	switch {
	case err == nil:
		return ""
	case ok && errors.Is(err, paymentv1svc.PaymentErrorTransitionNotAllowed):
		return typed.Metadata["state"] + " to " + typed.Metadata["wanted"]
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
	onEachEngine(t, func(f fixture) {
		if _, err := f.Authorize(f.ctx, request("much", payer, limit+1, "EUR")); err == nil {
			f.t.Fatal("payment above the limit was authorised")
		}
		id := f.reconcile("much", limit+1, "EUR")[0].GetPayment().GetPaymentId()
		for move, want := range map[string]string{"capture": "DECLINED to CAPTURED", "refund": "DECLINED to REFUNDED"} {
			if _, err := f.move(id, move); refusal(err) != want {
				f.t.Errorf("%s: %v, want %s", move, err, want)
			}
		}
	})
}

func TestAbsentPayment(t *testing.T) {
	onEachEngine(t, func(f fixture) {
		_, get := f.GetPayment(f.ctx, &paymentv1.GetPaymentRequest{PaymentId: absent})
		_, capture := f.move(absent, "capture")
		_, refund := f.move(absent, "refund")
		for _, err := range []error{get, capture, refund} {
			if !errors.Is(err, paymentv1svc.PaymentErrorNotFound) {
				f.t.Errorf("%v, want %v", err, paymentv1svc.PaymentErrorNotFound)
			}
		}
	})
}

// Captures and refunds at the same time end as refunded, each counted once.
func TestConcurrentMoves(t *testing.T) {
	onEachEngine(t, func(f fixture) {
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
		if got := f.Metric(f.t, `payments_total{outcome="refunded"}`); got != 1 {
			f.t.Errorf("%v refunds were counted, want 1", got)
		}
		if got := f.Metric(f.t, `payments_total{outcome="captured"}`); got > 1 {
			f.t.Errorf("%v captures were counted, want 1 at the most", got)
		}
	})
}

func TestReconcileAnswersLineByLine(t *testing.T) {
	onEachEngine(t, func(f fixture) {
		p := f.authorize("order-1")
		stream, err := f.Reconcile(f.ctx)
		if err != nil {
			f.t.Fatal(err)
		}
		for _, test := range []struct {
			reference string
			minor     int64
			currency  string
			want      paymentv1.ReconcileResult
		}{
			{"order-1", 1000, "EUR", paymentv1.ReconcileResult_RECONCILE_RESULT_MATCHED},
			{"order-1", 1001, "EUR", paymentv1.ReconcileResult_RECONCILE_RESULT_AMOUNT_DIFFERS},
			{"order-1", 1000, "USD", paymentv1.ReconcileResult_RECONCILE_RESULT_AMOUNT_DIFFERS},
			{"order-2", 1000, "EUR", paymentv1.ReconcileResult_RECONCILE_RESULT_MISSING},
		} {
			line := &paymentv1.ReconcileRequest{Reference: test.reference, Amount: &paymentv1.Money{CurrencyCode: test.currency, AmountMinor: test.minor}}
			if err := stream.Send(line); err != nil {
				f.t.Fatal(err)
			}
			got, err := stream.Recv()
			if err != nil {
				f.t.Fatal(err)
			}
			want := &paymentv1.ReconcileResponse{Reference: test.reference, Result: test.want, Payment: p}
			if test.want == paymentv1.ReconcileResult_RECONCILE_RESULT_MISSING {
				want.Payment = nil
			}
			if !proto.Equal(got, want) {
				f.t.Errorf("%v: %v, want %v", line, got, want)
			}
		}
		if err := stream.CloseSend(); err != nil {
			f.t.Fatal(err)
		}
		if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
			f.t.Errorf("after the last line: %v, want EOF", err)
		}
	})
}

// reconcile sends one line and returns all results.
func (f fixture) reconcile(reference string, minor int64, currency string) (results []*paymentv1.ReconcileResponse) {
	f.t.Helper()
	stream, err := f.Reconcile(f.ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := stream.Send(&paymentv1.ReconcileRequest{Reference: reference, Amount: &paymentv1.Money{CurrencyCode: currency, AmountMinor: minor}}); err != nil {
		f.t.Fatal(err)
	}
	if err := stream.CloseSend(); err != nil {
		f.t.Fatal(err)
	}
	for {
		res, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return results
		}
		if err != nil {
			f.t.Fatal(err)
		}
		results = append(results, res)
	}
}

// A caller who goes away in the middle leaves nothing behind.
func TestReconcileEndsWithItsCaller(t *testing.T) {
	f := start(t, "sqlite::memory:")
	inFlight := func() float64 {
		return f.Metric(t, `grpc_server_in_flight{grpc_method="Reconcile",grpc_service="payment.v1.PaymentService",grpc_type="bidi_stream"}`)
	}
	ctx, cancel := context.WithCancel(f.ctx)
	stream, err := f.Reconcile(ctx)
	if err != nil {
		t.Fatal(err)
	}
	servicetest.Eventually(t, "a call in flight", func() bool { return inFlight() == 1 })
	cancel()
	if _, err := stream.Recv(); status.Code(err) != codes.Canceled {
		t.Errorf("Recv after cancel: %v", err)
	}
	servicetest.Eventually(t, "no call in flight", func() bool { return inFlight() == 0 })
}
