package order

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
)

// registry answers looks, and notes what they ask for.
type registry struct {
	asked  [][]string
	states map[string]orderv1.OrderState
	err    error
}

func (r *registry) ask(_ context.Context, ids []string) (map[string]orderv1.OrderState, error) {
	r.asked = append(r.asked, slices.Sorted(slices.Values(ids)))
	return r.states, r.err
}

func woken(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// Streams in which nothing happens cost one question for each interval and many orders.
func TestLookAsksOnce(t *testing.T) {
	var w watchers
	r := &registry{states: map[string]orderv1.OrderState{}}
	if err := w.look(t.Context(), r.ask); err != nil || len(r.asked) > 0 {
		t.Errorf("without a stream it asks for %v, %v", r.asked, err)
	}
	var streams []<-chan struct{}
	for _, id := range []string{"a", "b", "c"} {
		r.states[id] = pending
		for range 10 {
			changed, _ := w.join(id)
			streams = append(streams, changed)
		}
		w.saw(id, pending)
	}
	if err := w.look(t.Context(), r.ask); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(r.asked), "[[a b c]]"; got != want {
		t.Errorf("30 streams of 3 orders ask for %s, want %s", got, want)
	}
	if slices.ContainsFunc(streams, woken) {
		t.Error("a stream is woken and nothing has happened")
	}
}

func TestLookWakesThoseWhoHaveNotSeen(t *testing.T) {
	var w watchers
	changed, leave := w.join("a")
	same, _ := w.join("b")
	w.saw("a", pending)
	w.saw("b", confirmed)
	r := &registry{states: map[string]orderv1.OrderState{"a": confirmed, "b": confirmed, "gone": confirmed}}
	for range 2 { // until a stream has seen it
		if err := w.look(t.Context(), r.ask); err != nil {
			t.Fatal(err)
		}
		if !woken(changed) || woken(same) {
			t.Fatal("the stream of the order that has changed is to be woken, and no other")
		}
	}
	w.saw("a", confirmed)
	if err := w.look(t.Context(), r.ask); err != nil || woken(changed) {
		t.Errorf("it is woken again, or %v", err)
	}
	leave()
	if got := w.watched(); len(got) != 1 || got[0] != "b" {
		t.Errorf("after its last stream has left the orders %v are watched", got)
	}
}

func TestLookAtManyOrders(t *testing.T) {
	var w watchers
	for i := range 2*lookSize + 1 {
		w.join(fmt.Sprint(i))
	}
	r := new(registry)
	if err := w.look(t.Context(), r.ask); err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, ids := range r.asked {
		sizes = append(sizes, len(ids))
	}
	if want := []int{lookSize, lookSize, 1}; !slices.Equal(sizes, want) {
		t.Errorf("it asks for %v orders, want %v", sizes, want)
	}
	r = &registry{err: errors.New("down")}
	if err := w.look(t.Context(), r.ask); !errors.Is(err, r.err) || len(r.asked) != 1 {
		t.Errorf("without a database it asks %d times, %v", len(r.asked), err)
	}
}
