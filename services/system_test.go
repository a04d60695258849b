// Package services_test runs the three services together, as they are deployed:
// each with its own ports and database, calling each other through sockets.
package services_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	userv1 "github.com/protosvc/protosvc/generated/user/v1"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svc"
	"github.com/protosvc/protosvc/services/internal/id"
	"github.com/protosvc/protosvc/services/order"
	"github.com/protosvc/protosvc/services/payment"
	"github.com/protosvc/protosvc/services/user"
	"github.com/protosvc/protosvc/svctest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shop is the whole system.
type shop struct {
	users    userv1.UserServiceClient
	payments paymentv1.PaymentServiceClient
	orders   orderv1.OrderServiceClient
	running  *svctest.Service // the order service
	ctx      context.Context
	t        *testing.T
}

// start runs the three services.
func start(t *testing.T) shop {
	t.Parallel()
	users := svctest.Start(t, userv1svc.UserService(user.New, user.Migrations))
	payments := svctest.Start(t, paymentv1svc.PaymentService(payment.New, payment.Migrations))
	orders := svctest.Start(t, orderv1svc.OrderService(order.New, order.Migrations), users, payments)
	// Servers take the deadline of a caller, and else the contract's, which a busy machine misses.
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return shop{
		users:    userv1.NewUserServiceClient(users.Conn),
		payments: paymentv1.NewPaymentServiceClient(payments.Conn),
		orders:   orderv1.NewOrderServiceClient(orders.Conn),
		running:  orders,
		ctx:      ctx,
		t:        t,
	}
}

// newUser registers a user and returns its id.
func (s shop) newUser() string {
	s.t.Helper()
	res, err := s.users.CreateUser(s.ctx, &userv1.CreateUserRequest{Email: "ada@example.org", DisplayName: "Ada"})
	if err != nil {
		s.t.Fatal(err)
	}
	return res.GetUser().GetUserId()
}

func request(userID string, minor int64) *orderv1.CreateOrderRequest {
	return &orderv1.CreateOrderRequest{
		RequestId: id.New(), UserId: userID, Channel: orderv1.Channel_CHANNEL_APP,
		Items: []*orderv1.Item{{Sku: "A-1", Quantity: 1, UnitPrice: &orderv1.Money{CurrencyCode: "EUR", AmountMinor: minor}}},
	}
}

func TestAnOrderFromFirstToLast(t *testing.T) {
	s := start(t)
	created, err := s.orders.CreateOrder(s.ctx, request(s.newUser(), 250))
	if err != nil {
		s.t.Fatal(err)
	}
	o := created.GetOrder()
	s.wantPayment(o, paymentv1.PaymentState_PAYMENT_STATE_AUTHORIZED)
	if _, err := s.payments.Capture(s.ctx, &paymentv1.CaptureRequest{PaymentId: o.GetPaymentId()}); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.orders.CancelOrder(s.ctx, &orderv1.CancelOrderRequest{OrderId: o.GetOrderId()}); err != nil {
		s.t.Fatal(err)
	}
	s.wantPayment(o, paymentv1.PaymentState_PAYMENT_STATE_REFUNDED)
}

// wantPayment checks the payment of an order.
func (s shop) wantPayment(o *orderv1.Order, state paymentv1.PaymentState) {
	s.t.Helper()
	res, err := s.payments.GetPayment(s.ctx, &paymentv1.GetPaymentRequest{PaymentId: o.GetPaymentId()})
	p := res.GetPayment()
	if err != nil || p.GetState() != state || p.GetReference() != o.GetOrderId() || p.GetPayerId() != o.GetUserId() || p.GetAmount().GetAmountMinor() != o.GetTotal().GetAmountMinor() {
		s.t.Errorf("payment of %v is %v, %v, want %v", o, p, err, state)
	}
}

func TestRefusalsCrossTheServices(t *testing.T) {
	s := start(t)
	ada := s.newUser()
	_, err := s.orders.CreateOrder(s.ctx, request(ada, 5_000_000))
	if !errors.Is(err, orderv1svc.OrderErrorPaymentDeclined) || !strings.Contains(err.Error(), "amount_above_limit") {
		s.t.Errorf("order above the limit: %v", err)
	}
	_, err = s.orders.CreateOrder(s.ctx, request(id.New(), 250))
	if !errors.Is(err, orderv1svc.OrderErrorUserNotFound) || errors.Is(err, userv1svc.UserErrorNotFound) {
		s.t.Errorf("order of nobody: %v", err)
	}
	if _, err := s.users.DeactivateUser(s.ctx, &userv1.DeactivateUserRequest{UserId: ada}); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.orders.CreateOrder(s.ctx, request(ada, 250)); !errors.Is(err, orderv1svc.OrderErrorUserNotActive) {
		s.t.Errorf("order of a deactivated user: %v", err)
	}
}

// The same over HTTP/JSON: the status of the contract, the error in the body.
func TestRefusalsOverHTTP(t *testing.T) {
	s := start(t)
	ada := s.newUser()
	for _, test := range []struct {
		userID, price string
		status        int
		contains      string
	}{
		{ada, "250", http.StatusOK, `"ORDER_STATE_CONFIRMED"`},
		{ada, "5000000", http.StatusPaymentRequired, `"amount_above_limit"`},
		{id.New(), "250", http.StatusNotFound, `"ORDER_ERROR_USER_NOT_FOUND"`},
		{ada, "0", http.StatusBadRequest, `items[0].unit_price.amount_minor`},
	} {
		status, body := s.post("/v1/orders", fmt.Sprintf(
			`{"requestId": %q, "userId": %q, "items": [{"sku": "A-1", "quantity": 1, "unitPrice": {"currencyCode": "EUR", "amountMinor": %q}}]}`,
			id.New(), test.userID, test.price))
		if status != test.status || !strings.Contains(body, test.contains) {
			s.t.Errorf("order for %s: %d %s, want %d with %s", test.price, status, body, test.status, test.contains)
		}
	}
}

// post sends JSON to the order service.
func (s shop) post(path, body string) (status int, answer string) {
	s.t.Helper()
	res, err := s.running.Client.Post(s.running.HTTP+path, "application/json", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	read, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(read)
}
