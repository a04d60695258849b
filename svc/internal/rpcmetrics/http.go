package rpcmetrics

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// httpMethods are the values of the label http_request_method; anything else is
// "_OTHER", as the semantic conventions of OpenTelemetry have it.
var httpMethods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
	http.MethodDelete, http.MethodOptions, http.MethodTrace, http.MethodConnect,
}

func newHTTPSeries() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "http_client_request_duration_seconds",
		Help:    "Time from an HTTP request, each attempt by itself, to the headers of its response, in seconds.",
		Buckets: handlingBuckets(),
	}, []string{"callee", "http_request_method", "http_response_status_code"})
}

// HTTPClient measures the requests to one external service. It is made by
// [Series.HTTPClient].
type HTTPClient struct{ seconds prometheus.ObserverVec }

// HTTPClient binds http_client_request_duration_seconds for a callee.
func (r *Series) HTTPClient(callee string) *HTTPClient {
	return &HTTPClient{r.http.MustCurryWith(prometheus.Labels{"callee": callee})}
}

// End measures one request. The status is 0 where there was no answer, which is
// the empty label.
func (h *HTTPClient) End(method string, status int, took time.Duration) {
	if method == "" {
		method = http.MethodGet
	}
	if !slices.Contains(httpMethods, method) {
		method = "_OTHER"
	}
	code := ""
	if status >= 100 && status <= 599 {
		code = strconv.Itoa(status)
	}
	h.seconds.WithLabelValues(method, code).Observe(took.Seconds())
}
