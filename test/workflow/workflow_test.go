// Package workflow_test does what a team does with the repository: it changes
// the contract, generates, and looks at what has followed. All of it happens in
// a copy.
package workflow_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const contract = "proto/order/v1/order.proto"

// TestWorkflow walks through one copy of the repository. Each step starts from
// the contract as it is committed.
func TestWorkflow(t *testing.T) {
	c := copyRepository(t)
	c.run(t, "make", "third_party")
	committed := c.read(t, contract)
	for _, step := range []struct {
		name string
		run  func(*testing.T, checkout)
	}{
		{"delete and restore", deleteAndRestore},
		{"mistakes", mistakes},
		{"change", change},
		{"upgrade", upgrade},
	} {
		c.write(t, contract, []byte(committed))
		if !t.Run(step.name, func(t *testing.T) { step.run(t, c) }) {
			return
		}
	}
}

// deleteAndRestore checks that generated/ can always be thrown away, and that
// nothing else is touched when it is made again.
func deleteAndRestore(t *testing.T, c checkout) {
	before := c.snapshot(t, ".")
	if err := os.RemoveAll(filepath.Join(c.dir, "generated")); err != nil {
		t.Fatal(err)
	}
	c.run(t, "make", "generate")
	wantSame(t, before, c.snapshot(t, "."))
}

// mistakes checks that a contract with ten mistakes is refused with all of them
// and their lines, and that what was generated before stays.
func mistakes(t *testing.T, c checkout) {
	tests := []struct {
		edit edit
		want string // follows the position
	}{
		{
			edit{`(\bscale: \{)`, `ports: {grpc: 99999}` + "\n    $1"},
			`OrderService: port-range: ports.grpc 99999 is not a TCP port`,
		},
		{
			edit{`(\bscale: \{.*?max: )\d+`, "${1}1"},
			`OrderService: scale-range: scale.max 1 is below min 2`,
		},
		{
			edit{`(\bscale: \{.*?cpu: )"\w+"`, `$1"lots"`},
			`OrderService: quantity-format: scale.cpu "lots" is not a quantity`,
		},
		{
			edit{`(rpc CreateOrder\(.*?timeout: )"\w+"`, `$1"5 sec"`},
			`OrderService.CreateOrder: duration-format: timeout "5 sec" is not a duration`,
		},
		{
			edit{`idempotency_key: "request_id"`, `idempotency_key: "request"`},
			`OrderService.CreateOrder: idempotency-key: idempotency_key "request" is not a field`,
		},
		{
			edit{`errors: "ORDER_ERROR_CURRENCIES_DIFFER"`, `errors: "ORDER_ERROR_CURENCIES_DIFFER"`},
			`OrderService.CreateOrder: unknown-error: errors[4] "ORDER_ERROR_CURENCIES_DIFFER" is not a value`,
		},
		{
			edit{`get: "/v1/users/\{user_id\}/orders"`, `get: "/v1/orders/{user_id}"`},
			`OrderService.ListOrders: http-path: get "/v1/orders/{user_id}" matches the requests of "/v1/orders/{order_id}", which is the path of GetOrder (order/v1/order.proto:100:33)`,
		},
		{
			edit{`defers: "payment\.v1\.PaymentService/Refund"`, `defers: "payment.v1.PaymentsService/Refund"`},
			`OrderService.CancelOrder: unknown-callee: defers[0] "payment.v1.PaymentsService/Refund": service "payment.v1.PaymentsService" is not in this run`,
		},
		{
			edit{`http_status: 402`, `http_status: 42`},
			`OrderError.ORDER_ERROR_PAYMENT_DECLINED: error-http-status: http_status 42 is not the status of an error`,
		},
		{
			edit{`default: "1s"`, `default: "ten"`},
			`Config.watch_interval: config-default: default "ten": "ten" is not a value of type duration`,
		},
	}
	before := c.snapshot(t, "generated", "services")
	for _, test := range tests {
		c.edit(t, contract, test.edit)
	}
	output, err := c.try(append(slices.Clone(buf), "generate")...)
	if err == nil {
		t.Error("buf generate accepts the contract")
	}
	for _, test := range tests {
		wantFault(t, output, test.want)
	}
	if t.Failed() {
		t.Logf("buf generate says:\n%s", output)
	}
	wantSame(t, before, c.snapshot(t, "generated", "services"))
}

// wantFault looks for a message with a position in the file that an editor opens.
// That the positions are right is the business of the plugin's own tests.
func wantFault(t *testing.T, output, text string) {
	t.Helper()
	var line, column int
	for found := range strings.Lines(output) {
		position, _, ok := strings.Cut(found, ": "+text)
		if !ok {
			continue
		}
		if n, _ := fmt.Sscanf(position, contract+":%d:%d", &line, &column); n == 2 {
			return
		}
	}
	t.Errorf("no positioned message %q", text)
}

// change makes one change of every kind, generates, and checks that code,
// configuration and manifests have followed, and handlers not.
func change(t *testing.T, c checkout) {
	handlers := c.snapshot(t, "services")
	c.edit(t, contract, changes()...)
	c.bufGenerate(t)
	wantSame(t, handlers, c.snapshot(t, "services"))
	wantLines(t, c)

	output, err := c.try("go", "build", "./services/...", "./generated/...")
	if err == nil {
		t.Error("it builds, although RateOrder has no handler")
	}
	if want := "does not implement orderv1.OrderServiceServer (missing method RateOrder)"; !strings.Contains(output, want) {
		t.Errorf("the compiler does not say %q but:\n%s", want, output)
	}

	if said := c.sync(t); !strings.Contains(said, "services/order/") || !strings.Contains(said, "RateOrder") {
		t.Errorf("sync says %q, want the name of a new file and the RPC that it is for", said)
	}
	synced := c.snapshot(t, "services")
	added := synced.minus(handlers)
	if len(added) != 1 || !strings.HasPrefix(added[0], "services/order/") {
		t.Fatalf("sync wrote %q, want one file below services/order", added)
	}
	old := maps.Clone(synced)
	delete(old, added[0])
	wantSame(t, handlers, old)
	c.run(t, "go", "build", "./services/...", "./generated/...")
	c.run(t, "go", "run", "./generated/deploy/order/cmd/order", "--config=generated/deploy/order/config.yaml", "--check-config")

	if said := c.sync(t); said != "" {
		t.Errorf("the second sync says %q, want nothing", said)
	}
	wantSame(t, synced, c.snapshot(t, "services"))
}

