package order_test

import (
	"context"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/services/internal/servicetest"
)

// A service stops in the middle of orders; the next one finishes them.
func TestRecoveryAfterARestart(t *testing.T) {
	onEachEngine(t, noRecovery, func(f fixture) {
		toCancel := f.mustCreate(request(250)).GetOrderId()
		f.bank.set(down)
		toConfirm := f.mustStay(request(250)).GetOrderId()
		toReject := f.mustStay(request(limit + 1)).GetOrderId()
		if _, err := f.cancel(toCancel); !transient(err) {
			f.t.Fatalf("CancelOrder while the bank is down: %v", err)
		}
		f.Stop()
		f.bank.set(nil)
		next := f.replica(f.t, recoverAll)
		next.awaitState(toConfirm, confirmed)
		next.awaitState(toReject, rejected)
		next.awaitState(toCancel, cancelled)
		if payments, refunds := f.bank.made(); payments != 2 || refunds != 1 {
			f.t.Errorf("%d payments and %d refunds, want 2 and 1", payments, refunds)
		}
		if got := next.Metric(f.t, createdOnWeb); got != 1 {
			f.t.Errorf("%s is %v, want 1", createdOnWeb, got)
		}
	})
}

// A caller goes away after the payment was made and before it was noted down.
func TestRecoveryAfterACallerLeft(t *testing.T) {
	onEachEngine(t, recoverAll, func(f fixture) {
		called := f.bank.mute()
		ctx, leave := context.WithCancel(f.ctx)
		ended := make(chan error, 1)
		go func() {
			_, err := f.CreateOrder(ctx, request(250))
			ended <- err
		}()
		<-called
		leave()
		if err := <-ended; status.Code(err) != codes.Canceled {
			f.t.Errorf("CreateOrder of a caller who left: %v", err)
		}
		f.bank.set(nil)
		f.awaitState(f.newest().GetOrderId(), confirmed)
		if payments, _ := f.bank.made(); payments != 1 {
			f.t.Errorf("%d payments for one order", payments)
		}
	})
}

// Replicas recover the same orders at the same time, while the bank comes and
// goes and one order can never be paid.
func TestRecoveryByReplicas(t *testing.T) {
	onEachEngine(t, noRecovery, func(f fixture) {
		const poison = 666
		f.bank.set(down)
		stuck := f.mustStay(request(poison)).GetOrderId()
		var waiting []string
		for range 5 {
			waiting = append(waiting, f.mustStay(request(250)).GetOrderId())
		}
		replicas := []fixture{f.replica(f.t, recoverAll), f.replica(f.t, recoverAll), f.replica(f.t, recoverAll)}
		f.bank.setEach(func(_ string, minor int64) error {
			if minor == poison {
				return status.Error(codes.InvalidArgument, "poison")
			}
			return nil
		})
		for _, orderID := range waiting {
			f.awaitState(orderID, confirmed)
		}
		if got := f.get(stuck); got.GetState() != pending {
			f.t.Errorf("order that cannot be paid is %v", got)
		}
		counted := 0.0
		for _, r := range replicas {
			counted += r.Metric(f.t, createdOnWeb)
		}
		if payments, _ := f.bank.made(); payments != 5 || counted != 5 {
			f.t.Errorf("%d payments, %v orders counted, want 5 and 5", payments, counted)
		}
	})
}

// An order that is younger than the recovery age is left to its caller.
func TestRecoveryLeavesYoungOrders(t *testing.T) {
	servicetest.OnEachEngine(t, func(t *testing.T, url string) {
		f := start(t, url, noRecovery)
		f.bank.set(down)
		young := f.mustStay(request(250)).GetOrderId()
		f.bank.set(nil)
		other := f.replica(t, noRecovery)
		if got := other.get(young); got.GetState() != pending {
			t.Errorf("young order is %v", got)
		}
		if payments, _ := f.bank.made(); payments != 0 {
			t.Errorf("%d payments were made for a young order", payments)
		}
	})
}
