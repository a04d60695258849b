package tracing_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	otelcodes "go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/internal/tracing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	rpc         = "/order.v1.OrderService/GetOrder"
	traceID     = "0af7651916cd43dd8448eb211c80319c"
	parentID    = "b7ad6b7169203331"
	traceparent = "00-" + traceID + "-" + parentID + "-01"
)

// isolate clears the variables that this package looks at.
func isolate(t *testing.T) {
	for _, name := range []string{
		"OTEL_SDK_DISABLED", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG", "OTEL_TRACES_EXPORTER",
		"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL",
		"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES",
		"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_COMPRESSION",
		"OTEL_EXPORTER_OTLP_INSECURE", "OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
	} {
		t.Setenv(name, "")
	}
}

// recorded returns a provider and a function that returns its ended spans.
func recorded(t *testing.T, o tracing.Options) (*tracing.Provider, func() tracetest.SpanStubs) {
	t.Helper()
	spans := tracetest.NewInMemoryExporter()
	o.Exporter = spans
	p, err := tracing.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Shutdown(context.Background()) })
	return p, func() tracetest.SpanStubs {
		if err := p.Flush(context.Background()); err != nil {
			t.Error(err)
		}
		return spans.GetSpans()
	}
}

func received(pairs ...string) context.Context {
	return metadata.NewIncomingContext(context.Background(), metadata.Pairs(pairs...))
}

func attributes(list []attribute.KeyValue) map[string]string {
	values := map[string]string{}
	for _, a := range list {
		values[string(a.Key)] = a.Value.String()
	}
	return values
}

func TestServerSpan(t *testing.T) {
	isolate(t)
	p, ended := recorded(t, tracing.Options{Service: "order", Version: "v1"})
	ctx := peer.NewContext(received("traceparent", traceparent), &peer.Peer{
		LocalAddr: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 9090},
	})
	m := tracing.Server(p.TracerProvider(), rpc)
	_, span := m.Start(ctx)
	m.End(span, status.New(codes.NotFound, "no such order"))

	spans := ended()
	if len(spans) != 1 {
		t.Fatalf("got %d spans, want 1", len(spans))
	}
	got := spans[0]
	if got.Name != "order.v1.OrderService/GetOrder" || got.SpanKind != trace.SpanKindServer ||
		got.Parent.SpanID().String() != parentID || !got.Parent.IsRemote() || got.Status.Code != otelcodes.Unset {
		t.Errorf("got %+v", got)
	}
	want := map[string]string{
		"rpc.system.name":          "grpc",
		"rpc.method":               "order.v1.OrderService/GetOrder",
		"rpc.response.status_code": "NOT_FOUND",
		"server.address":           "10.0.0.1",
		"server.port":              "9090",
	}
	if have := attributes(got.Attributes); fmt.Sprint(have) != fmt.Sprint(want) {
		t.Errorf("got attributes %v, want %v", have, want)
	}
	resource := attributes(got.Resource.Attributes())
	if resource["service.name"] != "order" || resource["service.version"] != "v1" || resource["telemetry.sdk.language"] != "go" {
		t.Errorf("got resource %v", resource)
	}
}

// overHTTP is the way back of a call by a path.
type overHTTP struct {
	grpc.ServerTransportStream
	method string
}

func (o overHTTP) Method() string { return o.method }
func (overHTTP) Route() string    { return "/v1/orders/{order_id}" }

// The route of a call over HTTP/JSON is that of its method alone.
func TestRoute(t *testing.T) {
	isolate(t)
	for method, want := range map[string]string{rpc: "/v1/orders/{order_id}", "/order.v1.OrderService/ListOrders": ""} {
		p, spans := recorded(t, tracing.Options{Service: "order", SampleRatio: 1})
		m := tracing.Server(p.TracerProvider(), rpc)
		_, span := m.Start(grpc.NewContextWithServerTransportStream(t.Context(), overHTTP{method: method}))
		m.End(span, nil)
		if got := attributes(spans()[0].Attributes)["http.route"]; got != want {
			t.Errorf("in a call of %s: %q, want %q", method, got, want)
		}
	}
}

