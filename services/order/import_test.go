package order_test

import (
	"testing"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
)

// importAll sends the requests and returns how it went.
func (f fixture) importAll(reqs ...*orderv1.CreateOrderRequest) *orderv1.ImportOrdersResponse {
	f.t.Helper()
	stream, err := f.ImportOrders(f.ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, req := range reqs {
		if err := stream.Send(&orderv1.ImportOrdersRequest{Order: req}); err != nil {
			f.t.Fatal(err)
		}
	}
	res, err := stream.CloseAndRecv()
	if err != nil {
		f.t.Fatal(err)
	}
	return res
}

func TestImportGoesOnAfterFailures(t *testing.T) {
	f := start(t, polling)
	good, unknown, declined, mixed := request(250), request(250), request(limit+1), request(250)
	unknown.UserId = eve
	mixed.Items = append(mixed.Items, item(1, 1, "USD"))
	want := []*orderv1.ImportFailure{
		{Index: 1, RequestId: unknown.GetRequestId(), Reason: "ORDER_ERROR_USER_NOT_FOUND", Message: "user " + eve + " does not exist"},
		{Index: 2, RequestId: declined.GetRequestId(), Reason: "ORDER_ERROR_PAYMENT_DECLINED"},
		{Index: 3, RequestId: mixed.GetRequestId(), Reason: "ORDER_ERROR_CURRENCIES_DIFFER", Message: "items are priced in EUR and USD"},
	}
	for range 2 { // again: what was created counts as created
		res := f.importAll(good, unknown, declined, mixed, good)
		if res.GetCreated() != 2 || len(res.GetFailures()) != len(want) {
			f.t.Fatalf("import went %v, want 2 created and %d failures", res, len(want))
		}
		for i, got := range res.GetFailures() {
			if got.GetIndex() != want[i].GetIndex() || got.GetRequestId() != want[i].GetRequestId() || got.GetReason() != want[i].GetReason() {
				f.t.Errorf("failure %v, want %v", got, want[i])
			}
			if want[i].GetMessage() != "" && got.GetMessage() != want[i].GetMessage() {
				f.t.Errorf("message %q, want %q", got.GetMessage(), want[i].GetMessage())
			}
		}
	}
	if got := f.Metric(`orders_created_total{channel="import"}`); got != 1 {
		f.t.Errorf("%v imported orders were counted, want 1", got)
	}
	if got := f.Metric(createdOnWeb); got != 0 {
		f.t.Errorf("%v imported orders were counted as of the web", got)
	}
}

func TestImportTellsWhatIsOurFault(t *testing.T) {
	f := start(t, polling)
	f.bank.set(down)
	res := f.importAll(request(250))
	if len(res.GetFailures()) != 1 || res.GetFailures()[0].GetReason() != "UNAVAILABLE" {
		t.Errorf("import while the bank is down went %v", res)
	}
}

func TestImportOfNothing(t *testing.T) {
	f := start(t, polling)
	if res := f.importAll(); res.GetCreated() != 0 || len(res.GetFailures()) != 0 {
		t.Errorf("import of nothing went %v", res)
	}
}
