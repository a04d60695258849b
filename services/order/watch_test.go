package order_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
)

const watchers = "order_watchers"

// watch opens a stream and returns a function that returns the next state.
func (f fixture) watch(ctx context.Context, orderID string) func() *orderv1.Order {
	f.t.Helper()
	stream, err := f.WatchOrder(ctx, &orderv1.WatchOrderRequest{OrderId: orderID})
	if err != nil {
		f.t.Fatal(err)
	}
	return func() *orderv1.Order {
		f.t.Helper()
		res, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			f.t.Fatal(err)
		}
		return res.GetOrder()
	}
}

// walk brings an order through all states, and checks that the stream, which may
// be another replica's, shows each.
func (f fixture) walk(watcher fixture) {
	f.t.Helper()
	req := request(250)
	f.bank.set(down)
	o := f.mustStay(req)
	next := watcher.watch(f.ctx, o.GetOrderId())
	if got := next(); got.GetState() != pending {
		f.t.Fatalf("first state is %v, want pending", got)
	}
	f.bank.set(nil)
	f.mustCreate(req)
	if _, err := f.cancel(o.GetOrderId()); err != nil {
		f.t.Fatal(err)
	}
	for _, want := range []orderv1.OrderState{confirmed, cancelling, cancelled} {
		got := next()
		if got.GetState() != want || got.GetPaymentId() == "" || got.GetUpdateTime().AsTime().Before(o.GetUpdateTime().AsTime()) {
			f.t.Errorf("next state is %v, want %v after %v", got, want, o)
		}
		o = got
	}
	if got := next(); got != nil {
		f.t.Errorf("after the final state: %v, want the end", got)
	}
}

// The number of watchers is known from the start on: dashboards tell 0 from unknown.
func TestNobodyWatches(t *testing.T) {
	f := start(t, noPolling)
	if got := f.Metric(watchers); got != 0 {
		t.Errorf("%v watchers", got)
	}
}

func TestWatchShowsEveryState(t *testing.T) {
	f := start(t, noPolling)
	f.walk(f)
}

func TestWatchShowsWhatOtherReplicasDo(t *testing.T) {
	f := start(t, polling)
	f.walk(f.replica(polling))
}

func TestWatchOfAFinalOrder(t *testing.T) {
	f := start(t, polling)
	_, declined := f.create(request(limit + 1))
	next := f.watch(f.ctx, metadata(declined, "order_id"))
	if got := next(); got.GetState() != rejected {
		f.t.Errorf("first state is %v, want rejected", got)
	}
	if got := next(); got != nil {
		f.t.Errorf("after the final state: %v, want the end", got)
	}
}

func TestWatchEndsWithItsCaller(t *testing.T) {
	f := start(t, polling)
	o := f.mustCreate(request(250))
	ctx, leave := context.WithCancel(f.ctx)
	stream, err := f.WatchOrder(ctx, &orderv1.WatchOrderRequest{OrderId: o.GetOrderId()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	if got := f.Metric(watchers); got != 1 {
		t.Errorf("%s is %v, want 1", watchers, got)
	}
	leave()
	if _, err := stream.Recv(); status.Code(err) != codes.Canceled {
		t.Errorf("Recv of a caller who left: %v", err)
	}
	f.Eventually("no watcher is left", func() bool { return f.Metric(watchers) == 0 })
}

func TestManyWatchersOfOneOrder(t *testing.T) {
	f := start(t, polling)
	o := f.mustCreate(request(250))
	var streams []func() *orderv1.Order
	for range 20 {
		next := f.watch(f.ctx, o.GetOrderId())
		next()
		streams = append(streams, next)
	}
	if _, err := f.cancel(o.GetOrderId()); err != nil {
		t.Fatal(err)
	}
	for i, next := range streams {
		if got := fmt.Sprint(next().GetState(), next().GetState(), next()); got != fmt.Sprint(cancelling, cancelled, (*orderv1.Order)(nil)) {
			t.Errorf("watcher %d saw %s", i, got)
		}
	}
}
