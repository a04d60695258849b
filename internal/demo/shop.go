package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svc"
	"github.com/protosvc/protosvc/internal/system"
	"github.com/protosvc/protosvc/svc/client"
)

// shop is the running system as a customer's program sees it: through the
// generated clients, with the deadlines and retries of the contract.
type shop struct {
	sys      *system.System
	users    userv1svc.UserServiceClient
	orders   orderv1svc.OrderServiceClient
	payments paymentv1svc.PaymentServiceClient
	dialers  []*client.Dialer
}

func enter(sys *system.System) (*shop, error) {
	s := &shop{sys: sys}
	dialer := func(service *system.Service) *client.Dialer {
		d := &client.Dialer{Options: client.Options{Target: service.Target()}}
		s.dialers = append(s.dialers, d)
		return d
	}
	var users, orders, payments error
	s.users, users = userv1svc.DialUserService(dialer(sys.User))
	s.orders, orders = orderv1svc.DialOrderService(dialer(sys.Order))
	s.payments, payments = paymentv1svc.DialPaymentService(dialer(sys.Payment))
	return s, errors.Join(users, orders, payments)
}

// leave closes the connections.
func (s *shop) leave() error {
	var faults []error
	for _, d := range s.dialers {
		faults = append(faults, d.Close())
	}
	return errors.Join(faults...)
}

// basket is a request for tea.
func basket(userID string, channel orderv1.Channel) *orderv1.CreateOrderRequest {
	return &orderv1.CreateOrderRequest{
		RequestId: newUUID(),
		UserId:    userID,
		Channel:   channel,
		Items:     []*orderv1.Item{{Sku: "TEA", Quantity: 2, UnitPrice: euros(1250)}},
	}
}

// basketMinor is what it costs, in cents.
const basketMinor = 2 * 1250

// yacht is a request for more than any payment may be.
func yacht(userID string) *orderv1.CreateOrderRequest {
	return &orderv1.CreateOrderRequest{
		RequestId: newUUID(),
		UserId:    userID,
		Channel:   orderv1.Channel_CHANNEL_WEB,
		Items:     []*orderv1.Item{{Sku: "YACHT", Quantity: 1, UnitPrice: euros(99_000_000)}},
	}
}

func euros(cents int64) *orderv1.Money {
	return &orderv1.Money{CurrencyCode: "EUR", AmountMinor: cents}
}

// postOrder is the same request as HTTP/JSON.
func (s *shop) postOrder(req *orderv1.CreateOrderRequest) curl {
	return curl{url: "http://" + s.sys.Order.HTTP + "/v1/orders", body: compact(req)}
}

// compact is a message as JSON without blanks. Those of protojson are random, so
// that nobody relies on them.
func compact(m proto.Message) string {
	var line bytes.Buffer
	if err := json.Compact(&line, []byte(protojson.Format(m))); err != nil {
		return err.Error() // it is JSON, so there is none
	}
	return line.String()
}

func money(m *orderv1.Money) string {
	return fmt.Sprintf("%s %d.%02d", m.GetCurrencyCode(), m.GetAmountMinor()/100, m.GetAmountMinor()%100)
}

// describe is an order on one line.
func describe(o *orderv1.Order) string {
	return fmt.Sprintf("%s  %s  %s", o.GetOrderId(), money(o.GetTotal()), stateName(o.GetState()))
}

func stateName(s orderv1.OrderState) string { return strings.TrimPrefix(s.String(), "ORDER_STATE_") }

// newUUID is a random UUID, version 4.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
