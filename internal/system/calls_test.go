package system_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	userv1 "github.com/protosvc/protosvc/generated/user/v1"
	"github.com/protosvc/protosvc/internal/system"
)

func TestCalls(t *testing.T) {
	s := openShop(t, func(o *system.Options) { o.LogLevel = "debug" })
	for _, test := range []struct {
		name string
		run  func(*testing.T, shop)
	}{
		{"unary over gRPC", testUnary},
		{"unary over HTTP/JSON", testUnaryJSON},
		{"server stream over gRPC", testWatch},
		{"server stream over HTTP/JSON", testWatchJSON},
		{"client stream", testImport},
		{"bidirectional stream", testReconcile},
		{"repetition", testRepetition},
		{"pages", testPages},
		{"one trace in all logs", testTrace},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, s) })
	}
}

func testUnary(t *testing.T, s shop) {
	ctx, userID := limited(t), s.newUser(t)
	updated, err := s.users.UpdateUser(ctx, &userv1.UpdateUserRequest{
		UserId: userID, DisplayName: "Grace", UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"display_name"}},
	})
	if err != nil || updated.GetUser().GetDisplayName() != "Grace" {
		t.Fatalf("UpdateUser: %v, %v", updated, err)
	}
	created, err := s.orders.CreateOrder(ctx, orderOf(userID, 1500))
	if err != nil {
		t.Fatal(err)
	}
	if got := created.GetOrder().GetState(); got != orderv1.OrderState_ORDER_STATE_CONFIRMED {
		t.Errorf("the new order is %v", got)
	}
	paymentID := created.GetOrder().GetPaymentId()
	captured, err := s.payments.Capture(ctx, &paymentv1.CaptureRequest{PaymentId: paymentID})
	if err != nil || captured.GetPayment().GetState() != paymentv1.PaymentState_PAYMENT_STATE_CAPTURED {
		t.Errorf("Capture: %v, %v", captured, err)
	}
	cancelled, err := s.orders.CancelOrder(ctx, &orderv1.CancelOrderRequest{OrderId: created.GetOrder().GetOrderId()})
	if err != nil || cancelled.GetOrder().GetState() != orderv1.OrderState_ORDER_STATE_CANCELLED {
		t.Errorf("CancelOrder: %v, %v", cancelled, err)
	}
	refunded, err := s.payments.GetPayment(ctx, &paymentv1.GetPaymentRequest{PaymentId: paymentID})
	if err != nil || refunded.GetPayment().GetState() != paymentv1.PaymentState_PAYMENT_STATE_REFUNDED {
		t.Errorf("GetPayment: %v, %v", refunded, err)
	}
}

func testUnaryJSON(t *testing.T, s shop) {
	created := post(t, s.User.HTTP, "/v1/users", fmt.Sprintf(`{"email": "%s@example.com", "displayName": "Ada"}`, newUUID()))
	if created.code != http.StatusOK {
		t.Fatalf("create a user: %d %s", created.code, created.body)
	}
	userID := created.field(t, "user.userId")
	updated := patch(t, s.User.HTTP, "/v1/users/"+userID, `{"displayName": "Grace", "updateMask": "displayName"}`)
	if got := updated.field(t, "user.displayName"); got != "Grace" {
		t.Errorf("after the update the name is %q: %s", got, updated.body)
	}
	if got := get(t, s.User.HTTP, "/v1/users/"+userID).field(t, "user.state"); got != "USER_STATE_ACTIVE" {
		t.Errorf("the user is %q", got)
	}
	ordered := post(t, s.Order.HTTP, "/v1/orders", fmt.Sprintf(`{
		"requestId": %q, "userId": %q, "channel": "CHANNEL_APP",
		"items": [{"sku": "TEA-1", "quantity": 2, "unitPrice": {"currencyCode": "EUR", "amountMinor": "750"}}]
	}`, newUUID(), userID))
	if ordered.code != http.StatusOK || ordered.field(t, "order.state") != "ORDER_STATE_CONFIRMED" {
		t.Fatalf("create an order: %d %s", ordered.code, ordered.body)
	}
	orderID := ordered.field(t, "order.orderId")
	if got := get(t, s.Order.HTTP, "/v1/users/"+userID+"/orders").field(t, "orders.0.orderId"); got != orderID {
		t.Errorf("the list has order %q, want %q", got, orderID)
	}
	paid := get(t, s.Payment.HTTP, "/v1/payments/"+ordered.field(t, "order.paymentId"))
	if got := paid.field(t, "payment.amount.amountMinor"); got != "1500" {
		t.Errorf("the payment is over %q: %s", got, paid.body)
	}
	cancelled := post(t, s.Order.HTTP, "/v1/orders/"+orderID+":cancel", `{}`)
	if got := cancelled.field(t, "order.state"); got != "ORDER_STATE_CANCELLED" {
		t.Errorf("after cancelling the order is %q: %s", got, cancelled.body)
	}
}

