package payment_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	"github.com/protosvc/protosvc/services/payment"
	"github.com/protosvc/protosvc/svctest"
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
	*svctest.Service
	paymentv1.PaymentServiceClient
	ctx context.Context
	t   *testing.T
}

func start(t *testing.T) fixture {
	t.Parallel()
	s := svctest.Start(t, paymentv1svc.PaymentService(payment.New, payment.Migrations),
		svctest.Config(fmt.Sprintf("service: {max_amount_minor: %d, currencies: [EUR, USD]}", limit)))
	// Servers take the deadline of a caller, and else the contract's, which a busy machine misses.
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return fixture{s, paymentv1.NewPaymentServiceClient(s.Conn), ctx, t}
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
		parts = append(parts, fmt.Sprintf("%s=%v", outcome, f.Metric(fmt.Sprintf("payments_total{outcome=%q}", outcome))))
	}
	return strings.Join(parts, " ")
}
