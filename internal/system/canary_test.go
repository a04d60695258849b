package system_test

import (
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	userv1 "github.com/protosvc/protosvc/generated/user/v1"
)

// maxEcho is how many bytes of a request an error answer shows.
const maxEcho = 256

// canary is 10 kB that are easy to count.
var canary = strings.Repeat("Q", 10_000)

func assertNoEcho(t *testing.T, answer string) {
	t.Helper()
	shown := strings.Count(answer, "Q") + strings.Count(answer, "7777")*4
	if shown > maxEcho {
		t.Errorf("the answer shows %d bytes of the request: %.600s", shown, answer)
	}
}

// TestNoAnswerEchoesTheRequest puts 10 kB into each part of a request.
func TestNoAnswerEchoesTheRequest(t *testing.T) {
	s := openShop(t, nil)
	t.Run("json", func(t *testing.T) { echoOverJSON(t, s) })
	t.Run("grpc", func(t *testing.T) { echoOverGRPC(t, s) })
}

func echoOverJSON(t *testing.T, s shop) {
	user := newUUID()
	for name, r := range map[string]struct {
		method, path, body string
		header             []string
	}{
		"path":             {method: http.MethodGet, path: "/" + canary},
		"path parameter":   {method: http.MethodGet, path: "/v1/orders/" + canary},
		"verb of a path":   {method: http.MethodPost, path: "/v1/orders/1:" + canary, body: "{}"},
		"method":           {method: canary, path: "/v1/orders"},
		"other method":     {method: http.MethodDelete, path: "/v1/orders/" + canary},
		"number in query":  {method: http.MethodGet, path: "/v1/users/" + user + "/orders?page_size=" + canary},
		"text in query":    {method: http.MethodGet, path: "/v1/users/" + user + "/orders?page_token=" + canary},
		"name in query":    {method: http.MethodGet, path: "/v1/users/" + user + "/orders?page_size=x&" + canary + "=1"},
		"nested in query":  {method: http.MethodGet, path: "/v1/users/" + user + "/orders?page_size." + canary + "=1"},
		"index in query":   {method: http.MethodGet, path: "/v1/users/" + user + "/orders?page_size[" + canary + "]=1"},
		"repeated query":   {method: http.MethodGet, path: "/v1/users/" + user + "/orders?page_size=1&page_size=" + canary},
		"encoding of path": {method: http.MethodGet, path: "/v1/users/" + user + "/orders?page_size=%zz" + canary},
		"unknown field":    {method: http.MethodPost, path: "/v1/orders", body: `{"` + canary + `":1}`},
		"unknown nested":   {method: http.MethodPost, path: "/v1/orders", body: `{"items":[{"` + canary + `":1}]}`},
		"wrong type":       {method: http.MethodPost, path: "/v1/orders", body: `{"items":"` + canary + `"}`},
		"number as text":   {method: http.MethodPost, path: "/v1/orders", body: `{"items":[{"quantity":"` + canary + `"}]}`},
		"enum value":       {method: http.MethodPost, path: "/v1/orders", body: `{"channel":"` + canary + `"}`},
		"no JSON":          {method: http.MethodPost, path: "/v1/orders", body: canary},
		"after the JSON":   {method: http.MethodPost, path: "/v1/orders", body: `{}` + canary},
		"bad escape":       {method: http.MethodPost, path: "/v1/orders", body: `{"request_id":"\q` + canary + `"}`},
		"long number":      {method: http.MethodPost, path: "/v1/orders", body: `{"items":[{"quantity":` + strings.Repeat("7", 10_000) + `}]}`},
		"twice the field":  {method: http.MethodPost, path: "/v1/orders", body: `{"request_id":"` + canary + `","request_id":"` + canary + `"}`},
		"invalid field":    {method: http.MethodPost, path: "/v1/orders", body: `{"request_id":"` + canary + `","user_id":"` + canary + `"}`},
		"user":             {method: http.MethodPost, path: "/v1/users", body: `{"email":"` + canary + `","display_name":"` + canary + `"}`},
		"tenant":           {method: http.MethodGet, path: "/v1/orders/" + user, header: []string{"X-Tenant-Id", canary}},
		"traceparent":      {method: http.MethodGet, path: "/v1/orders/" + user, header: []string{"Traceparent", canary}},
		"languages":        {method: http.MethodGet, path: "/v1/orders/" + user, header: []string{"Accept-Language", canary}},
		"timeout":          {method: http.MethodGet, path: "/v1/orders/" + user, header: []string{"Grpc-Timeout", canary}},
		"binary metadata":  {method: http.MethodGet, path: "/v1/orders/" + user, header: []string{"Grpc-Metadata-X-Bin", strings.Repeat("Q=", 5_000)}},
		"content type":     {method: http.MethodPost, path: "/v1/orders", body: "x", header: []string{"Content-Type", canary}},
	} {
		t.Run(name, func(t *testing.T) {
			address := s.Order.HTTP
			if strings.HasPrefix(r.path, "/v1/users") && r.method == http.MethodPost {
				address = s.User.HTTP
			}
			got := send(t, request(t, r.method, address, r.path, strings.NewReader(r.body), r.header...))
			if got.code < 400 {
				t.Fatalf("the request is answered with %d", got.code)
			}
			assertNoEcho(t, got.body)
		})
	}
}

