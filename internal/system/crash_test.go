package system_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	"github.com/protosvc/protosvc/internal/system"
)

// crashShop is a shop in which order reaches payment through a wire.
type crashShop struct {
	shop
	wire      *wire
	databases map[string]string
}

func openCrashShop(t *testing.T) crashShop {
	t.Helper()
	s := crashShop{wire: newWire(t)}
	s.shop = openShop(t, func(o *system.Options) {
		o.Environ = []string{"ORDER_CALLEES_PAYMENT_SERVICE_TARGET=" + s.wire.target()}
		s.databases = o.Databases
	})
	s.wire.connect(s.Payment.GRPC)
	// What is held is to be a call, not the making of a connection.
	eventually(t, "order is connected to payment", func() bool {
		return get(t, s.Order.Admin, "/healthz", "Accept", "application/json").field(t, "status") == "ok"
	})
	return s
}

// crash is a moment between the two calls of CreateOrder: its order is stored as
// pending, and the payment has been asked for.
type crash struct {
	name string
	held func(*wire) *direction
	paid paymentv1.ReconcileResult // whether payment knows of it
}

var crashes = []crash{
	{"before the payment is authorised", func(w *wire) *direction { return &w.requests }, paymentv1.ReconcileResult_RECONCILE_RESULT_MISSING},
	{"after the payment is authorised", func(w *wire) *direction { return &w.replies }, paymentv1.ReconcileResult_RECONCILE_RESULT_MATCHED},
}

// moment is where begin stops.
type moment struct {
	req      *orderv1.CreateOrderRequest
	order    *orderv1.Order // pending
	answered <-chan error   // what becomes of the call
	letGo    func()         // lets what is held arrive, late
}

// begin creates an order up to the moment.
func (c crash) begin(t *testing.T, s crashShop) moment {
	t.Helper()
	ctx, req := limited(t), orderOf(s.newUser(t), 1500)
	letGo := c.held(s.wire).hold(t)
	answered := make(chan error, 1)
	go func() {
		_, err := s.orders.CreateOrder(ctx, req)
		answered <- err
	}()
	eventually(t, "the order is stored", func() bool { return len(s.list(ctx, t, req.GetUserId())) == 1 })
	pending := s.list(ctx, t, req.GetUserId())[0]
	eventually(t, "payment is "+c.paid.String(), func() bool { return s.reconcile(t, pending)[0].GetResult() == c.paid })
	if got := pending.GetState(); got != orderv1.OrderState_ORDER_STATE_PENDING {
		t.Fatalf("the order is %v while its payment is held", got)
	}
	return moment{req, pending, answered, letGo}
}

// Whenever order is killed between its two calls, it finishes the order after the
// restart, and the order is paid once.
func TestOrderIsKilled(t *testing.T) {
	for _, c := range crashes {
		t.Run(c.name, func(t *testing.T) {
			s := openCrashShop(t)
			at := c.begin(t, s)
			if err := s.Order.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := <-at.answered; err == nil {
				t.Error("a killed service answered")
			}
			at.letGo()
			if err := s.Order.Restart(limited(t)); err != nil {
				t.Fatal(err)
			}
			s.awaitState(t, at.order, orderv1.OrderState_ORDER_STATE_CONFIRMED)
			s.paidOnce(t, at.req, at.order)
		})
	}
}

// When payment is killed instead, the caller learns that the order is not paid
// yet; the outbox goes on when payment is back.
func TestPaymentIsKilled(t *testing.T) {
	for _, c := range crashes {
		t.Run(c.name, func(t *testing.T) {
			s := openCrashShop(t)
			at := c.begin(t, s)
			if err := s.Payment.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := <-at.answered; !unanswered(err) {
				t.Errorf("without payment, CreateOrder answers %v", err)
			}
			at.letGo()
			if err := s.Payment.Restart(limited(t)); err != nil {
				t.Fatal(err)
			}
			s.awaitState(t, at.order, orderv1.OrderState_ORDER_STATE_CONFIRMED)
			s.paidOnce(t, at.req, at.order)
		})
	}
}

// A refund is finished like a payment.
func TestOrderIsKilledWhileItCancels(t *testing.T) {
	for _, c := range crashes {
		t.Run(c.name, func(t *testing.T) {
			s := openCrashShop(t)
			order := s.newOrder(t)
			letGo := c.held(s.wire).hold(t)
			ended := make(chan error, 1)
			go func() {
				_, err := s.orders.CancelOrder(limited(t), &orderv1.CancelOrderRequest{OrderId: order.GetOrderId()})
				ended <- err
			}()
			s.awaitState(t, order, orderv1.OrderState_ORDER_STATE_CANCELLING)
			if err := s.Order.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := <-ended; err == nil {
				t.Error("a killed service answered")
			}
			letGo()
			if err := s.Order.Restart(limited(t)); err != nil {
				t.Fatal(err)
			}
			s.awaitState(t, order, orderv1.OrderState_ORDER_STATE_CANCELLED)
			if got := s.paymentState(t, order); got != paymentv1.PaymentState_PAYMENT_STATE_REFUNDED {
				t.Errorf("the payment is %v", got)
			}
		})
	}
}

