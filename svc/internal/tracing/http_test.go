package tracing_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	otelcodes "go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/protosvc/protosvc/svc/internal/tracing"
)

// The span of a request to an external service, by how the request ends.
func TestHTTPSpans(t *testing.T) {
	for name, c := range map[string]struct {
		url    string
		n      int
		status int
		err    error
		want   sdktrace.Status
		// of the attributes; empty: not there
		port, resent, code, kind string
	}{
		"answer":        {"https://bank.example.com/a?key=secret", 0, 200, nil, sdktrace.Status{}, "443", "", "200", ""},
		"second try":    {"http://bank.example.com/a", 1, 399, nil, sdktrace.Status{}, "80", "1", "399", ""},
		"fault":         {"http://bank.example.com:8080/a", 0, 400, nil, sdktrace.Status{Code: otelcodes.Error}, "8080", "", "400", "400"},
		"no connection": {"http://bank.example.com/a", 0, 0, errors.New("refused"), sdktrace.Status{Code: otelcodes.Error, Description: "refused"}, "80", "", "", "_OTHER"},
	} {
		t.Run(name, func(t *testing.T) {
			isolate(t)
			p, spans := recorded(t, tracing.Options{Service: "order", SampleRatio: 1})
			req, err := http.NewRequestWithContext(t.Context(), "", c.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			h := tracing.HTTP(p.TracerProvider())
			ctx, span := h.Start(t.Context(), req, c.n)
			h.Inject(ctx, req.Header)
			h.End(span, c.status, c.err)

			ended := spans()
			if len(ended) != 1 {
				t.Fatalf("%d spans have ended, want one", len(ended))
			}
			got, of := ended[0], attributes(ended[0].Attributes)
			if got.Status != c.want {
				t.Errorf("status %+v, want %+v", got.Status, c.want)
			}
			if got, want := req.Header.Get("Traceparent"), fmt.Sprintf("00-%s-%s-01", got.SpanContext.TraceID(), got.SpanContext.SpanID()); got != want {
				t.Errorf("traceparent %q, want %q", got, want)
			}
			for key, want := range map[string]string{
				"http.request.method": "GET", "server.address": "bank.example.com", "server.port": c.port,
				"http.request.resend_count": c.resent, "http.response.status_code": c.code, "error.type": c.kind,
			} {
				if of[key] != want {
					t.Errorf("%s is %q, want %q", key, of[key], want)
				}
			}
		})
	}
}
