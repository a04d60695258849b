package tracing

import (
	"cmp"
	"context"
	"net/http"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// HTTPClient starts the spans of requests to an external service. It is made by
// [HTTP].
type HTTPClient struct {
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
}

// HTTP returns what makes the spans of an HTTP client. A provider of nil records
// nothing.
func HTTP(p trace.TracerProvider) *HTTPClient { return &HTTPClient{tracer(p), Propagator()} }

// Start begins the span of a request, the n-th after the first, as a child of
// the span in ctx. It is named after the method, as the semantic conventions
// want where no route is known; the query stays out of it.
func (h *HTTPClient) Start(ctx context.Context, req *http.Request, n int) (context.Context, trace.Span) {
	ctx, span := h.tracer.Start(ctx, cmp.Or(req.Method, http.MethodGet), trace.WithSpanKind(trace.SpanKindClient))
	if !span.IsRecording() {
		return ctx, span
	}
	port := req.URL.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[req.URL.Scheme]
	}
	number, _ := strconv.Atoi(port)
	span.SetAttributes(
		attribute.String("http.request.method", cmp.Or(req.Method, http.MethodGet)),
		attribute.String("url.full", req.URL.Scheme+"://"+req.URL.Host+req.URL.EscapedPath()),
		semconv.ServerAddress(req.URL.Hostname()),
		semconv.ServerPort(number),
	)
	if n > 0 {
		span.SetAttributes(semconv.HTTPRequestResendCount(n))
	}
	return ctx, span
}

// Inject adds the headers that tell the callee about the span in ctx.
func (h *HTTPClient) Inject(ctx context.Context, header http.Header) {
	h.propagator.Inject(ctx, propagation.HeaderCarrier(header))
}

// End ends a span with the response's status, 0 and an error where there was none.
func (h *HTTPClient) End(span trace.Span, status int, err error) {
	defer span.End()
	if !span.IsRecording() {
		return
	}
	if err != nil {
		span.SetAttributes(semconv.ErrorTypeOther)
		span.SetStatus(otelcodes.Error, err.Error())
		return
	}
	span.SetAttributes(semconv.HTTPResponseStatusCode(status))
	if status >= 400 {
		span.SetAttributes(semconv.ErrorTypeKey.String(strconv.Itoa(status)))
		span.SetStatus(otelcodes.Error, "")
	}
}
