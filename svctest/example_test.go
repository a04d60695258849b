package svctest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svctest"
	userv1 "github.com/protosvc/protosvc/generated/user/v1"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svc"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svctest"
	"github.com/protosvc/protosvc/services/order"
	"github.com/protosvc/protosvc/svctest"
)

// people is a fake of the user service that knows ada, who is active.
func people() *userv1svctest.UserService {
	return &userv1svctest.UserService{
		GetUserFunc: func(_ context.Context, req *userv1.GetUserRequest) (*userv1.GetUserResponse, error) {
			if req.GetUserId() != ada {
				return nil, userv1svc.NewUserErrorNotFound(req.GetUserId())
			}
			return &userv1.GetUserResponse{User: &userv1.User{UserId: ada, State: userv1.UserState_USER_STATE_ACTIVE}}, nil
		},
	}
}

// bank is a fake of the payment service that authorises everything.
func bank() *paymentv1svctest.PaymentService {
	return &paymentv1svctest.PaymentService{
		AuthorizeFunc: func(context.Context, *paymentv1.AuthorizeRequest) (*paymentv1.AuthorizeResponse, error) {
			return &paymentv1.AuthorizeResponse{Payment: &paymentv1.Payment{PaymentId: newID()}}, nil
		},
	}
}

const (
	ada    = "017f22e2-79b0-7cc3-98c4-dc0c0c000001"
	nobody = "017f22e2-79b0-7cc3-98c4-dc0c0c000002"
)

// The order service with fakes of what it calls. In a test, t is its parameter.
func Example() {
	t := newT()
	defer t.end()

	payments := bank()
	s := svctest.Start(t, orderv1svc.OrderService(order.New, order.Migrations),
		svctest.Fake(userv1svc.UserService)(people()),
		svctest.Fake(paymentv1svc.PaymentService)(payments))
	orders := orderv1.NewOrderServiceClient(s.Conn)

	created, err := orders.CreateOrder(t.Context(), request(ada))
	fmt.Println(created.GetOrder().GetState(), err)

	_, err = orders.CreateOrder(t.Context(), request(nobody))
	fmt.Println(errors.Is(err, orderv1svc.OrderErrorUserNotFound))

	for _, call := range payments.AuthorizeCalls() {
		fmt.Println(call.GetAmount().GetAmountMinor(), call.GetAmount().GetCurrencyCode())
	}
	fmt.Println(s.Metric(`orders_created_total{channel="web"}`))
	// Output:
	// ORDER_STATE_CONFIRMED <nil>
	// true
	// 250 EUR
	// 1
}

// A part of a handler gets what it needs without a server.
func ExampleDeps() {
	t := newT()
	defer t.end()

	deps := svctest.Deps(t, userv1svc.UserService, nil)
	var one int
	err := deps.DB.QueryRowContext(t.Context(), "SELECT 1").Scan(&one)
	fmt.Println(one, err)
	// Output: 1 <nil>
}

// request is for an order of the user's, each a new one.
func request(userID string) *orderv1.CreateOrderRequest {
	return &orderv1.CreateOrderRequest{
		RequestId: newID(), UserId: userID, Channel: orderv1.Channel_CHANNEL_WEB,
		Items: []*orderv1.Item{{Sku: "A-1", Quantity: 1, UnitPrice: &orderv1.Money{CurrencyCode: "EUR", AmountMinor: 250}}},
	}
}

var _ testing.TB = (*fakeT)(nil)