func TestStatusOfSpans(t *testing.T) {
	isolate(t)
	tests := []struct {
		code           codes.Code
		name           string
		server, client otelcodes.Code
	}{
		{codes.OK, "OK", otelcodes.Unset, otelcodes.Unset},
		{codes.Canceled, "CANCELLED", otelcodes.Unset, otelcodes.Error},
		{codes.Unknown, "UNKNOWN", otelcodes.Error, otelcodes.Error},
		{codes.InvalidArgument, "INVALID_ARGUMENT", otelcodes.Unset, otelcodes.Error},
		{codes.DeadlineExceeded, "DEADLINE_EXCEEDED", otelcodes.Error, otelcodes.Error},
		{codes.Unimplemented, "UNIMPLEMENTED", otelcodes.Error, otelcodes.Error},
		{codes.Internal, "INTERNAL", otelcodes.Error, otelcodes.Error},
		{codes.Unavailable, "UNAVAILABLE", otelcodes.Error, otelcodes.Error},
		{codes.DataLoss, "DATA_LOSS", otelcodes.Error, otelcodes.Error},
		{codes.Unauthenticated, "UNAUTHENTICATED", otelcodes.Unset, otelcodes.Error},
		{codes.Code(99), "CODE(99)", otelcodes.Unset, otelcodes.Error},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, ended := recorded(t, tracing.Options{SampleRatio: 1})
			server, client := tracing.Server(p.TracerProvider(), rpc), tracing.Client(p.TracerProvider(), rpc, attribute.String("server.address", "order"))
			outcome := status.New(test.code, "why")
			_, span := server.Start(t.Context())
			server.End(span, outcome)
			_, span = client.Start(t.Context())
			client.End(span, outcome)
			spans := ended()
			if spans[0].Status.Code != test.server || spans[1].Status.Code != test.client {
				t.Errorf("got status %v and %v", spans[0].Status, spans[1].Status)
			}
			for _, s := range spans {
				if got := attributes(s.Attributes)["rpc.response.status_code"]; got != test.name {
					t.Errorf("got code %q", got)
				}
				if s.Status.Code == otelcodes.Error && s.Status.Description != "why" {
					t.Errorf("got description %q", s.Status.Description)
				}
			}
			if attributes(spans[1].Attributes)["server.address"] != "order" || spans[1].SpanKind != trace.SpanKindClient {
				t.Errorf("got %+v", spans[1])
			}
		})
	}
}

func TestNilOutcomeIsOK(t *testing.T) {
	isolate(t)
	p, ended := recorded(t, tracing.Options{SampleRatio: 1})
	_, span := tracing.Server(p.TracerProvider(), rpc).Start(t.Context())
	tracing.Server(p.TracerProvider(), rpc).End(span, nil)
	if got := attributes(ended()[0].Attributes)["rpc.response.status_code"]; got != "OK" {
		t.Errorf("got %q", got)
	}
}

func TestLocalParentWins(t *testing.T) {
	isolate(t)
	p, ended := recorded(t, tracing.Options{SampleRatio: 1})
	ctx, parent := p.TracerProvider().Tracer("test").Start(received("traceparent", traceparent), "local")
	_, span := tracing.Server(p.TracerProvider(), rpc).Start(ctx)
	span.End()
	if got := ended()[0].Parent.SpanID(); got != parent.SpanContext().SpanID() {
		t.Errorf("got parent %v, want the local span", got)
	}
}

