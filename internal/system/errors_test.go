package system_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	userv1 "github.com/protosvc/protosvc/generated/user/v1"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svc"
	svcerrors "github.com/protosvc/protosvc/svc/errors"
)

// failing is an order that cannot be created, and how that shows.
type failing struct {
	name     string
	req      *orderv1.CreateOrderRequest
	code     *svcerrors.Code
	grpc     codes.Code
	http     int
	metadata map[string]string // "*" stands for any value
}

func TestTypedErrors(t *testing.T) {
	s := openShop(t, nil)
	userID, stranger, inactive := s.newUser(t), newUUID(), s.newUser(t)
	if _, err := s.users.DeactivateUser(limited(t), &userv1.DeactivateUserRequest{UserId: inactive}); err != nil {
		t.Fatal(err)
	}
	used := orderOf(userID, 1500)
	if _, err := s.orders.CreateOrder(limited(t), used); err != nil {
		t.Fatal(err)
	}
	reused := orderOf(userID, 2500)
	reused.RequestId = used.RequestId
	mixed := orderOf(userID, 1500)
	mixed.Items = append(mixed.Items, &orderv1.Item{Sku: "MUG-1", Quantity: 1, UnitPrice: &orderv1.Money{CurrencyCode: "USD", AmountMinor: 5}})
	foreign := orderOf(userID, 1500)
	foreign.Items[0].UnitPrice.CurrencyCode = "XTS"

	for _, test := range []failing{
		{"declined two hops away", orderOf(userID, 99_000_000), orderv1svc.OrderErrorPaymentDeclined, codes.FailedPrecondition,
			http.StatusPaymentRequired, map[string]string{"order_id": "*", "decline_reason": "amount_above_limit"}},
		{"currency not accepted", foreign, orderv1svc.OrderErrorPaymentDeclined, codes.FailedPrecondition,
			http.StatusPaymentRequired, map[string]string{"order_id": "*", "decline_reason": "currency_not_accepted"}},
		{"unknown user", orderOf(stranger, 1500), orderv1svc.OrderErrorUserNotFound, codes.NotFound,
			http.StatusNotFound, map[string]string{"user_id": stranger}},
		{"deactivated user", orderOf(inactive, 1500), orderv1svc.OrderErrorUserNotActive, codes.FailedPrecondition,
			http.StatusForbidden, map[string]string{"user_id": inactive}},
		{"request id reused", reused, svcerrors.IdempotencyKeyConflict, codes.AlreadyExists,
			http.StatusConflict, map[string]string{"field": "request_id", "key": used.RequestId}},
		{"currencies differ", mixed, orderv1svc.OrderErrorCurrenciesDiffer, codes.InvalidArgument,
			http.StatusBadRequest, map[string]string{"first": "EUR", "second": "USD"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Run("grpc", func(t *testing.T) { test.overGRPC(t, s) })
			t.Run("json", func(t *testing.T) { test.overJSON(t, s) })
		})
	}
}

func (f failing) overGRPC(t *testing.T, s shop) {
	_, err := s.orders.CreateOrder(limited(t), f.req)
	if !errors.Is(err, f.code) {
		t.Fatalf("errors.Is does not know %v in %v", f.code, err)
	}
	if got := status.Code(err); got != f.grpc {
		t.Errorf("the code is %v, want %v", got, f.grpc)
	}
	var typed *svcerrors.Error
	if !errors.As(err, &typed) {
		t.Fatalf("%T is no typed error", err)
	}
	f.compareMetadata(t, typed.Metadata)
}

func (f failing) overJSON(t *testing.T, s shop) {
	got := post(t, s.Order.HTTP, "/v1/orders", protojson.Format(f.req))
	if got.code != f.http {
		t.Errorf("the HTTP status is %d, want %d", got.code, f.http)
	}
	if reason := got.field(t, "details.0.reason"); reason != f.code.Reason {
		t.Errorf("the reason is %q, want %q: %s", reason, f.code.Reason, got.body)
	}
	if domain := got.field(t, "details.0.domain"); domain != f.code.Domain {
		t.Errorf("the domain is %q", domain)
	}
	metadata := map[string]string{}
	for key := range f.metadata {
		metadata[key] = got.field(t, "details.0.metadata."+key)
	}
	f.compareMetadata(t, metadata)
}

