package order

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"time"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	"github.com/protosvc/protosvc/services/internal/id"
	"github.com/protosvc/protosvc/services/internal/page"
	"github.com/protosvc/protosvc/svc/propagate"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// record is an order as stored.
type record struct {
	id, requestID, userID string
	fingerprint           []byte
	channel               orderv1.Channel
	items                 []*orderv1.Item
	currency              string
	total                 int64 // minor units
	state                 orderv1.OrderState
	paymentID             string
	declineReason         string
	entered               times
	updated               int64 // microseconds since 1970
}

// draft makes the pending order that a request asks for.
func draft(ctx context.Context, req *orderv1.CreateOrderRequest) (record, error) {
	total, err := sum(req.GetItems())
	if err != nil {
		return record{}, err
	}
	now := time.Now().UnixMicro()
	o := record{
		id:        id.New(),
		requestID: within(ctx, id.Canonical(req.GetRequestId())),
		userID:    id.Canonical(req.GetUserId()),
		channel:   req.GetChannel(),
		items:     req.GetItems(),
		currency:  total.GetCurrencyCode(),
		total:     total.GetAmountMinor(),
		state:     pending,
		entered:   times{0: sql.NullInt64{Int64: now, Valid: true}},
		updated:   now,
	}
	o.fingerprint = o.digest()
	return o, nil
}

// within is the request id as stored: a tenant has request ids of its own. A
// UUID has one length, so the two cannot be taken for others.
func within(ctx context.Context, requestID string) string {
	if tenant := propagate.Value(ctx, "x-tenant-id"); tenant != "" {
		return tenant + "/" + requestID
	}
	return requestID
}

// sum adds up the items, which must be priced in one currency. The rules of the
// contract keep it far from overflow: 100 items · 1,000 pieces · 10⁸ = 10¹³.
func sum(items []*orderv1.Item) (*orderv1.Money, error) {
	total := &orderv1.Money{CurrencyCode: items[0].GetUnitPrice().GetCurrencyCode()}
	for _, item := range items {
		price := item.GetUnitPrice()
		if price.GetCurrencyCode() != total.CurrencyCode {
			return nil, orderv1svc.NewOrderErrorCurrenciesDiffer(total.CurrencyCode, price.GetCurrencyCode())
		}
		total.AmountMinor += int64(item.GetQuantity()) * price.GetAmountMinor()
	}
	return total, nil
}

// digest is a fingerprint of what the caller asked for: all of the request but
// its id. It is stored, so it must never change for the same request; the wire
// form of a message gives no such promise.
func (o record) digest() []byte {
	hash := sha256.New()
	fmt.Fprintf(hash, "%s %d\n", o.userID, o.channel)
	for _, item := range o.items {
		price := item.GetUnitPrice()
		fmt.Fprintf(hash, "%q %d %q %d\n", item.GetSku(), item.GetQuantity(), price.GetCurrencyCode(), price.GetAmountMinor())
	}
	return hash.Sum(nil)
}

// message is the order as the contract shows it.
func (o record) message() *orderv1.Order {
	return &orderv1.Order{
		OrderId:    o.id,
		UserId:     o.userID,
		Items:      o.items,
		Total:      &orderv1.Money{CurrencyCode: o.currency, AmountMinor: o.total},
		State:      o.state,
		PaymentId:  o.paymentID,
		Channel:    o.channel,
		CreateTime: timestamppb.New(time.UnixMicro(o.created())),
		UpdateTime: timestamppb.New(time.UnixMicro(o.updated)),
	}
}

// history is the order as it was in each state that it has entered, the present
// one last.
func (o record) history() []record {
	var past []record
	for i, step := range steps {
		if !o.entered[i].Valid {
			continue
		}
		then := o
		then.state, then.updated = step.state, o.entered[i].Int64
		if step.state == pending {
			then.paymentID = ""
		}
		past = append(past, then)
	}
	return past
}

// created is when the order was stored.
func (o record) created() int64 { return o.entered[0].Int64 }

// position is the place of the order in ListOrders.
func (o record) position() page.Position { return page.Position{Time: o.created(), ID: o.id} }
