package main

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
)

// call is a request that is measured, what the handler must get of it, and what it answers.
type call struct {
	name                 string
	method, target, body string
	request, response    proto.Message
}

const (
	orderID = "0af76519-16cd-43dd-8448-eb211c80319c"
	userID  = "b7ad6b71-6920-4331-9c3c-2d7f1a4e5b60"
	token   = "eyJhZnRlciI6IjIwMjYtMDEtMDIifQ=="
)

// calls are those of the report.
func calls() ([]call, error) {
	create := &orderv1.CreateOrderRequest{RequestId: orderID, UserId: userID, Items: items, Channel: orderv1.Channel_CHANNEL_APP}
	body, err := protojson.Marshal(create)
	if err != nil {
		return nil, err
	}
	return []call{
		{
			name: "GET by path", method: "GET", target: "/v1/orders/" + orderID,
			request: &orderv1.GetOrderRequest{OrderId: orderID}, response: &orderv1.GetOrderResponse{Order: order},
		},
		{
			name: "GET with query", method: "GET", target: "/v1/users/" + userID + "/orders?page_size=2&page_token=eyJhZnRlciI6IjIwMjYtMDEtMDIifQ%3D%3D",
			request:  &orderv1.ListOrdersRequest{UserId: userID, PageSize: 2, PageToken: token},
			response: &orderv1.ListOrdersResponse{Orders: []*orderv1.Order{order, order}, NextPageToken: token},
		},
		{
			name: "POST of three items", method: "POST", target: "/v1/orders", body: string(body),
			request: create, response: &orderv1.CreateOrderResponse{Order: order},
		},
	}, nil
}

var items = []*orderv1.Item{item("A-1001", 1, 1999), item("B-2002", 2, 499), item("C-3003", 10, 12900)}

func item(sku string, quantity int32, cents int64) *orderv1.Item {
	return &orderv1.Item{Sku: sku, Quantity: quantity, UnitPrice: &orderv1.Money{CurrencyCode: "EUR", AmountMinor: cents}}
}

var order = &orderv1.Order{
	OrderId: orderID, UserId: userID, Items: items, Total: &orderv1.Money{CurrencyCode: "EUR", AmountMinor: 131997},
	State: orderv1.OrderState_ORDER_STATE_CONFIRMED, PaymentId: "pay_5513", Channel: orderv1.Channel_CHANNEL_APP,
	CreateTime: timestamppb.New(time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)),
	UpdateTime: timestamppb.New(time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)),
}

// orders is the handler behind every side. It answers with the response of the call that
// is under way.
type orders struct {
	orderv1.UnimplementedOrderServiceServer
	call     call
	checking bool // whether the request is the one of the call
}

func (o *orders) GetOrder(_ context.Context, in *orderv1.GetOrderRequest) (*orderv1.GetOrderResponse, error) {
	return o.call.response.(*orderv1.GetOrderResponse), o.check(in)
}

func (o *orders) ListOrders(_ context.Context, in *orderv1.ListOrdersRequest) (*orderv1.ListOrdersResponse, error) {
	return o.call.response.(*orderv1.ListOrdersResponse), o.check(in)
}

func (o *orders) CreateOrder(_ context.Context, in *orderv1.CreateOrderRequest) (*orderv1.CreateOrderResponse, error) {
	return o.call.response.(*orderv1.CreateOrderResponse), o.check(in)
}

func (o *orders) check(in proto.Message) error {
	if !o.checking || proto.Equal(in, o.call.request) {
		return nil
	}
	return status.Error(codes.Internal, fmt.Sprintf("the handler got %v", in))
}
