package order

import (
	"context"
	"sync"
	"time"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/services/internal/id"
	svcerrors "github.com/protosvc/protosvc/svc/errors"
	"google.golang.org/grpc"
)

// WatchOrder sends the order as it is, then again at each change of its state,
// and ends when no state can follow. The history of the order is in its row, so
// no change is missed however fast they come and whichever replica makes them.
func (h *handler) WatchOrder(req *orderv1.WatchOrderRequest, stream grpc.ServerStreamingServer[orderv1.WatchOrderResponse]) error {
	ctx, orderID := stream.Context(), id.Canonical(req.GetOrderId())
	changed, leave := h.watchers.join(orderID) // before the first look, so that no change falls in between
	defer leave()
	h.metrics.OrderWatchers().Inc()
	defer h.metrics.OrderWatchers().Dec()

	o, err := h.find(ctx, orderID)
	sent := len(o.history()) - 1
	for err == nil {
		if sent, err = send(stream, o, sent); err != nil || final(o.state) {
			return err
		}
		if err = h.awaitChange(ctx, changed); err == nil {
			o, err = h.find(ctx, orderID)
		}
	}
	return err
}

// send sends the states that the order has entered beyond the first ones, and
// returns how many it has entered in all.
func send(stream grpc.ServerStreamingServer[orderv1.WatchOrderResponse], o record, sent int) (int, error) {
	history := o.history()
	for _, then := range history[sent:] {
		if err := stream.Send(&orderv1.WatchOrderResponse{Order: then.message()}); err != nil {
			return sent, err
		}
	}
	return len(history), nil
}

// awaitChange returns when this replica has changed the order, and at the latest
// after the interval at which other replicas' changes are looked for. When the
// service stops, it sends the caller to another replica, which loses nothing.
func (h *handler) awaitChange(ctx context.Context, changed <-chan struct{}) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-h.stopping:
		return svcerrors.Stopping.New()
	case <-changed:
	case <-time.After(h.config.Load().GetWatchInterval().AsDuration()):
	}
	return nil
}

// watchers wakes the streams of this process that watch an order. The zero value
// has none.
type watchers struct {
	mu      sync.Mutex
	byOrder map[string]map[chan struct{}]struct{}
}

// join returns a channel that receives after each wake for the order, one value
// for all that nobody has received yet, and a function to call when done.
func (w *watchers) join(orderID string) (changed <-chan struct{}, leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byOrder == nil {
		w.byOrder = map[string]map[chan struct{}]struct{}{}
	}
	if w.byOrder[orderID] == nil {
		w.byOrder[orderID] = map[chan struct{}]struct{}{}
	}
	c := make(chan struct{}, 1)
	w.byOrder[orderID][c] = struct{}{}
	return c, func() { w.leave(orderID, c) }
}

func (w *watchers) leave(orderID string, c chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.byOrder[orderID], c)
	if len(w.byOrder[orderID]) == 0 {
		delete(w.byOrder, orderID)
	}
}

// wake tells all who watch the order to look again. It never blocks.
func (w *watchers) wake(orderID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.byOrder[orderID] {
		select {
		case c <- struct{}{}:
		default: // not yet received: one look shows both changes
		}
	}
}
