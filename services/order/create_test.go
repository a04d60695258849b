package order_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	grpcmetadata "google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	"github.com/protosvc/protosvc/services/internal/id"
	svcerrors "github.com/protosvc/protosvc/svc/errors"
)

const createdOnWeb = `orders_created_total{channel="web"}`

func TestCreateOnceForARequestID(t *testing.T) {
	f := start(t, polling)
	req := request(250)
	req.Items = append(req.Items, item(3, 1000, "EUR"))
	first := f.mustCreate(req)
	if total := first.GetTotal(); total.GetAmountMinor() != 3250 || total.GetCurrencyCode() != "EUR" {
		f.t.Errorf("total is %v, want 3250 EUR", total)
	}
	if first.GetPaymentId() != paymentOf(first.GetOrderId()) || len(first.GetItems()) != 2 || first.GetChannel() != orderv1.Channel_CHANNEL_WEB {
		f.t.Errorf("order is %v", first)
	}
	if stored := f.get(strings.ToUpper(first.GetOrderId())); !proto.Equal(first, stored) {
		f.t.Errorf("GetOrder = %v, CreateOrder gave %v", stored, first)
	}
	// The answer stays, whatever becomes of the callees.
	f.people.set(down)
	f.bank.set(down)
	req.RequestId = strings.ToUpper(req.GetRequestId())
	if second := f.mustCreate(req); !proto.Equal(first, second) {
		f.t.Errorf("created again: %v, first: %v", second, first)
	}
	if payments, _ := f.bank.made(); payments != 1 || len(f.people.GetUserCalls()) != 1 {
		f.t.Errorf("%d payments, asked for users %v, want 1 and 1", payments, f.people.GetUserCalls())
	}
	if got := f.Metric(createdOnWeb); got != 1 {
		f.t.Errorf("%s is %v, want 1", createdOnWeb, got)
	}
	if got := f.Metric(`order_amount_minor_sum`); got != 3250 {
		f.t.Errorf("order_amount_minor_sum is %v, want 3250", got)
	}
}

// Two tenants may choose the same request id.
func TestRequestIDsOfTenants(t *testing.T) {
	f := start(t, polling)
	req, orders := request(250), map[string]string{}
	for _, tenant := range []string{"a", "b", "a"} {
		as := f
		as.ctx = grpcmetadata.AppendToOutgoingContext(f.ctx, "x-tenant-id", tenant)
		o := as.mustCreate(req)
		if first := orders[tenant]; first != "" && first != o.GetOrderId() {
			f.t.Errorf("tenant %s has two orders", tenant)
		}
		orders[tenant] = o.GetOrderId()
	}
	if orders["a"] == orders["b"] {
		f.t.Error("tenant b gets the order of tenant a")
	}
}

func TestConcurrentCreateMakesOneOrder(t *testing.T) {
	f := start(t, polling)
	req := request(250)
	var group sync.WaitGroup
	ids := make(chan string, 200)
	for range cap(ids) {
		group.Go(func() {
			o, err := f.create(req)
			if err != nil {
				f.t.Errorf("CreateOrder: %v", err)
			}
			ids <- o.GetOrderId()
		})
	}
	group.Wait()
	close(ids)
	first := <-ids
	for id := range ids {
		if id != first {
			f.t.Errorf("orders %s and %s for one request", first, id)
		}
	}
	if payments, _ := f.bank.made(); payments != 1 {
		f.t.Errorf("%d payments for one order", payments)
	}
	if got := f.Metric(createdOnWeb); got != 1 {
		f.t.Errorf("%s is %v, want 1", createdOnWeb, got)
	}
}

func TestCreateRefusals(t *testing.T) {
	f := start(t, polling)
	used := request(250)
	f.mustCreate(used)
	for name, test := range map[string]struct {
		change func(*orderv1.CreateOrderRequest)
		want   error
	}{
		"user does not exist": {func(r *orderv1.CreateOrderRequest) { r.UserId = eve }, orderv1svc.OrderErrorUserNotFound},
		"user is deactivated": {func(r *orderv1.CreateOrderRequest) { r.UserId = gone }, orderv1svc.OrderErrorUserNotActive},
		"two currencies":      {func(r *orderv1.CreateOrderRequest) { r.Items = append(r.Items, item(1, 1, "USD")) }, orderv1svc.OrderErrorCurrenciesDiffer},
		"no items":            {func(r *orderv1.CreateOrderRequest) { r.Items = nil }, svcerrors.InvalidRequest},
		"request id reused":   {func(r *orderv1.CreateOrderRequest) { r.RequestId = used.GetRequestId() }, svcerrors.IdempotencyKeyConflict},
	} {
		req := request(251)
		test.change(req)
		for range 2 {
			if o, err := f.create(req); !errors.Is(err, test.want) {
				f.t.Errorf("%s: %v, %v, want %v", name, o, err, test.want)
			}
		}
	}
	if payments, _ := f.bank.made(); payments != 1 {
		f.t.Errorf("%d payments, want only the one of the first order", payments)
	}
}