func echoOverGRPC(t *testing.T, s shop) {
	conn, err := grpc.NewClient(s.Order.Target(), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithMaxHeaderListSize(8192))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	tooLong := &paymentv1.AuthorizeRequest{Reference: canary, Amount: &paymentv1.Money{CurrencyCode: canary}}
	for name, r := range map[string]struct {
		method string
		in     proto.Message
		header []string
	}{
		"method":       {"/order.v1.OrderService/" + canary, &emptypb.Empty{}, nil},
		"malformed":    {"/" + canary, &emptypb.Empty{}, nil},
		"no slash":     {canary, &emptypb.Empty{}, nil},
		"service":      {"/" + canary + "/GetOrder", &emptypb.Empty{}, nil},
		"field":        {orderv1.OrderService_GetOrder_FullMethodName, &orderv1.GetOrderRequest{OrderId: canary}, nil},
		"page token":   {orderv1.OrderService_ListOrders_FullMethodName, &orderv1.ListOrdersRequest{UserId: newUUID(), PageToken: canary}, nil},
		"other fields": {orderv1.OrderService_CreateOrder_FullMethodName, &orderv1.CreateOrderRequest{RequestId: canary, UserId: canary, Items: []*orderv1.Item{{Sku: canary}}}, nil},
		"undecodable":  {orderv1.OrderService_GetOrder_FullMethodName, &userv1.CreateUserRequest{Email: canary, DisplayName: canary}, nil},
		"payment":      {orderv1.OrderService_CreateOrder_FullMethodName, tooLong, nil},
		"tenant":       {orderv1.OrderService_GetOrder_FullMethodName, &orderv1.GetOrderRequest{OrderId: newUUID()}, []string{"x-tenant-id", canary}},
		"request id":   {orderv1.OrderService_GetOrder_FullMethodName, &orderv1.GetOrderRequest{OrderId: newUUID()}, []string{"x-request-id", strings.Repeat("Q", 100)}},
		"language":     {orderv1.OrderService_GetOrder_FullMethodName, &orderv1.GetOrderRequest{OrderId: newUUID()}, []string{"accept-language", canary}},
	} {
		t.Run(name, func(t *testing.T) {
			err := conn.Invoke(metadata.AppendToOutgoingContext(limited(t), r.header...), r.method, r.in, &emptypb.Empty{})
			got := status.Convert(err)
			if got.Code() == codes.OK || strings.Contains(got.Message(), "RST_STREAM") {
				t.Fatalf("the error is %v", err)
			}
			assertNoEcho(t, protojson.Format(got.Proto()))
		})
	}
}
