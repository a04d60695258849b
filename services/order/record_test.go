package order

import (
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	"google.golang.org/protobuf/proto"
)

func item(sku string, quantity int32, currency string, minor int64) *orderv1.Item {
	return &orderv1.Item{Sku: sku, Quantity: quantity, UnitPrice: &orderv1.Money{CurrencyCode: currency, AmountMinor: minor}}
}

func TestSum(t *testing.T) {
	for name, test := range map[string]struct {
		items []*orderv1.Item
		want  int64
	}{
		"one":     {[]*orderv1.Item{item("A", 3, "EUR", 250)}, 750},
		"several": {[]*orderv1.Item{item("A", 3, "EUR", 250), item("B", 1, "EUR", 1)}, 751},
		"largest": {slices.Repeat([]*orderv1.Item{item("A", 1000, "EUR", 100_000_000)}, 100), 10_000_000_000_000},
	} {
		got, err := sum(test.items)
		if err != nil || got.GetAmountMinor() != test.want || got.GetCurrencyCode() != "EUR" {
			t.Errorf("%s: sum = %v, %v, want %d EUR", name, got, err, test.want)
		}
	}
	_, err := sum([]*orderv1.Item{item("A", 1, "EUR", 1), item("B", 1, "EUR", 1), item("C", 1, "USD", 1)})
	if !errors.Is(err, orderv1svc.OrderErrorCurrenciesDiffer) {
		t.Errorf("two currencies: %v", err)
	}
}

// Fingerprints are stored: another value for the same request would make every
// repetition of an old request a mix-up.
func TestDigestNeverChanges(t *testing.T) {
	o := record{
		userID:  "017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
		channel: orderv1.Channel_CHANNEL_APP,
		items:   []*orderv1.Item{item("A-1", 3, "EUR", 250), item("B", 1, "EUR", 1)},
	}
	const want = "89f464a897182046fd72f79ebc03be143b2f4d5502bd4372333f9bcbeb5fc8c3"
	if got := hex.EncodeToString(o.digest()); got != want {
		t.Errorf("digest is %s, was %s", got, want)
	}
}

func TestDigestTellsRequestsApart(t *testing.T) {
	base := &orderv1.CreateOrderRequest{
		RequestId: "017f22e2-79b0-7cc3-98c4-dc0c0c073990",
		UserId:    "017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
		Items:     []*orderv1.Item{item("A", 1, "EUR", 2), item("B", 3, "EUR", 4)},
		Channel:   orderv1.Channel_CHANNEL_WEB,
	}
	for name, test := range map[string]struct {
		change func(*orderv1.CreateOrderRequest)
		same   bool
	}{
		"nothing":         {func(*orderv1.CreateOrderRequest) {}, true},
		"other id":        {func(r *orderv1.CreateOrderRequest) { r.RequestId = r.UserId }, true},
		"upper-case user": {func(r *orderv1.CreateOrderRequest) { r.UserId = "017F22E2-79B0-7CC3-98C4-DC0C0C07398F" }, true},
		"user":            {func(r *orderv1.CreateOrderRequest) { r.UserId = r.RequestId }, false},
		"channel":         {func(r *orderv1.CreateOrderRequest) { r.Channel = orderv1.Channel_CHANNEL_APP }, false},
		"sku":             {func(r *orderv1.CreateOrderRequest) { r.Items[0].Sku = "C" }, false},
		"quantity":        {func(r *orderv1.CreateOrderRequest) { r.Items[0].Quantity = 2 }, false},
		"price":           {func(r *orderv1.CreateOrderRequest) { r.Items[1].UnitPrice.AmountMinor = 5 }, false},
		"order of items":  {func(r *orderv1.CreateOrderRequest) { slices.Reverse(r.Items) }, false},
		"fewer items":     {func(r *orderv1.CreateOrderRequest) { r.Items = r.Items[:1] }, false},
	} {
		changed := proto.CloneOf(base)
		test.change(changed)
		if got := slices.Equal(mustDraft(t, base).fingerprint, mustDraft(t, changed).fingerprint); got != test.same {
			t.Errorf("%s: same fingerprint is %v", name, got)
		}
	}
}

func mustDraft(t *testing.T, req *orderv1.CreateOrderRequest) record {
	t.Helper()
	o, err := draft(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return o
}
