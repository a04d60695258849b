package order_test

import (
	"context"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/database"
)

// A service stops in the middle of orders; the next one finishes them.
func TestOutboxAfterARestart(t *testing.T) {
	f := start(t, polling)
	toCancel := f.mustCreate(request(250)).GetOrderId()
	f.bank.set(down)
	toConfirm := f.mustStay(request(250)).GetOrderId()
	toReject := f.mustStay(request(limit + 1)).GetOrderId()
	if _, err := f.cancel(toCancel); !transient(err) {
		f.t.Fatalf("CancelOrder while the bank is down: %v", err)
	}
	f.Stop()
	f.bank.set(nil)
	next := f.replica(polling)
	next.awaitState(toConfirm, confirmed)
	next.awaitState(toReject, rejected)
	next.awaitState(toCancel, cancelled)
	if payments, refunds := f.bank.made(); payments != 2 || refunds != 1 {
		f.t.Errorf("%d payments and %d refunds, want 2 and 1", payments, refunds)
	}
	if got := next.Metric(createdOnWeb); got != 1 {
		f.t.Errorf("%s is %v, want 1", createdOnWeb, got)
	}
}

// A caller goes away after the payment was made and before it was noted down.
func TestOutboxAfterACallerLeft(t *testing.T) {
	f := start(t, polling)
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
}

// Replicas deliver for the same orders at the same time, while the bank comes and
// goes and one order can never be paid.
func TestOutboxOfReplicas(t *testing.T) {
	f := start(t, polling)
	const poison = 666
	f.bank.set(down)
	stuck := f.mustStay(request(poison)).GetOrderId()
	var waiting []string
	for range 5 {
		waiting = append(waiting, f.mustStay(request(250)).GetOrderId())
	}
	replicas := []fixture{f, f.replica(polling), f.replica(polling), f.replica(polling)}
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
	counted := func() (n float64) {
		for _, r := range replicas {
			n += r.Metric(createdOnWeb)
		}
		return n
	}
	f.Eventually("five orders are counted", func() bool { return counted() == 5 })
	if payments, _ := f.bank.made(); payments != 5 || counted() != 5 {
		f.t.Errorf("%d payments, %v orders counted, want 5 and 5", payments, counted())
	}
}

// An order that an earlier release left half way has no message in the outbox. It
// is adopted once, by whichever replica, when it is old enough.
func TestAdoption(t *testing.T) {
	f := start(t, polling)
	toCancel := f.mustCreate(request(250)).GetOrderId()
	f.bank.set(down)
	toConfirm := f.mustStay(request(250)).GetOrderId()
	if _, err := f.cancel(toCancel); !transient(err) {
		t.Fatalf("CancelOrder while the bank is down: %v", err)
	}
	f.Stop()
	db, err := database.Open(f.ctx, database.Options{URL: f.Database})
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"DELETE FROM svc_outbox", "DELETE FROM svc_idempotency",
		"UPDATE orders SET deferred = FALSE, update_time = update_time - 60000000",
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	f.bank.set(nil)
	next := f.replica(polling)
	f.replica(polling)
	next.awaitState(toConfirm, confirmed)
	next.awaitState(toCancel, cancelled)
	if payments, refunds := f.bank.made(); payments != 2 || refunds != 1 {
		t.Errorf("%d payments and %d refunds, want 2 and 1", payments, refunds)
	}
}
