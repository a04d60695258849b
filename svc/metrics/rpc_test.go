package metrics_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/svc/internal/rpcmetrics"
	"github.com/protosvc/protosvc/svc/metrics"
)

func TestServerMethod(t *testing.T) {
	r := metrics.New(metrics.BuildInfo{})
	r.RPC().ServerMethod(getOrder, rpcmetrics.Unary)
	m := r.RPC().ServerMethod(getOrder, rpcmetrics.Unary) // bound again: the same series
	m.Start()
	m.Start()
	m.Received()
	m.Sent()
	m.Sent()
	m.Sent()
	m.Panicked()
	m.Undecodable()
	m.Left()
	m.End(codes.NotFound, 40*time.Millisecond, "")
	m.End(codes.Code(99), 40*time.Millisecond, "")
	r.RPC().UnknownMethod()
	_, body := scrape(t, r, "")
	labels := `grpc_method="GetOrder",grpc_service="order.v1.OrderService",grpc_type="unary"`
	for _, want := range []string{
		`grpc_server_started_total{` + labels + `} 2`,
		`grpc_server_in_flight{` + labels + `} 1`,
		`grpc_server_msg_received_total{` + labels + `} 1`,
		`grpc_server_msg_sent_total{` + labels + `} 3`,
		`grpc_server_panics_total{` + labels + `} 1`,
		`grpc_server_undecodable_total{` + labels + `} 1`,
		`grpc_server_handled_total{grpc_code="NotFound",` + labels + `} 1`,
		`grpc_server_handled_total{grpc_code="Unknown",` + labels + `} 1`,
		`grpc_server_handled_total{grpc_code="OK",` + labels + `} 0`,
		`grpc_server_handling_seconds_bucket{` + labels + `,le="0.025"} 0`,
		`grpc_server_handling_seconds_bucket{` + labels + `,le="0.05"} 2`,
		`grpc_server_unknown_method_total 1`,
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestClientMethod(t *testing.T) {
	r := metrics.New(metrics.BuildInfo{})
	m := r.RPC().ClientMethod(getOrder, rpcmetrics.BidiStream)
	m.Start()
	m.Sent()
	m.Received()
	m.End(codes.Unavailable, time.Second, "")
	_, body := scrape(t, r, "")
	labels := `grpc_method="GetOrder",grpc_service="order.v1.OrderService",grpc_type="bidi_stream"`
	for _, want := range []string{
		`grpc_client_started_total{` + labels + `} 1`,
		`grpc_client_msg_received_total{` + labels + `} 1`,
		`grpc_client_msg_sent_total{` + labels + `} 1`,
		`grpc_client_handled_total{grpc_code="Unavailable",` + labels + `} 1`,
		`grpc_client_handling_seconds_sum{` + labels + `} 1`,
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("%q is missing", want)
		}
	}
}

// The labels of requests to external services have few values, whatever comes back.
func TestHTTPClient(t *testing.T) {
	r := metrics.New(metrics.BuildInfo{})
	h := r.RPC().HTTPClient("names")
	for status, want := range map[int]string{0: "", 99: "", 100: "100", 200: "200", 599: "599", 600: "", -1: ""} {
		h.End(http.MethodPut, status, time.Second)
		_, body := scrape(t, r, "")
		series := `http_client_request_duration_seconds_count{callee="names",http_request_method="PUT",http_response_status_code="` + want + `"}`
		if !strings.Contains(body, series) {
			t.Errorf("status %d is not in %s", status, series)
		}
	}
	for method, want := range map[string]string{"": "GET", "BREW": "_OTHER", http.MethodConnect: "CONNECT"} {
		h.End(method, 201, time.Second)
		_, body := scrape(t, r, "")
		if series := `http_request_method="` + want + `",http_response_status_code="201"} 1`; !strings.Contains(body, series) {
			t.Errorf("method %q is not in %s", method, series)
		}
	}
	_, body := scrape(t, r, "")
	if n := strings.Count(body, `http_client_request_duration_seconds_count{`); n != 7 {
		t.Errorf("%d series, want 7", n)
	}
}

func TestOpenMetricsHasExemplars(t *testing.T) {
	r := metrics.New(metrics.BuildInfo{})
	r.RPC().ServerMethod(getOrder, rpcmetrics.Unary).End(codes.OK, time.Millisecond, "0af7651916cd43dd8448eb211c80319c")
	contentType, body := scrape(t, r, "application/openmetrics-text; version=1.0.0")
	if !strings.HasPrefix(contentType, "application/openmetrics-text") || !strings.HasSuffix(body, "# EOF\n") {
		t.Errorf("not OpenMetrics: %s", contentType)
	}
	if !strings.Contains(body, `# {trace_id="0af7651916cd43dd8448eb211c80319c"} 0.001`) {
		t.Error("the exemplar is missing")
	}
	if contentType, _ := scrape(t, r, "text/plain"); !strings.HasPrefix(contentType, "text/plain") {
		t.Errorf("got %s, want text/plain", contentType)
	}
}

func TestCallsDoNotAllocate(t *testing.T) {
	m := metrics.New(metrics.BuildInfo{}).RPC().ServerMethod(getOrder, rpcmetrics.Unary)
	if got := testing.AllocsPerRun(100, func() {
		m.Start()
		m.Received()
		m.Sent()
		m.End(codes.OK, time.Millisecond, "")
		m.Left()
	}); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}