// Callers who repeat what was not answered get every order, once, however often
// both services are killed meanwhile.
func TestNoOrderIsLost(t *testing.T) {
	s := openCrashShop(t)
	c := s.startCallers(t, 4)
	for range 2 {
		for _, victim := range []*system.Service{s.Order, s.Payment} {
			before := c.count()
			eventually(t, "more orders are created", func() bool { return c.count() > before+10 })
			if err := victim.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := victim.Restart(limited(t)); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.stop()
	for service, query := range map[string]string{
		"order":   `SELECT order_id, COUNT(*) FROM orders WHERE state = 'CONFIRMED' GROUP BY order_id`,
		"payment": `SELECT reference, COUNT(*) FROM payments WHERE state = 'AUTHORIZED' GROUP BY reference`,
	} {
		if diff := cmp.Diff(c.created, rows(t, s.databases[service], query)); diff != "" {
			t.Errorf("database of %s:\n%s", service, diff)
		}
	}
}

// callers create orders and insist on an answer, all the time.
type callers struct {
	stop func() // waits for the answers to the last requests

	mu      sync.Mutex
	created map[string]int // answers by the order's id
}

func (s crashShop) startCallers(t *testing.T, n int) *callers {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c, userID := &callers{created: map[string]int{}}, s.newUser(t)
	var running sync.WaitGroup
	for range n {
		running.Go(func() {
			for ctx.Err() == nil {
				if err := c.insist(s.orders, orderOf(userID, 1500)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	c.stop = func() {
		cancel()
		running.Wait()
	}
	t.Cleanup(c.stop)
	return c
}

// insist repeats the request until it is answered.
func (c *callers) insist(orders orderv1.OrderServiceClient, req *orderv1.CreateOrderRequest) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		res, err := orders.CreateOrder(ctx, req)
		if err == nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.created[res.GetOrder().GetOrderId()]++
			return nil
		}
		if !unanswered(err) || ctx.Err() != nil {
			return err
		}
	}
}

func (c *callers) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.created)
}

// unanswered reports whether a repetition may succeed.
func unanswered(err error) bool {
	code := status.Code(err)
	return code == codes.Unavailable || code == codes.DeadlineExceeded
}

// awaitState waits until the order is in the state.
func (s crashShop) awaitState(t *testing.T, order *orderv1.Order, want orderv1.OrderState) {
	t.Helper()
	eventually(t, "the order is "+want.String(), func() bool {
		res, err := s.orders.GetOrder(limited(t), &orderv1.GetOrderRequest{OrderId: order.GetOrderId()})
		if err != nil {
			t.Fatal(err)
		}
		return res.GetOrder().GetState() == want
	})
}

func (s crashShop) paymentState(t *testing.T, order *orderv1.Order) paymentv1.PaymentState {
	t.Helper()
	res, err := s.payments.GetPayment(limited(t), &paymentv1.GetPaymentRequest{PaymentId: order.GetPaymentId()})
	if err != nil {
		t.Fatal(err)
	}
	return res.GetPayment().GetState()
}

// paidOnce fails the test unless there are one order and one payment, and the
// caller who repeats the request gets that order.
func (s crashShop) paidOnce(t *testing.T, req *orderv1.CreateOrderRequest, order *orderv1.Order) {
	t.Helper()
	if got := s.reconcile(t, order)[0]; got.GetResult() != paymentv1.ReconcileResult_RECONCILE_RESULT_MATCHED {
		t.Errorf("the payment: %v", got)
	}
	res, err := s.orders.CreateOrder(limited(t), req)
	if err != nil || res.GetOrder().GetOrderId() != order.GetOrderId() {
		t.Errorf("the repetition answers %v, %v", res, err)
	}
	want := map[string]int{order.GetOrderId(): 1}
	if diff := cmp.Diff(want, rows(t, s.databases["payment"], `SELECT reference, COUNT(*) FROM payments GROUP BY reference`)); diff != "" {
		t.Errorf("payments:\n%s", diff)
	}
	if diff := cmp.Diff(want, rows(t, s.databases["order"], `SELECT order_id, COUNT(*) FROM orders GROUP BY order_id`)); diff != "" {
		t.Errorf("orders:\n%s", diff)
	}
}
