package payment_test

import (
	"errors"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	svcerrors "github.com/protosvc/protosvc/svc/errors"
)

func TestAuthorizeOnceForAReference(t *testing.T) {
	f := start(t)
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
}

func TestAuthorizeRefusesAnotherPayload(t *testing.T) {
	f := start(t)
	f.authorize("order-1")
	for _, req := range []*paymentv1.AuthorizeRequest{
		request("order-1", other, 1000, "EUR"),
		request("order-1", payer, 1001, "EUR"),
		request("order-1", payer, 1000, "USD"),
		request("order-1", payer, limit+1, "EUR"),
	} {
		if _, err := f.Authorize(f.ctx, req); !errors.Is(err, svcerrors.IdempotencyKeyConflict) {
			f.t.Errorf("Authorize(%v): %v, want %v", req, err, svcerrors.IdempotencyKeyConflict)
		}
	}
}

func TestDeclinedIsStoredAndAnsweredAgain(t *testing.T) {
	f := start(t)
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
}

func declineReason(err error) string {
	declined, _ := paymentv1svc.AsPaymentErrorDeclined(err)
	return declined.DeclineReason
}

func TestConcurrentAuthorizeMakesOnePayment(t *testing.T) {
	f := start(t)
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
}

// Of concurrent requests that differ, one gets the reference.
func TestConcurrentAuthorizeOfDifferentPayloads(t *testing.T) {
	f := start(t)
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
		case !errors.Is(err, svcerrors.IdempotencyKeyConflict):
			f.t.Errorf("Authorize: %v", err)
		}
	}
	if won != 1 {
		f.t.Errorf("%d different payments for one reference", won)
	}
}