func TestSampling(t *testing.T) {
	const unsampled = "00-" + traceID + "-" + parentID + "-00"
	tests := []struct {
		name    string
		ratio   float64
		sampler string
		parent  string
		want    bool
	}{
		{name: "root, none"},
		{name: "root, all", ratio: 1, want: true},
		{name: "sampled caller", parent: traceparent, want: true},
		{name: "unsampled caller", ratio: 1, parent: unsampled},
		{name: "environment on", sampler: "always_on", want: true},
		{name: "environment off", ratio: 1, sampler: "always_off", parent: traceparent},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			isolate(t)
			t.Setenv("OTEL_TRACES_SAMPLER", test.sampler)
			p, _ := recorded(t, tracing.Options{SampleRatio: test.ratio})
			ctx := t.Context()
			if test.parent != "" {
				ctx = received("traceparent", test.parent)
			}
			_, span := tracing.Server(p.TracerProvider(), rpc).Start(ctx)
			if span.IsRecording() != test.want {
				t.Errorf("recording is %v, want %v", span.IsRecording(), test.want)
			}
			if !span.SpanContext().IsValid() {
				t.Error("the span has no ids")
			}
		})
	}
}

func TestPropagation(t *testing.T) {
	isolate(t)
	p, _ := recorded(t, tracing.Options{})
	ctx := received("traceparent", traceparent, "tracestate", "a=b", "baggage", "tenant=7", "other", "x")
	ctx, _ = tracing.Server(p.TracerProvider(), rpc).Start(ctx)
	if got := baggage.FromContext(ctx).Member("tenant").Value(); got != "7" {
		t.Errorf("got baggage %q", got)
	}
	tests := map[string]context.Context{
		"no metadata":        ctx,
		"other metadata":     metadata.AppendToOutgoingContext(ctx, "x-request-id", "1"),
		"forwarded metadata": metadata.AppendToOutgoingContext(ctx, "traceparent", traceparent, "baggage", "old=1"),
	}
	for name, ctx := range tests {
		t.Run(name, func(t *testing.T) {
			before, _ := metadata.FromOutgoingContext(ctx)
			sent, span := tracing.Client(p.TracerProvider(), rpc).Start(ctx)
			md, _ := metadata.FromOutgoingContext(sent)
			want := "00-" + traceID + "-" + span.SpanContext().SpanID().String() + "-01"
			if got := md.Get("traceparent"); len(got) != 1 || got[0] != want {
				t.Errorf("got traceparent %v, want %s", got, want)
			}
			if md.Get("tracestate")[0] != "a=b" || len(md.Get("baggage")) != 1 || md.Get("baggage")[0] != "tenant=7" {
				t.Errorf("got %v", md)
			}
			for key, values := range before {
				if key == "x-request-id" && md.Get(key)[0] != values[0] {
					t.Errorf("%s is lost", key)
				}
			}
			if after, _ := metadata.FromOutgoingContext(ctx); fmt.Sprint(after) != fmt.Sprint(before) {
				t.Error("the caller's metadata changed")
			}
		})
	}
}

