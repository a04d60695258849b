package system_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	"github.com/protosvc/protosvc/internal/system"
	svcerrors "github.com/protosvc/protosvc/svc/errors"
)

// answered is what a caller can find in an error, wherever it comes from.
type answered struct {
	reason, userID, tenant, requestID, localized string
}

// TestAnswers: an error of the user service reaches the caller of the order
// service as the contract maps it, in the caller's language, with the id of the
// trace and the metadata that travel; and all logs can be searched for them.
func TestAnswers(t *testing.T) {
	s := openShop(t, func(o *system.Options) { o.LogLevel = "debug" })
	for name, ask := range map[string]func(*testing.T, shop, string, ...string) answered{"grpc": askGRPC, "json": askJSON} {
		t.Run(name, func(t *testing.T) {
			stranger, trace := newUUID(), strings.ReplaceAll(newUUID(), "-", "")
			got := ask(t, s, stranger,
				"traceparent", "00-"+trace+"-00f067aa0ba902b7-00", "accept-language", "fr, de-AT;q=0.7", "x-tenant-id", "acme "+name)
			want := answered{
				reason: "ORDER_ERROR_USER_NOT_FOUND", userID: stranger, tenant: "acme " + name, requestID: trace,
				localized: "de: Nutzer " + stranger + " gibt es nicht",
			}
			if got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			for _, service := range []*system.Service{s.User, s.Order} {
				if lines := logLines(t, service, `"trace_id":"`+trace+`"`, `"msg":"call failed"`, `"metadata":{"x-tenant-id":"acme `+name+`"}`); len(lines) != 1 {
					t.Errorf("the log of %s has %d lines about the failed call, its trace and its tenant", service.Name, len(lines))
				}
			}
		})
	}
}

func askGRPC(t *testing.T, s shop, userID string, pairs ...string) (a answered) {
	_, err := s.orders.CreateOrder(metadata.AppendToOutgoingContext(limited(t), pairs...), orderOf(userID, 1500))
	var typed *svcerrors.Error
	if !errors.As(err, &typed) {
		t.Fatalf("%v is no typed error", err)
	}
	a = answered{reason: typed.Code.Reason, userID: typed.Metadata["user_id"], tenant: typed.Metadata["x-tenant-id"], requestID: typed.RequestID()}
	for _, d := range status.Convert(err).Details() {
		if m, ok := d.(*errdetails.LocalizedMessage); ok {
			a.localized = m.GetLocale() + ": " + m.GetMessage()
		}
	}
	return a
}

func askJSON(t *testing.T, s shop, userID string, pairs ...string) (a answered) {
	got := post(t, s.Order.HTTP, "/v1/orders", protojson.Format(orderOf(userID, 1500)), pairs...)
	if got.code != http.StatusNotFound {
		t.Errorf("the HTTP status is %d: %s", got.code, got.body)
	}
	details, _ := got.json(t)["details"].([]any)
	for _, d := range details {
		detail := d.(map[string]any)
		text := func(key string) string { s, _ := detail[key].(string); return s }
		switch text("@type") {
		case "type.googleapis.com/google.rpc.ErrorInfo":
			metadata, _ := detail["metadata"].(map[string]any)
			a.reason = text("reason")
			a.userID, _ = metadata["user_id"].(string)
			a.tenant, _ = metadata["x-tenant-id"].(string)
		case "type.googleapis.com/google.rpc.RequestInfo":
			a.requestID = text("requestId")
		case "type.googleapis.com/google.rpc.LocalizedMessage":
			a.localized = text("locale") + ": " + text("message")
		}
	}
	return a
}

func TestMetadataOverTheLimit(t *testing.T) {
	s := openShop(t, nil)
	long := strings.Repeat("x", 129)
	_, err := s.orders.CreateOrder(metadata.AppendToOutgoingContext(limited(t), "x-tenant-id", long), orderOf(newUUID(), 1500))
	if !errors.Is(err, svcerrors.InvalidMetadata) || strings.Contains(err.Error(), long) {
		t.Errorf("over gRPC: %v, want %v", err, svcerrors.InvalidMetadata)
	}
	got := post(t, s.Order.HTTP, "/v1/orders", protojson.Format(orderOf(newUUID(), 1500)), "X-Tenant-Id", long)
	if got.code != http.StatusBadRequest || got.field(t, "details.0.reason") != "INVALID_METADATA" {
		t.Errorf("over HTTP: %d %s", got.code, got.body)
	}
}

// whatNow is a caller that has an answer to every error of CreateOrder. With one
// more in the contract, this file no longer compiles.
type whatNow struct{}

var _ orderv1svc.OrderServiceCreateOrderErrors[string] = whatNow{}

func (whatNow) OrderErrorUserNotFound(e *svcerrors.Error) string {
	return "register " + e.Metadata["user_id"]
}
func (whatNow) OrderErrorUserNotActive(*svcerrors.Error) string    { return "ask support" }
func (whatNow) OrderErrorPaymentDeclined(*svcerrors.Error) string  { return "pay otherwise" }
func (whatNow) OrderErrorRequestIDReused(*svcerrors.Error) string  { return "choose another id" }
func (whatNow) OrderErrorCurrenciesDiffer(*svcerrors.Error) string { return "order twice" }

func TestEveryErrorHasACase(t *testing.T) {
	s := openShop(t, nil)
	stranger := newUUID()
	mixed := orderOf(s.newUser(t), 1500)
	mixed.Items = append(mixed.Items, orderOf("", 5).Items...)
	mixed.Items[1].UnitPrice.CurrencyCode = "USD"
	for want, req := range map[string]func() error{
		"register " + stranger: func() error { _, err := s.orders.CreateOrder(limited(t), orderOf(stranger, 1)); return err },
		"order twice":          func() error { _, err := s.orders.CreateOrder(limited(t), mixed); return err },
		"":                     func() error { _, err := s.orders.CreateOrder(limited(t), orderOf("nobody", 1)); return err },
	} {
		got, matched := orderv1svc.MatchOrderServiceCreateOrder(req(), whatNow{})
		if got != want || matched != (want != "") {
			t.Errorf("got %q, %v, want %q", got, matched, want)
		}
	}
}