func TestDeclinedIsStoredAndAnsweredAgain(t *testing.T) {
	f := start(t, polling)
	req := request(limit + 1)
	for range 2 {
		o, err := f.create(req)
		if !errors.Is(err, orderv1svc.OrderErrorPaymentDeclined) || metadata(err, "decline_reason") != "amount_above_limit" {
			f.t.Fatalf("CreateOrder: %v, %v, want %v", o, err, orderv1svc.OrderErrorPaymentDeclined)
		}
		if stored := f.get(metadata(err, "order_id")); stored.GetState() != rejected || stored.GetPaymentId() != "" {
			f.t.Errorf("stored order is %v, want rejected", stored)
		}
		f.bank.set(down) // the second time the bank is not asked
	}
	if got := f.Metric(createdOnWeb); got != 0 {
		f.t.Errorf("%s is %v, want 0", createdOnWeb, got)
	}
}

func TestOrderWaitsWhileTheBankIsDown(t *testing.T) {
	f := start(t, polling)
	req := request(250)
	f.bank.set(down)
	waiting := f.mustStay(req)
	f.bank.set(nil)
	if o := f.mustCreate(req); o.GetOrderId() != waiting.GetOrderId() {
		f.t.Errorf("order %s was confirmed, order %s was waiting", o.GetOrderId(), waiting.GetOrderId())
	}
	if got := f.Metric(createdOnWeb); got != 1 {
		f.t.Errorf("%s is %v, want 1", createdOnWeb, got)
	}
}

// The bank made the payment, but its answer was lost.
func TestLostAnswerMakesNoSecondPayment(t *testing.T) {
	f := start(t, polling)
	req := request(250)
	f.bank.mute()
	if o, err := f.CreateOrder(f.ctx, req); !transient(err) {
		f.t.Fatalf("CreateOrder: %v, %v, want DeadlineExceeded", o, err)
	}
	f.bank.set(nil)
	f.mustCreate(req)
	if payments, _ := f.bank.made(); payments != 1 {
		f.t.Errorf("%d payments for one order", payments)
	}
}

func TestNothingIsStoredWhileUsersAreDown(t *testing.T) {
	f := start(t, polling)
	f.people.set(down)
	if o, err := f.CreateOrder(f.ctx, request(250)); !transient(err) {
		f.t.Errorf("CreateOrder: %v, %v, want Unavailable", o, err)
	}
	res, err := f.ListOrders(f.ctx, &orderv1.ListOrdersRequest{UserId: ada})
	if err != nil || len(res.GetOrders()) != 0 {
		f.t.Errorf("ListOrders: %v, %v, want none", res, err)
	}
}

// Errors that are between the services do not reach the caller as theirs.
func TestUnforeseenAnswersAreInternal(t *testing.T) {
	f := start(t, polling)
	for _, fault := range []error{
		paymentv1svc.NewPaymentErrorReferenceReused("secret"),
		status.Error(codes.InvalidArgument, "secret"),
		status.Error(codes.PermissionDenied, "secret"),
	} {
		f.bank.set(fault)
		_, err := f.CreateOrder(f.ctx, request(250))
		if !errors.Is(err, svcerrors.Internal) || strings.Contains(err.Error(), "secret") {
			t.Errorf("CreateOrder when the bank says %v: %v", fault, err)
		}
	}
}

func TestListPagesAreWholeAndSorted(t *testing.T) {
	f := start(t, polling)
	var want []string
	for range 7 {
		want = append([]string{f.mustCreate(request(250)).GetOrderId()}, want...)
	}
	for _, size := range []int32{0, 1, 3, 7, 8} {
		if got := f.list(size); strings.Join(got, " ") != strings.Join(want, " ") {
			f.t.Errorf("pages of %d: orders %v, want %v", size, got, want)
		}
	}
	token := f.page(1, "").GetNextPageToken()
	for _, req := range []*orderv1.ListOrdersRequest{{UserId: ada, PageToken: "x"}, {UserId: eve, PageToken: token}} {
		if _, err := f.ListOrders(f.ctx, req); !errors.Is(err, orderv1svc.OrderErrorPageTokenInvalid) {
			f.t.Errorf("ListOrders(%v): %v, want %v", req, err, orderv1svc.OrderErrorPageTokenInvalid)
		}
	}
}

// list reads all pages of ada's orders and returns their ids.
func (f fixture) list(size int32) (ids []string) {
	for token := ""; ; {
		res := f.page(size, token)
		for _, o := range res.GetOrders() {
			ids = append(ids, o.GetOrderId())
		}
		if token = res.GetNextPageToken(); token == "" {
			return ids
		}
	}
}

func (f fixture) page(size int32, token string) *orderv1.ListOrdersResponse {
	f.t.Helper()
	res, err := f.ListOrders(f.ctx, &orderv1.ListOrdersRequest{UserId: ada, PageSize: size, PageToken: token})
	if err != nil {
		f.t.Fatal(err)
	}
	return res
}

func TestAbsentOrder(t *testing.T) {
	f := start(t, polling)
	absent := id.New()
	_, get := f.GetOrder(f.ctx, &orderv1.GetOrderRequest{OrderId: absent})
	_, cancel := f.cancel(absent)
	stream, err := f.WatchOrder(f.ctx, &orderv1.WatchOrderRequest{OrderId: absent})
	if err != nil {
		t.Fatal(err)
	}
	_, watch := stream.Recv()
	for _, err := range []error{get, cancel, watch} {
		if !errors.Is(err, orderv1svc.OrderErrorNotFound) {
			t.Errorf("%v, want %v", err, orderv1svc.OrderErrorNotFound)
		}
	}
}