func TestDisabled(t *testing.T) {
	isolate(t)
	t.Setenv("OTEL_SDK_DISABLED", "TRUE")
	t.Setenv("OTEL_TRACES_SAMPLER", "nonsense") // not looked at
	disabled, err := tracing.New(t.Context(), tracing.Options{SampleRatio: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*tracing.Provider{disabled, {}} {
		ctx, span := tracing.Server(p.TracerProvider(), rpc).Start(received("traceparent", traceparent))
		if span.IsRecording() || span.SpanContext().TraceID().String() != traceID {
			t.Errorf("got %v", span.SpanContext())
		}
		tracing.Server(p.TracerProvider(), rpc).End(span, nil)
		sent, _ := tracing.Client(p.TracerProvider(), rpc).Start(ctx)
		md, _ := metadata.FromOutgoingContext(sent)
		if md.Get("traceparent")[0] != traceparent {
			t.Errorf("the caller's context was not passed on: %v", md)
		}
		if p.Flush(t.Context()) != nil || p.Shutdown(t.Context()) != nil {
			t.Error("a disabled provider does not stop")
		}
	}
}

func TestMistakes(t *testing.T) {
	tests := []struct {
		variable, value string
		ratio           float64
		want            string
	}{
		{ratio: 1.5, want: "sample ratio 1.5 is not between 0 and 1"},
		{ratio: -1, want: "sample ratio -1 is not between 0 and 1"},
		{variable: "OTEL_TRACES_SAMPLER", value: "sometimes", want: `OTEL_TRACES_SAMPLER: "sometimes" is not supported (want always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, parentbased_traceidratio)`},
		{variable: "OTEL_TRACES_EXPORTER", value: "zipkin", want: `OTEL_TRACES_EXPORTER: "zipkin" is not supported (want otlp, none)`},
		{variable: "OTEL_EXPORTER_OTLP_PROTOCOL", value: "http/json", want: `OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" is not supported (want grpc)`},
		{variable: "OTEL_RESOURCE_ATTRIBUTES", value: "nonsense", want: "OTEL_RESOURCE_ATTRIBUTES: "},
	}
	for _, test := range tests {
		t.Run(test.want, func(t *testing.T) {
			isolate(t)
			if test.variable != "" {
				t.Setenv(test.variable, test.value)
			}
			_, err := tracing.New(t.Context(), tracing.Options{SampleRatio: test.ratio})
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestExportOverGRPC(t *testing.T) {
	services := make(chan string, 10)
	address := collect(t, func(_ context.Context, in *tracepb.TracesData) ([]byte, error) {
		for _, spans := range in.GetResourceSpans() {
			for _, a := range spans.GetResource().GetAttributes() {
				if a.GetKey() == "service.name" {
					services <- a.GetValue().GetStringValue()
				}
			}
		}
		return nil, nil
	})

	for _, exporter := range []string{"", "none"} {
		t.Run("exporter "+exporter, func(t *testing.T) {
			isolate(t)
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+address)
			t.Setenv("OTEL_TRACES_EXPORTER", exporter)
			t.Setenv("OTEL_SERVICE_NAME", "renamed")
			p, err := tracing.New(t.Context(), tracing.Options{Service: "order", SampleRatio: 1})
			if err != nil {
				t.Fatal(err)
			}
			_, span := tracing.Server(p.TracerProvider(), rpc).Start(t.Context())
			tracing.Server(p.TracerProvider(), rpc).End(span, nil)
			if err := p.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			want := map[string]int{"": 1, "none": 0}[exporter]
			if len(services) != want {
				t.Fatalf("the collector got %d batches, want %d", len(services), want)
			}
			if want == 1 {
				if got := <-services; got != "renamed" {
					t.Errorf("got service %q", got)
				}
			}
		})
	}
}

// flaky is an exporter that fails while broken.
type flaky struct{ broken bool }

func (f *flaky) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error {
	if f.broken {
		return errors.New("connection refused")
	}
	return nil
}
func (*flaky) Shutdown(context.Context) error { return nil }

func TestFailedExportsAreLoggedOnce(t *testing.T) {
	isolate(t)
	var lines bytes.Buffer
	exporter := &flaky{}
	p, err := tracing.New(t.Context(), tracing.Options{SampleRatio: 1, Exporter: exporter, Log: slog.New(slog.NewTextHandler(&lines, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for _, broken := range []bool{false, true, true, true, false, false} {
		exporter.broken = broken
		_, span := p.TracerProvider().Tracer("test").Start(t.Context(), "work")
		span.End()
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if err := p.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	got := lines.String()
	if strings.Count(got, "\n") != 2 || !strings.Contains(got, "connection refused") || !strings.Contains(got, "takes spans again") {
		t.Errorf("got log:\n%s", got)
	}
}

func Example() {
	provider, err := tracing.New(context.Background(), tracing.Options{Service: "order", SampleRatio: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = provider.Shutdown(context.Background()) }()

	getOrder := tracing.Server(provider.TracerProvider(), "/order.v1.OrderService/GetOrder")
	caller := metadata.Pairs("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	ctx, span := getOrder.Start(metadata.NewIncomingContext(context.Background(), caller))
	defer getOrder.End(span, nil)

	fmt.Println(trace.SpanContextFromContext(ctx).TraceID())
	// Output: 0af7651916cd43dd8448eb211c80319c
}
