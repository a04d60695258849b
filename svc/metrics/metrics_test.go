package metrics_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/protosvc/protosvc/svc/internal/rpcmetrics"
	"github.com/protosvc/protosvc/svc/metrics"
	"github.com/protosvc/protosvc/svc/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var getOrder = policy.Method{Name: "/order.v1.OrderService/GetOrder"}

// scrape returns what a scraper that accepts this format reads.
func scrape(t *testing.T, r *metrics.Registry, accept string) (contentType, body string) {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	request.Header.Set("Accept", accept)
	recorder := httptest.NewRecorder()
	r.Handler().ServeHTTP(recorder, request)
	read, err := io.ReadAll(recorder.Result().Body)
	if err != nil || recorder.Code != http.StatusOK {
		t.Fatalf("status %d, %v: %s", recorder.Code, err, read)
	}
	return recorder.Header().Get("Content-Type"), string(read)
}

func TestProcess(t *testing.T) {
	r := metrics.New(metrics.BuildInfo{Service: "order", Version: "v1.2.3", System: "shop", Team: "commerce", Revision: "abc"})
	_, body := scrape(t, r, "")
	for _, want := range []string{
		`build_info{goversion="go1.`,
		`revision="abc",service="order",system="shop",team="commerce",version="v1.2.3"} 1`,
		"\ngo_goroutines ",
		"\ngo_memstats_heap_alloc_bytes ",
		"\ngo_gc_duration_seconds_count ",
		"\ngo_sched_latencies_seconds_count ",
		"\nprocess_open_fds ",
		"\ngrpc_server_unknown_method_total 0",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if lines := strings.Count(body, "\n"); lines > 250 {
		t.Errorf("a service without methods has %d lines of metrics, want at most 250", lines)
	}
}

func TestSeriesExistFromTheStart(t *testing.T) {
	r := metrics.New(metrics.BuildInfo{})
	r.RPC().ServerMethod(getOrder, rpcmetrics.Unary)
	r.RPC().ClientMethod(getOrder, rpcmetrics.ServerStream)
	for name, want := range map[string]int{
		"grpc_server_started_total":      1,
		"grpc_server_handled_total":      17,
		"grpc_server_handling_seconds":   1,
		"grpc_server_msg_received_total": 1,
		"grpc_server_msg_sent_total":     1,
		"grpc_server_in_flight":          1,
		"grpc_server_panics_total":       1,
		"grpc_server_undecodable_total":  1,
		"grpc_client_started_total":      1,
		"grpc_client_handled_total":      17,
		"grpc_client_handling_seconds":   1,
		"grpc_client_msg_received_total": 1,
		"grpc_client_msg_sent_total":     1,
	} {
		if got, err := testutil.GatherAndCount(r, name); got != want || err != nil {
			t.Errorf("%s: got %d series, %v; want %d", name, got, err, want)
		}
	}
	_, body := scrape(t, r, "")
	for _, want := range []string{
		`grpc_server_handled_total{grpc_code="OK",grpc_method="GetOrder",grpc_service="order.v1.OrderService",grpc_type="unary"} 0`,
		`grpc_client_handled_total{grpc_code="DeadlineExceeded",grpc_method="GetOrder",grpc_service="order.v1.OrderService",grpc_type="server_stream"} 0`,
		`grpc_server_handling_seconds_bucket{grpc_method="GetOrder",grpc_service="order.v1.OrderService",grpc_type="unary",le="0.3"} 0`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestBusinessMetrics(t *testing.T) {
	r := metrics.New(metrics.BuildInfo{})
	channel := metrics.Label{Name: "channel", Values: []string{"web", "app"}}
	paid := metrics.Label{Name: "paid", Values: []string{"yes", "no"}}
	orders := r.Counter("orders_created_total", "Orders created.", []metrics.Label{channel, paid})
	queue := r.Gauge("orders_queued", "Orders waiting.", []metrics.Label{channel})
	value := r.Histogram("order_value", "Value.", []float64{10, 100}, nil)

	orders.With("web", "yes").Inc()
	given := []string{"fax", "yes"}
	orders.With(given...).Inc()
	orders.With("telex", "maybe").Add(2)
	queue.With("app").Set(3)
	value.With().Observe(50)

	if given[0] != "fax" {
		t.Error("With changed the caller's slice")
	}
	const want = `
# HELP order_value Value.
# TYPE order_value histogram
order_value_bucket{le="10"} 0
order_value_bucket{le="100"} 1
order_value_bucket{le="+Inf"} 1
order_value_sum 50
order_value_count 1
# HELP orders_created_total Orders created.
# TYPE orders_created_total counter
orders_created_total{channel="app",paid="no"} 0
orders_created_total{channel="app",paid="yes"} 0
orders_created_total{channel="other",paid="other"} 2
orders_created_total{channel="other",paid="yes"} 1
orders_created_total{channel="web",paid="no"} 0
orders_created_total{channel="web",paid="yes"} 1
# HELP orders_queued Orders waiting.
# TYPE orders_queued gauge
orders_queued{channel="app"} 3
`
	if err := testutil.GatherAndCompare(r, strings.NewReader(want), "orders_created_total", "orders_queued", "order_value"); err != nil {
		t.Error(err)
	}
}

func TestWrongDeclarationsPanic(t *testing.T) {
	tests := map[string]struct {
		declare func(*metrics.Registry)
		want    string
	}{
		"taken name": {func(r *metrics.Registry) { r.Counter("grpc_server_started_total", "", nil) }, "previously registered"},
		"bad name":   {func(r *metrics.Registry) { r.Gauge("a\xffb", "", nil) }, "is not a valid metric name"},
		"no values": {func(r *metrics.Registry) { r.Histogram("a", "", nil, []metrics.Label{{Name: "b"}}) },
			`metric "a": label "b" has no values`},
		"too few values": {func(r *metrics.Registry) {
			r.Counter("a", "", []metrics.Label{{Name: "b", Values: []string{"c"}}}).With()
		}, "inconsistent label cardinality"},
		"too many values": {func(r *metrics.Registry) { r.Counter("a", "", nil).With("b") }, "inconsistent label cardinality"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, test.want) {
					t.Errorf("got %q, want it to say %q", got, test.want)
				}
			}()
			test.declare(metrics.New(metrics.BuildInfo{}))
		})
	}
}

func TestRegister(t *testing.T) {
	r := metrics.New(metrics.BuildInfo{})
	own := prometheus.NewGauge(prometheus.GaugeOpts{Name: "own"})
	if err := r.Register(own); err != nil {
		t.Error(err)
	}
	if got, err := testutil.GatherAndCount(r, "own"); got != 1 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
	if err := r.Register(collectors.NewGoCollector()); err == nil {
		t.Error("a second Go collector was accepted")
	}
}

func Example() {
	registry := metrics.New(metrics.BuildInfo{Service: "order", Version: "v1.0.0"})
	created := registry.Counter("orders_created_total", "Orders created.",
		[]metrics.Label{{Name: "channel", Values: []string{"web", "app"}}})

	created.With("web").Inc()
	created.With("whatever a caller sent").Inc()

	families, _ := registry.Gather()
	for _, family := range families {
		if family.GetName() == "orders_created_total" {
			for _, m := range family.GetMetric() {
				fmt.Println(m.GetLabel()[0].GetValue(), m.GetCounter().GetValue())
			}
		}
	}
	// Output:
	// app 0
	// other 1
	// web 1
}