func (f failing) compareMetadata(t *testing.T, got map[string]string) {
	t.Helper()
	want := map[string]string{}
	for key, value := range f.metadata {
		if value == "*" && got[key] != "" {
			value = got[key]
		}
		want[key] = value
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metadata:\n%s", diff)
	}
}

func TestErrorsOfOtherMethods(t *testing.T) {
	s := openShop(t, nil)
	ctx, nobody, order := limited(t), newUUID(), s.newOrder(t)
	s.cancel(t, order)
	for _, test := range []struct {
		want *svcerrors.Code
		call func(context.Context) error
	}{
		{userv1svc.UserErrorNotFound, func(ctx context.Context) error {
			_, err := s.users.GetUser(ctx, &userv1.GetUserRequest{UserId: nobody})
			return err
		}},
		{paymentv1svc.PaymentErrorTransitionNotAllowed, func(ctx context.Context) error {
			_, err := s.payments.Capture(ctx, &paymentv1.CaptureRequest{PaymentId: order.GetPaymentId()})
			return err
		}},
		{orderv1svc.OrderErrorNotFound, func(ctx context.Context) error {
			stream, err := s.orders.WatchOrder(ctx, &orderv1.WatchOrderRequest{OrderId: nobody})
			if err == nil {
				_, err = stream.Recv()
			}
			return err
		}},
	} {
		if err := test.call(ctx); !errors.Is(err, test.want) {
			t.Errorf("got %v, want %v", err, test.want)
		}
	}
}

func TestInvalidRequests(t *testing.T) {
	s := openShop(t, nil)
	bad := orderOf("nobody", 0)
	bad.Items[0].Quantity = 0
	bad.Items = append(bad.Items, &orderv1.Item{Sku: "lower case", Quantity: 1, UnitPrice: &orderv1.Money{CurrencyCode: "EUR", AmountMinor: 1}})
	want := []string{"items[0].quantity", "items[0].unit_price.amount_minor", "items[1].sku", "user_id"}

	t.Run("grpc", func(t *testing.T) {
		_, err := s.orders.CreateOrder(limited(t), bad)
		if !errors.Is(err, svcerrors.InvalidRequest) || status.Code(err) != codes.InvalidArgument {
			t.Fatalf("got %v", err)
		}
		var fields []string
		for _, detail := range status.Convert(err).Details() {
			if violations, ok := detail.(*errdetails.BadRequest); ok {
				for _, v := range violations.GetFieldViolations() {
					fields = append(fields, v.GetField())
				}
			}
		}
		slices.Sort(fields)
		if diff := cmp.Diff(want, fields); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("json", func(t *testing.T) {
		got := post(t, s.Order.HTTP, "/v1/orders", protojson.Format(bad))
		if got.code != http.StatusBadRequest {
			t.Errorf("the HTTP status is %d", got.code)
		}
		var fields []string
		details, _ := got.json(t)["details"].([]any)
		for _, detail := range details {
			violations, _ := detail.(map[string]any)["fieldViolations"].([]any)
			for _, v := range violations {
				fields = append(fields, v.(map[string]any)["field"].(string))
			}
		}
		slices.Sort(fields)
		if diff := cmp.Diff(want, fields); diff != "" {
			t.Error(diff)
		}
	})
	for _, test := range []struct {
		name, path, body string
		want             int
	}{
		{"unknown field", "/v1/orders", `{"sku": "TEA-1"}`, http.StatusBadRequest},
		{"not JSON", "/v1/orders", `{`, http.StatusBadRequest},
		{"no such path", "/v2/orders", `{}`, http.StatusNotFound},
		{"no such method", "/v1/orders/" + newUUID(), `{}`, http.StatusMethodNotAllowed},
		{"body too large", "/v1/orders", `{"requestId": "` + string(make([]byte, 4<<20)) + `"}`, http.StatusRequestEntityTooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			// Asking first, as curl does, so that no answer is lost behind a large body.
			got := post(t, s.Order.HTTP, test.path, test.body, "Expect", "100-continue")
			if got.code != test.want || got.field(t, "message") == "" {
				t.Errorf("got %d %s, want %d", got.code, got.body, test.want)
			}
		})
	}
}