// allStates are those of an order that is cancelled, in their order.
var allStates = []string{"ORDER_STATE_PENDING", "ORDER_STATE_CONFIRMED", "ORDER_STATE_CANCELLING", "ORDER_STATE_CANCELLED"}

func testWatch(t *testing.T, s shop) {
	order := s.newOrder(t)
	stream, err := s.orders.WatchOrder(limited(t), &orderv1.WatchOrderRequest{OrderId: order.GetOrderId()})
	if err != nil {
		t.Fatal(err)
	}
	states, err := collect(stream.Recv, func() {
		if got := metric(t, s.Order, "order_watchers"); got != 1 {
			t.Errorf("with an open stream order_watchers is %v", got)
		}
		s.cancel(t, order)
	})
	if err != nil {
		t.Fatal(err)
	}
	// The stream starts with the order as it is.
	if diff := cmp.Diff(allStates[1:], states); diff != "" {
		t.Error(diff)
	}
}

// collect receives to the end. After the first message it calls then.
func collect(receive func() (*orderv1.WatchOrderResponse, error), then func()) (states []string, err error) {
	for {
		message, err := receive()
		switch {
		case errors.Is(err, io.EOF):
			return states, nil
		case err != nil:
			return states, err
		}
		states = append(states, message.GetOrder().GetState().String())
		if len(states) == 1 {
			then()
		}
	}
}

func (s shop) cancel(t *testing.T, order *orderv1.Order) {
	t.Helper()
	if _, err := s.orders.CancelOrder(limited(t), &orderv1.CancelOrderRequest{OrderId: order.GetOrderId()}); err != nil {
		t.Error(err)
	}
}

