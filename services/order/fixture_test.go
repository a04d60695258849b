package order_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svc"
	"github.com/protosvc/protosvc/services/internal/id"
	"github.com/protosvc/protosvc/services/order"
	svcerrors "github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svctest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The states of an order, short.
const (
	pending    = orderv1.OrderState_ORDER_STATE_PENDING
	confirmed  = orderv1.OrderState_ORDER_STATE_CONFIRMED
	rejected   = orderv1.OrderState_ORDER_STATE_REJECTED
	cancelling = orderv1.OrderState_ORDER_STATE_CANCELLING
	cancelled  = orderv1.OrderState_ORDER_STATE_CANCELLED
)

// fixture is a running order service, a client of it, and the services it calls.
type fixture struct {
	*svctest.Service
	orderv1.OrderServiceClient
	*shop
	ctx context.Context
	t   *testing.T
}

// shop is what the replicas of an order service call.
type shop struct {
	people people
	bank   bank
}

// Settings of the service: whether watchers look for themselves.
const (
	polling   = "watch_interval: 20ms"
	noPolling = "watch_interval: 1h"
)

// timeout is for all calls of a test.
const timeout = 30 * time.Second

// start runs an order service on an empty database.
func start(t *testing.T, settings string) fixture {
	t.Parallel()
	s := new(shop)
	s.people.GetUserFunc = s.people.answer
	return s.replica(t, fmt.Sprintf("service: {%s}", settings))
}

// replica runs one more order service on the same database.
func (f fixture) replica(settings string) fixture {
	return f.shop.replica(f.t, fmt.Sprintf("database: {url: %q}\nservice: {%s}", f.Database, settings))
}

func (s *shop) replica(t *testing.T, config string) fixture {
	running := svctest.Start(t, orderv1svc.OrderService(order.New, order.Migrations), svctest.Config(config),
		svctest.Fake(userv1svc.UserService)(&s.people), svctest.Fake(paymentv1svc.PaymentService)(&s.bank))
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	t.Cleanup(cancel)
	return fixture{running, orderv1.NewOrderServiceClient(running.Conn), s, ctx, t}
}

// request asks for an order of ada's with this total.
func request(minor int64) *orderv1.CreateOrderRequest {
	return &orderv1.CreateOrderRequest{
		RequestId: id.New(),
		UserId:    ada,
		Channel:   orderv1.Channel_CHANNEL_WEB,
		Items:     []*orderv1.Item{item(1, minor, "EUR")},
	}
}

func item(quantity int32, minor int64, currency string) *orderv1.Item {
	return &orderv1.Item{Sku: "A-1", Quantity: quantity, UnitPrice: &orderv1.Money{CurrencyCode: currency, AmountMinor: minor}}
}

// create makes an order, as often as a good caller tries.
func (f fixture) create(req *orderv1.CreateOrderRequest) (*orderv1.Order, error) {
	for {
		res, err := f.CreateOrder(f.ctx, req)
		if !transient(err) || f.ctx.Err() != nil {
			return res.GetOrder(), err
		}
	}
}

// transient reports whether the call failed because a callee did not answer. On
// a busy machine the deadline of the call may come before its retries end.
func transient(err error) bool {
	code := status.Code(err)
	return code == codes.Unavailable || code == codes.DeadlineExceeded
}

// mustCreate makes an order that is confirmed.
func (f fixture) mustCreate(req *orderv1.CreateOrderRequest) *orderv1.Order {
	f.t.Helper()
	o, err := f.create(req)
	if err != nil {
		f.t.Fatal(err)
	}
	if o.GetState() != confirmed {
		f.t.Fatalf("order is %v, want confirmed", o)
	}
	return o
}

// mustStay makes an order that stays pending, because the bank is down.
func (f fixture) mustStay(req *orderv1.CreateOrderRequest) *orderv1.Order {
	f.t.Helper()
	if _, err := f.CreateOrder(f.ctx, req); !transient(err) {
		f.t.Fatalf("CreateOrder while the bank is down: %v, want Unavailable", err)
	}
	o := f.newest()
	if o.GetState() != pending {
		f.t.Fatalf("order is %v, want pending", o)
	}
	return o
}

// newest returns the last order of ada's.
func (f fixture) newest() *orderv1.Order {
	f.t.Helper()
	res, err := f.ListOrders(f.ctx, &orderv1.ListOrdersRequest{UserId: ada, PageSize: 1})
	if err != nil || len(res.GetOrders()) == 0 {
		f.t.Fatalf("ListOrders: %v, %v", res, err)
	}
	return res.GetOrders()[0]
}

func (f fixture) get(orderID string) *orderv1.Order {
	f.t.Helper()
	res, err := f.GetOrder(f.ctx, &orderv1.GetOrderRequest{OrderId: orderID})
	if err != nil {
		f.t.Fatal(err)
	}
	return res.GetOrder()
}

func (f fixture) cancel(orderID string) (*orderv1.Order, error) {
	res, err := f.CancelOrder(f.ctx, &orderv1.CancelOrderRequest{OrderId: orderID})
	return res.GetOrder(), err
}

// awaitState waits until another one has brought the order into the state.
func (f fixture) awaitState(orderID string, want orderv1.OrderState) {
	f.t.Helper()
	f.Eventually(fmt.Sprintf("order becomes %v", want), func() bool { return f.get(orderID).GetState() == want })
}

// metadata is what an error of the contract carries under the key.
func metadata(err error, key string) string {
	typed, _ := errors.AsType[*svcerrors.Error](err)
	if typed == nil {
		return ""
	}
	return typed.Metadata[key]
}
