package order_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
)

func TestCancelRefundsOnce(t *testing.T) {
	f := start(t, polling)
	req := request(250)
	o := f.mustCreate(req)
	first, err := f.cancel(o.GetOrderId())
	if err != nil || first.GetState() != cancelled {
		f.t.Fatalf("CancelOrder: %v, %v", first, err)
	}
	f.bank.set(down) // the second time the bank is not asked
	second, err := f.cancel(o.GetOrderId())
	if err != nil || !proto.Equal(first, second) {
		f.t.Errorf("cancelled again: %v, %v, first: %v", second, err, first)
	}
	if again, err := f.create(req); err != nil || !proto.Equal(again, o) {
		f.t.Errorf("CreateOrder with the same request id: %v, %v, want the first answer, %v", again, err, o)
	}
	if _, refunds := f.bank.made(); refunds != 1 {
		f.t.Errorf("%d refunds, want 1", refunds)
	}
}

func TestConcurrentCancels(t *testing.T) {
	f := start(t, polling)
	o := f.mustCreate(request(250))
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if got, err := f.cancel(o.GetOrderId()); err != nil || got.GetState() != cancelled {
				f.t.Errorf("CancelOrder: %v, %v", got, err)
			}
		})
	}
	group.Wait()
}

func TestWhatCannotBeCancelled(t *testing.T) {
	f := start(t, polling)
	_, declined := f.create(request(limit + 1))
	f.bank.set(down)
	for orderID, state := range map[string]string{
		metadata(declined, "order_id"):        "REJECTED",
		f.mustStay(request(250)).GetOrderId(): "PENDING",
	} {
		_, err := f.cancel(orderID)
		want := orderv1svc.OrderErrorTransitionNotAllowedParams{
			OrderID: orderID, State: state, Since: f.get(orderID).GetUpdateTime().AsTime(), Wanted: "CANCELLED",
		}
		if got, ok := orderv1svc.AsOrderErrorTransitionNotAllowed(err); !ok || got != want {
			f.t.Errorf("CancelOrder of an order that is %s: %v", state, err)
		}
	}
}

func TestCancelWaitsWhileTheBankIsDown(t *testing.T) {
	f := start(t, polling)
	o := f.mustCreate(request(250))
	f.bank.set(down)
	if _, err := f.cancel(o.GetOrderId()); !transient(err) {
		f.t.Errorf("CancelOrder while the bank is down: %v, want Unavailable", err)
	}
	if got := f.get(o.GetOrderId()); got.GetState() != cancelling {
		f.t.Errorf("order is %v, want cancelling", got)
	}
	f.bank.set(nil)
	if got, err := f.cancel(o.GetOrderId()); err != nil || got.GetState() != cancelled {
		f.t.Errorf("CancelOrder: %v, %v", got, err)
	}
}

// TestCallersOfAnotherVersion: what an error says may not fit the contract of whoever
// reads it, who knows the error all the same.
func TestCallersOfAnotherVersion(t *testing.T) {
	err := orderv1svc.OrderErrorTransitionNotAllowed.New("order_id", "7", "since", "yesterday", "by", "somebody")
	want := orderv1svc.OrderErrorTransitionNotAllowedParams{OrderID: "7"}
	if got, ok := orderv1svc.AsOrderErrorTransitionNotAllowed(fmt.Errorf("cancel: %w", err)); !ok || got != want {
		t.Errorf("%v says %+v, %t, want %+v", err, got, ok, want)
	}
	for _, other := range []error{nil, orderv1svc.NewOrderErrorNotFound("7"), errors.New("lost")} {
		if got, ok := orderv1svc.AsOrderErrorTransitionNotAllowed(other); ok {
			t.Errorf("%v is taken for %+v", other, got)
		}
	}
}
