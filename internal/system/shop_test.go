package system_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	userv1 "github.com/protosvc/protosvc/generated/user/v1"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svc"
	"github.com/protosvc/protosvc/internal/system"
)

// shop is a system with clients of its services.
type shop struct {
	*system.System
	users    userv1.UserServiceClient
	orders   orderv1.OrderServiceClient
	payments paymentv1.PaymentServiceClient
}

// openShop starts a system as start does.
func openShop(t *testing.T, change func(*system.Options)) shop {
	t.Helper()
	sys := start(t, change)
	return shop{
		System:   sys,
		users:    dial(t, sys.User, userv1svc.DialUserService),
		orders:   dial(t, sys.Order, orderv1svc.DialOrderService),
		payments: dial(t, sys.Payment, paymentv1svc.DialPaymentService),
	}
}

// newUser returns the id of a new user.
func (s shop) newUser(t *testing.T) string {
	t.Helper()
	res, err := s.users.CreateUser(limited(t), &userv1.CreateUserRequest{
		Email: strings.ToLower(rand.Text()) + "@example.com", DisplayName: "Ada",
	})
	if err != nil {
		t.Fatal(err)
	}
	return res.GetUser().GetUserId()
}

// newOrder returns a new order of a new user.
func (s shop) newOrder(t *testing.T) *orderv1.Order {
	t.Helper()
	res, err := s.orders.CreateOrder(limited(t), orderOf(s.newUser(t), 1500))
	if err != nil {
		t.Fatal(err)
	}
	return res.GetOrder()
}

// reconcile compares the orders with the payments, each by its own total.
func (s shop) reconcile(t *testing.T, orders ...*orderv1.Order) []*paymentv1.ReconcileResponse {
	t.Helper()
	var lines []*paymentv1.ReconcileRequest
	for _, o := range orders {
		lines = append(lines, &paymentv1.ReconcileRequest{
			Reference: o.GetOrderId(),
			Amount:    &paymentv1.Money{CurrencyCode: o.GetTotal().GetCurrencyCode(), AmountMinor: o.GetTotal().GetAmountMinor()},
		})
	}
	return reconcile(t, s.payments, lines...)
}

// reconcile sends the lines one by one, each after the answer to the one before.
func reconcile(t *testing.T, payments paymentv1.PaymentServiceClient, lines ...*paymentv1.ReconcileRequest) []*paymentv1.ReconcileResponse {
	t.Helper()
	stream, err := payments.Reconcile(limited(t))
	if err != nil {
		t.Fatal(err)
	}
	var results []*paymentv1.ReconcileResponse
	for _, line := range lines {
		if err := stream.Send(line); err != nil {
			t.Fatal(err)
		}
		result, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, result)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Fatalf("the stream ended with %v, want EOF", err)
	}
	return results
}

// orderOf is a request for one piece at the price, in euro cents.
func orderOf(userID string, price int64) *orderv1.CreateOrderRequest {
	return &orderv1.CreateOrderRequest{
		RequestId: newUUID(),
		UserId:    userID,
		Channel:   orderv1.Channel_CHANNEL_WEB,
		Items: []*orderv1.Item{{
			Sku: "TEA-1", Quantity: 1,
			UnitPrice: &orderv1.Money{CurrencyCode: "EUR", AmountMinor: price},
		}},
	}
}

func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// answer is an HTTP response that has been read.
type answer struct {
	code   int
	header http.Header
	body   string
}

// get, post and patch send HTTP requests that leave no connection behind.
func get(t *testing.T, address, path string, header ...string) answer {
	t.Helper()
	return send(t, request(t, http.MethodGet, address, path, nil, header...))
}

func post(t *testing.T, address, path, body string, header ...string) answer {
	t.Helper()
	return send(t, request(t, http.MethodPost, address, path, strings.NewReader(body), header...))
}

func patch(t *testing.T, address, path, body string) answer {
	t.Helper()
	return send(t, request(t, http.MethodPatch, address, path, strings.NewReader(body)))
}

// request has alternating names and values of headers.
func request(t *testing.T, method, address, path string, body io.Reader, header ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(limited(t), method, "http://"+address+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return req
}

func send(t *testing.T, req *http.Request) answer {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(body)}
}

// json decodes the body.
func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		t.Fatalf("%v in %q", err, a.body)
	}
	return out
}

// field returns what stands at the path of keys and indices, "details.0.reason",
// as text; "" for nothing.
func (a answer) field(t *testing.T, path string) string {
	t.Helper()
	var at any = a.json(t)
	for key := range strings.SplitSeq(path, ".") {
		switch value := at.(type) {
		case map[string]any:
			at = value[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(value) {
				return ""
			}
			at = value[i]
		default:
			return ""
		}
	}
	if at == nil {
		return ""
	}
	return fmt.Sprint(at)
}

// metric returns the value of a series as /metrics writes it; -1 if there is
// no such series.
func metric(t *testing.T, service *system.Service, series string) float64 {
	t.Helper()
	for line := range strings.Lines(get(t, service.Admin, "/metrics").body) {
		if text, ok := strings.CutPrefix(line, series+" "); ok {
			value, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			if err != nil {
				t.Fatal(err)
			}
			return value
		}
	}
	return -1
}

// logLines returns the lines of a service's log that contain all texts, once there are
// any: a service writes its log a moment after it has answered. It waits for 5 s at most.
func logLines(t *testing.T, service *system.Service, texts ...string) []string {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if found := linesWith(t, service, texts); found != nil || time.Now().After(deadline) {
			return found
		}
	}
}

func linesWith(t *testing.T, service *system.Service, texts []string) []string {
	t.Helper()
	var found []string
	log, err := os.ReadFile(service.Log)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(log)) {
		if containsAll(line, texts) {
			found = append(found, line)
		}
	}
	return found
}

func containsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// list returns all orders of a user, the newest first.
func (s shop) list(ctx context.Context, t *testing.T, userID string) []*orderv1.Order {
	t.Helper()
	res, err := s.orders.ListOrders(ctx, &orderv1.ListOrdersRequest{UserId: userID})
	if err != nil {
		t.Fatal(err)
	}
	return res.GetOrders()
}