// changes are one of every kind: an annotation of a method and one of the
// service, a field of a request and one of the configuration, an error, an RPC.
func changes() []edit {
	return []edit{
		{`(rpc CreateOrder\(.*?timeout: )"\w+"`, `$1"1500ms"`},
		{`(\bscale: \{.*?max: )\d+`, `${1}17`},
		{`^(message CreateOrderRequest \{.*?)^\}`, `$1
  // Words for the recipient.
  string gift_note = 1000 [(buf.validate.field).string.max_len = 77];
}`},
		{`^(message Config \{.*?)^\}`, `$1
  // Lowest rating that counts.
  int32 lowest_rating = 1000 [(svc.v1.field) = {default: "3"}];
}`},
		{`^(enum OrderError \{.*?)^\}`, `$1
  // An order is rated once.
  ORDER_ERROR_RATED_ALREADY = 1000 [(svc.v1.error) = {
    code: FAILED_PRECONDITION
    http_status: 409
    message: "order {order_id} has its rating"
  }];
}`},
		{`^(service OrderService \{.*?)^\}`, `$1
  // RateOrder records how content the user is with an order.
  rpc RateOrder(RateOrderRequest) returns (RateOrderResponse) {
    option (google.api.http) = {
      post: "/v1/orders/{order_id}:rate"
      body: "*"
    };
    option (svc.v1.method) = {
      timeout: "700ms"
      errors: "ORDER_ERROR_NOT_FOUND"
      errors: "ORDER_ERROR_RATED_ALREADY"
    };
  }
}

// RateOrderRequest rates an order.
message RateOrderRequest {
  // Identifier of the order.
  string order_id = 1 [(buf.validate.field).string.uuid = true];
  // From 1 to 5.
  int32 stars = 2 [(buf.validate.field).int32 = {
    gte: 1
    lte: 5
  }];
}

// RateOrderResponse says that it is done.
message RateOrderResponse {}`},
	}
}

// wantLines checks every place that must have followed the changes.
func wantLines(t *testing.T, c checkout) {
	const library, deploy = "generated/order/v1/orderv1svc/", "generated/deploy/order/"
	for _, want := range []struct{ file, text string }{
		// timeout
		{library + "order_service_service.go", "orderv1.OrderService_CreateOrder_FullMethodName,\n\t\tTimeout: 1500 * time.Millisecond,"},
		{deploy + "README.md", "| `CreateOrder` | unary | 1.5s |"},
		// scale.max
		{deploy + "k8s/horizontalpodautoscaler.yaml", "maxReplicas: 17\n"},
		{deploy + "README.md", "| Replicas | 2 to 17,"},
		// the field of the request
		{"generated/order/v1/order.pb.go", "func (x *CreateOrderRequest) GetGiftNote() string {"},
		{"generated/order/v1/order.openapi.json", `"giftNote": {`},
		{library + "order_service_validate.go", `utf8.RuneCountInString(m.GetGiftNote()) > 77`},
		// the field of the configuration
		{library + "order_service_service.go", `lowest_rating: 3\n`},
		{deploy + "config.yaml", "\n  # Lowest rating that counts.\n"},
		{deploy + "config.yaml", "\n  lowest_rating: 3\n"},
		{deploy + "k8s/configmap.yaml", " lowest_rating: 3\n"},
		{deploy + "README.md", "| `service.lowest_rating` | `ORDER_SERVICE_LOWEST_RATING` | int32, hot | `3` |"},
		// the error
		{library + "order_error_errors.go", "OrderErrorRatedAlready = &svcerrors.Code{\n\t\tDomain:  \"order.shop\",\n\t\tReason:  \"ORDER_ERROR_RATED_ALREADY\",\n\t\tGRPC:    codes.FailedPrecondition,\n\t\tHTTP:    409,"},
		{library + "order_error_errors.go", `func NewOrderErrorRatedAlready(orderID string) *svcerrors.Error {`},
		{deploy + "README.md", "| `ORDER_ERROR_RATED_ALREADY` | FailedPrecondition | 409 | no |"},
		// the RPC
		{"generated/order/v1/order_grpc.pb.go", `OrderService_RateOrder_FullMethodName `},
		{library + "order_service_service.go", `Path: "/v1/orders/{order_id}:rate", RPC: orderv1.OrderService_RateOrder_FullMethodName`},
		{"generated/order/v1/order.openapi.json", `"/v1/orders/{order_id}:rate": {`},
		{library + "order_service_service.go", "orderv1.OrderService_RateOrder_FullMethodName,\n\t\tTimeout: 700 * time.Millisecond,"},
		{library + "order_service_server.go", `return s.rateOrder.Call(ctx, req)`},
		{library + "order_service_validate.go", `m.GetStars() < 1 || m.GetStars() > 5`},
		{deploy + "README.md", "| `RateOrder` | unary | 700ms |"},
	} {
		if !strings.Contains(c.read(t, want.file), want.text) {
			t.Errorf("%s does not have %q", want.file, want.text)
		}
	}
}
