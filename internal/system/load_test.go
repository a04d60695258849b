package system_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	svcerrors "github.com/protosvc/protosvc/svc/errors"
)

// Callers create orders when SIGTERM comes. Every call is either answered, and
// then its order exists, or refused, and then it does not: none that the service
// has accepted is lost.
func TestStopUnderLoad(t *testing.T) {
	s := openShop(t, nil)
	userID := s.newUser(t)
	l := &load{}
	for range 6 {
		l.until(func() (string, error) {
			res, err := s.orders.CreateOrder(limited(t), orderOf(userID, 1500), grpc.WaitForReady(false))
			return res.GetOrder().GetOrderId(), err
		})
	}
	for range 2 {
		l.until(func() (string, error) { return orderOverHTTP(limited(t), s.Order.HTTP, userID) })
	}
	eventually(t, "orders are created", func() bool { return l.count() > 40 })
	before := l.count()
	terminate(t, s.Order, "graceful stop")
	l.wait.Wait()
	http.DefaultClient.CloseIdleConnections()
	if err := s.Order.Wait(limited(t)); err != nil {
		t.Error(err)
	}
	if err := s.Order.Restart(limited(t)); err != nil {
		t.Fatal(err)
	}
	stored := s.listAll(t, userID)
	t.Logf("%d orders answered, %d of them while it stopped; %d callers refused in the end", l.count(), l.count()-before, len(l.refusals))
	if before == l.count() {
		t.Error("nothing was in flight: this test shows nothing")
	}
	for id := range l.answered {
		if !stored[id] {
			t.Errorf("order %s was answered and does not exist", id)
		}
	}
	for id := range stored {
		if !l.answered[id] {
			t.Errorf("order %s exists and nobody was told", id)
		}
	}
	if t.Failed() {
		t.Logf("refused with: %v", errors.Join(l.refusals...))
	}
}

// load is what callers do and how they fare.
type load struct {
	wait     sync.WaitGroup
	mu       sync.Mutex
	answered map[string]bool // orders, by id
	refusals []error
}

// until calls again and again until a call fails.
func (l *load) until(call func() (orderID string, err error)) {
	l.wait.Go(func() {
		for {
			id, err := call()
			l.mu.Lock()
			if err != nil {
				l.refusals = append(l.refusals, err)
				l.mu.Unlock()
				return
			}
			if l.answered == nil {
				l.answered = map[string]bool{}
			}
			l.answered[id] = true
			l.mu.Unlock()
		}
	})
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.answered)
}

func orderOverHTTP(ctx context.Context, address, userID string) (string, error) {
	body := fmt.Sprintf(`{"requestId": %q, "userId": %q, "items": [{"sku": "TEA-1", "quantity": 1,
		"unitPrice": {"currencyCode": "EUR", "amountMinor": 1500}}]}`, newUUID(), userID)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/v1/orders", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %s: %s", res.Status, answer)
	}
	_, id, _ := strings.Cut(string(answer), `"orderId":`)
	id = strings.TrimLeft(id, ` "`)
	id, _, _ = strings.Cut(id, `"`)
	return id, err
}

// listAll returns the ids of a user's orders.
func (s shop) listAll(t *testing.T, userID string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for token := ""; ; {
		res, err := s.orders.ListOrders(limited(t), &orderv1.ListOrdersRequest{UserId: userID, PageSize: 1000, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range res.GetOrders() {
			all[o.GetOrderId()] = true
		}
		if token = res.GetNextPageToken(); token == "" {
			return all
		}
	}
}

// Those who watch an order are sent to another replica at once, so they do not
// keep the process for the budget of 20 s.
func TestWatchersAreSentElsewhere(t *testing.T) {
	s := openShop(t, nil)
	order := s.newOrder(t)
	stream, err := s.orders.WatchOrder(limited(t), &orderv1.WatchOrderRequest{OrderId: order.GetOrderId()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	terminate(t, s.Order, "graceful stop")
	if _, err := stream.Recv(); !errors.Is(err, svcerrors.Stopping) {
		t.Errorf("the stream ended with %v", err)
	}
	if err := s.Order.Wait(limited(t)); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("the stop took %v", took)
	}
}
