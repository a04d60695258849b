package order

import (
	"context"
	"maps"
	"slices"
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
		h.watchers.saw(orderID, o.state)
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

// awaitChange returns when the order has changed. When the service stops, it sends
// the caller to another replica, which loses nothing.
func (h *handler) awaitChange(ctx context.Context, changed <-chan struct{}) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-h.stopping:
		return svcerrors.Stopping.New()
	case <-changed:
		return nil
	}
}

// look looks at intervals for what other replicas have done to the orders that are
// watched here, until ctx ends.
func (h *handler) look(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(h.config.Load().GetWatchInterval().AsDuration()):
		}
		if err := h.watchers.look(ctx, h.orders.states); err != nil && ctx.Err() == nil {
			h.log.DebugContext(ctx, "watchers wait for the next look", "error", err)
		}
	}
}

// watchers wakes the streams of this process that watch an order. The zero value
// has none.
type watchers struct {
	mu      sync.Mutex
	byOrder map[string]*watched
}

// watched is an order that streams watch.
type watched struct {
	state   orderv1.OrderState // what one of them saw last
	streams map[chan struct{}]struct{}
}

// join returns a channel that receives after each wake for the order, one value
// for all that nobody has received yet, and a function to call when done.
func (w *watchers) join(orderID string) (changed <-chan struct{}, leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byOrder == nil {
		w.byOrder = map[string]*watched{}
	}
	if w.byOrder[orderID] == nil {
		w.byOrder[orderID] = &watched{streams: map[chan struct{}]struct{}{}}
	}
	c := make(chan struct{}, 1)
	w.byOrder[orderID].streams[c] = struct{}{}
	return c, func() { w.leave(orderID, c) }
}

func (w *watchers) leave(orderID string, c chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.byOrder[orderID].streams, c)
	if len(w.byOrder[orderID].streams) == 0 {
		delete(w.byOrder, orderID)
	}
}

// lookSize is how many orders one question is about at the most.
const lookSize = 500

// look asks for the states of all orders that are watched, and wakes those who have not
// seen them. One question is about many orders, whatever the number of their streams:
// streams in which nothing happens cost the database nothing of their own.
func (w *watchers) look(ctx context.Context, ask func(context.Context, []string) (map[string]orderv1.OrderState, error)) error {
	for ids := range slices.Chunk(w.watched(), lookSize) {
		states, err := ask(ctx, ids)
		if err != nil {
			return err
		}
		for orderID, state := range states {
			w.compare(orderID, state)
		}
	}
	return nil
}

// watched are the orders that streams watch.
func (w *watchers) watched() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Collect(maps.Keys(w.byOrder))
}

// saw notes the state in which a stream found the order.
func (w *watchers) saw(orderID string, state orderv1.OrderState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.byOrder[orderID].state = state
}

// compare wakes those who watch the order unless one of them saw it in this state.
func (w *watchers) compare(orderID string, state orderv1.OrderState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if o := w.byOrder[orderID]; o != nil && o.state != state {
		o.wake()
	}
}

// wake tells all who watch the order to look again.
func (w *watchers) wake(orderID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if o := w.byOrder[orderID]; o != nil {
		o.wake()
	}
}

// wake never blocks.
func (o *watched) wake() {
	for c := range o.streams {
		select {
		case c <- struct{}{}:
		default: // not yet received: one look shows both changes
		}
	}
}
