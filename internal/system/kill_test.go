package system_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/internal/system"
)

// killRounds is how often a service is killed. With several callers and a few
// milliseconds between the steps of an order, every step is hit.
const killRounds = 12

// outcomes are the states in which an order and its payment may end, together.
var outcomes = map[string]string{"CONFIRMED": "AUTHORIZED", "CANCELLED": "REFUNDED", "REJECTED": "DECLINED"}

// Whenever order or payment is killed, in whatever step of creating, refusing or
// cancelling an order, all ends in one state: no order is half way, each has one
// payment whose state is that of the order, and no message waits.
func TestKilledAtAnyStep(t *testing.T) {
	s := openCrashShop(t)
	ctx, cancel := context.WithCancel(context.Background())
	userID := s.newUser(t)
	var callers sync.WaitGroup
	stop := sync.OnceFunc(func() {
		cancel()
		callers.Wait()
	})
	t.Cleanup(stop)
	for n := range 6 {
		callers.Go(func() {
			for i := n; ctx.Err() == nil; i++ {
				s.live(ctx, t, userID, i)
			}
		})
	}
	for round := range killRounds {
		victim := []*system.Service{s.Order, s.Payment}[round%2]
		time.Sleep(50*time.Millisecond + rand.N(250*time.Millisecond))
		if err := victim.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := victim.Restart(limited(t)); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(time.Second) // some orders without a kill
	stop()
	s.settled(t)
}

// live creates an order, which is declined or cancelled now and then, and does
// not care whether it is answered.
func (s crashShop) live(ctx context.Context, t *testing.T, userID string, i int) {
	req := orderOf(userID, 1500)
	if i%4 == 0 {
		req = orderOf(userID, 99_000_000)
	}
	res, err := s.orders.CreateOrder(ctx, req)
	if err == nil && i%3 == 0 {
		_, err = s.orders.CancelOrder(ctx, &orderv1.CancelOrderRequest{OrderId: res.GetOrder().GetOrderId()})
	}
	switch code := status.Code(err); {
	case unanswered(err), code == codes.OK, code == codes.Canceled, code == codes.FailedPrecondition:
	default:
		t.Errorf("order %d: %v", i, err)
	}
}

// settled waits until nothing is under way, and compares both databases.
func (s crashShop) settled(t *testing.T) {
	t.Helper()
	eventually(t, "no message waits", func() bool {
		return len(rows(t, s.databases["order"], `SELECT id, 1 FROM svc_outbox`)) == 0
	})
	orders := rows(t, s.databases["order"], `SELECT order_id || ' ' || state, 1 FROM orders`)
	payments := rows(t, s.databases["payment"], `SELECT reference || ' ' || state, COUNT(*) FROM payments GROUP BY reference, state`)
	want, seen := map[string]int{}, map[string]int{}
	for order := range orders {
		var orderID, state string
		if _, err := fmt.Sscan(order, &orderID, &state); err != nil {
			t.Fatal(err)
		}
		seen[state]++
		want[orderID+" "+outcomes[state]] = 1
	}
	if diff := cmp.Diff(want, payments); diff != "" {
		t.Errorf("payments that the orders call for, and those that are:\n%s", diff)
	}
	t.Logf("%d orders: %v", len(orders), seen)
	for state := range outcomes {
		if seen[state] == 0 {
			t.Errorf("no order is %s, so the test shows nothing about it", state)
		}
	}
}