func testWatchJSON(t *testing.T, s shop) {
	order := s.newOrder(t)
	res, err := http.DefaultClient.Do(request(t, http.MethodGet, s.Order.HTTP, "/v1/orders/"+order.GetOrderId()+":watch", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var states []string
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		var line struct {
			Result struct {
				Order struct{ State string }
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%v in %q", err, lines.Text())
		}
		states = append(states, line.Result.Order.State)
		if len(states) == 1 {
			s.cancel(t, order)
		}
	}
	if diff := cmp.Diff(allStates[1:], states); diff != "" {
		t.Error(diff)
	}
}

func testImport(t *testing.T, s shop) {
	stream, err := s.orders.ImportOrders(limited(t))
	if err != nil {
		t.Fatal(err)
	}
	userID := s.newUser(t)
	for _, order := range []*orderv1.CreateOrderRequest{
		orderOf(userID, 1500), orderOf(newUUID(), 1500), orderOf(userID, 99_000_000), orderOf(userID, 2500),
	} {
		if err := stream.Send(&orderv1.ImportOrdersRequest{Order: order}); err != nil {
			t.Fatal(err)
		}
	}
	res, err := stream.CloseAndRecv()
	if err != nil {
		t.Fatal(err)
	}
	got := map[int32]string{}
	for _, failure := range res.GetFailures() {
		got[failure.GetIndex()] = failure.GetReason()
	}
	want := map[int32]string{1: "ORDER_ERROR_USER_NOT_FOUND", 2: "ORDER_ERROR_PAYMENT_DECLINED"}
	if diff := cmp.Diff(want, got); diff != "" || res.GetCreated() != 2 {
		t.Errorf("created %d, want 2; failures:\n%s", res.GetCreated(), diff)
	}
}

func testReconcile(t *testing.T, s shop) {
	order := s.newOrder(t)
	results := reconcile(t, s.payments,
		&paymentv1.ReconcileRequest{Reference: order.GetOrderId(), Amount: &paymentv1.Money{CurrencyCode: "EUR", AmountMinor: 1500}},
		&paymentv1.ReconcileRequest{Reference: "nobody's", Amount: &paymentv1.Money{CurrencyCode: "EUR", AmountMinor: 1500}},
		&paymentv1.ReconcileRequest{Reference: order.GetOrderId(), Amount: &paymentv1.Money{CurrencyCode: "EUR", AmountMinor: 1}},
	)
	var got []paymentv1.ReconcileResult
	for _, result := range results {
		got = append(got, result.GetResult())
	}
	want := []paymentv1.ReconcileResult{
		paymentv1.ReconcileResult_RECONCILE_RESULT_MATCHED,
		paymentv1.ReconcileResult_RECONCILE_RESULT_MISSING,
		paymentv1.ReconcileResult_RECONCILE_RESULT_AMOUNT_DIFFERS,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func testRepetition(t *testing.T, s shop) {
	ctx, req := limited(t), orderOf(s.newUser(t), 1500)
	ids := make(chan string, 8)
	for range cap(ids) {
		go func() {
			res, err := s.orders.CreateOrder(ctx, req)
			if err != nil {
				t.Error(err)
			}
			ids <- res.GetOrder().GetOrderId()
		}()
	}
	first := <-ids
	for range cap(ids) - 1 {
		if id := <-ids; id != first {
			t.Errorf("the same request made the orders %q and %q", first, id)
		}
	}
	if orders := s.list(ctx, t, req.GetUserId()); len(orders) != 1 {
		t.Errorf("the user has %d orders, want 1", len(orders))
	}
}

func testPages(t *testing.T, s shop) {
	ctx, userID := limited(t), s.newUser(t)
	var created, listed []string
	for range 3 {
		res, err := s.orders.CreateOrder(ctx, orderOf(userID, 1500))
		if err != nil {
			t.Fatal(err)
		}
		created = append([]string{res.GetOrder().GetOrderId()}, created...)
	}
	for token, pages := "", 0; pages == 0 || token != ""; pages++ {
		res, err := s.orders.ListOrders(ctx, &orderv1.ListOrdersRequest{UserId: userID, PageSize: 2, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, order := range res.GetOrders() {
			listed = append(listed, order.GetOrderId())
		}
		token = res.GetNextPageToken()
	}
	if diff := cmp.Diff(created, listed); diff != "" {
		t.Error(diff)
	}
}

func testTrace(t *testing.T, s shop) {
	userID := s.newUser(t)
	for _, test := range []struct {
		name  string
		order func(traceparent string)
	}{
		{"over gRPC", func(traceparent string) {
			ctx := metadata.AppendToOutgoingContext(limited(t), "traceparent", traceparent)
			if _, err := s.orders.CreateOrder(ctx, orderOf(userID, 1500)); err != nil {
				t.Fatal(err)
			}
		}},
		{"over HTTP/JSON", func(traceparent string) {
			body := protojson.Format(orderOf(userID, 1500))
			if got := post(t, s.Order.HTTP, "/v1/orders", body, "Traceparent", traceparent); got.code != http.StatusOK {
				t.Fatalf("%d %s", got.code, got.body)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			trace := strings.ReplaceAll(newUUID(), "-", "")
			test.order("00-" + trace + "-00f067aa0ba902b7-01")
			for _, service := range s.Services() {
				if len(logLines(t, service, `"trace_id":"`+trace+`"`, `"msg":"call"`)) != 1 {
					t.Errorf("the log of %s has not one call of the trace", service.Name)
				}
			}
		})
	}
}
