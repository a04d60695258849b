package client_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/client"
	"github.com/protosvc/protosvc/svc/internal/tracing"
	"github.com/protosvc/protosvc/svc/metrics"
)

// series returns the counters of a registry that are not zero, and the counts of
// its histograms, as "name{method,code} value".
func series(t *testing.T, registry *metrics.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), "grpc_client_") {
			continue
		}
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			value := m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			name := strings.TrimPrefix(family.GetName(), "grpc_client_")
			got[strings.TrimSpace(fmt.Sprint(name, " ", labels["grpc_method"], " ", labels["grpc_type"], " ", labels["grpc_code"]))] = value
		}
	}
	return got
}

func expect(t *testing.T, registry *metrics.Registry, want map[string]float64) {
	t.Helper()
	got := series(t, registry)
	for name, value := range want {
		if v, ok := got[name]; !ok || v != value {
			t.Errorf("%s = %v (exists: %t), want %v", name, v, ok, value)
		}
	}
}

func TestMetrics(t *testing.T) {
	b := startBackend(t, &echo{unary: func(_ context.Context, in *text) (*text, error) {
		if in.GetValue() == "bad" {
			return nil, notFound
		}
		return in, nil
	}, stream: sendBack})
	registry := metrics.New(metrics.BuildInfo{})
	conn := dial(t, echoSpec(), client.Options{Metrics: registry}, b)
	expect(t, registry, map[string]float64{ // before the first call
		"started_total Unary unary": 0, "handled_total Unary unary OK": 0, "started_total Server server_stream": 0,
		"started_total Client client_stream": 0, "handled_total Bidi bidi_stream OK": 0,
	})

	_, ok := unary(soon(t), conn, "good")
	_, bad := unary(soon(t), conn, "bad")
	if ok != nil || status.Code(bad) != codes.NotFound {
		t.Fatal(ok, bad)
	}
	s, err := conn.NewStream(soon(t), &echoDesc.Streams[2], bidiMethod)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := s.SendMsg(&text{}); err != nil {
			t.Fatal(err)
		}
	}
	_ = s.CloseSend()
	for err = nil; err == nil; {
		err = s.RecvMsg(&text{})
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	expect(t, registry, map[string]float64{
		"started_total Unary unary": 2, "handled_total Unary unary OK": 1, "handled_total Unary unary NotFound": 1,
		"msg_sent_total Unary unary": 2, "msg_received_total Unary unary": 1, "handling_seconds Unary unary": 2,
		"started_total Bidi bidi_stream": 1, "handled_total Bidi bidi_stream OK": 1,
		"msg_sent_total Bidi bidi_stream": 3, "msg_received_total Bidi bidi_stream": 3, "handling_seconds Bidi bidi_stream": 1,
	})
}

// A stream is counted once however it ends, also when nobody receives its end
// and when it never began.
func TestStreamsAreCountedOnce(t *testing.T) {
	registry := metrics.New(metrics.BuildInfo{})
	conn := dial(t, echoSpec(), client.Options{Metrics: registry}, startBackend(t, &echo{stream: sendBack}))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	open := func() (grpc.ClientStream, error) { return conn.NewStream(ctx, &echoDesc.Streams[2], bidiMethod) }

	_, err := open() // and left alone
	received, err2 := open()
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	cancel()
	if err := received.RecvMsg(&text{}); status.Code(err) != codes.Canceled {
		t.Errorf("RecvMsg = %v, want Canceled", err)
	}
	if _, err := open(); status.Code(err) != codes.Canceled {
		t.Errorf("NewStream = %v, want Canceled", err)
	}
	want := map[string]float64{
		"started_total Bidi bidi_stream": 3, "handled_total Bidi bidi_stream Canceled": 3, "handling_seconds Bidi bidi_stream": 3,
	}
	for limit := soon(t); limit.Err() == nil; { // grpc-go notices the cancellation in its own time
		if got := series(t, registry); got["handling_seconds Bidi bidi_stream"] >= 3 {
			break
		}
	}
	expect(t, registry, want)
}

func provider(t *testing.T, exporter sdktrace.SpanExporter) *tracing.Provider {
	t.Helper()
	p, err := tracing.New(t.Context(), tracing.Options{Service: "caller", SampleRatio: 1, Exporter: exporter})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Shutdown(context.Background()) })
	return p
}

func TestTracing(t *testing.T) {
	seen := make(chan string, 1)
	note := func(ctx context.Context) {
		md, _ := metadata.FromIncomingContext(ctx)
		seen <- strings.Join(md["traceparent"], " ")
	}
	b := startBackend(t, &echo{
		unary:  func(ctx context.Context, in *text) (*text, error) { note(ctx); return in, nil },
		stream: func(s grpc.ServerStream) error { note(s.Context()); return notFound },
	})
	recorder := tracetest.NewInMemoryExporter()
	p := provider(t, recorder)
	conn := dial(t, echoSpec(), client.Options{TracerProvider: p.TracerProvider()}, b)
	ctx, parent := p.TracerProvider().Tracer("test").Start(soon(t), "handler")
	defer parent.End()

	calls := map[string]func() error{
		"test.v1.Echo/Unary": func() error { _, err := unary(ctx, conn, ""); return err },
		"test.v1.Echo/Bidi": func() error {
			s, err := conn.NewStream(ctx, &echoDesc.Streams[2], bidiMethod)
			if err != nil {
				return err
			}
			_ = s.RecvMsg(&text{}) // which fails
			return nil
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			recorder.Reset()
			if err := call(); err != nil {
				t.Fatal(err)
			}
			if err := p.Flush(soon(t)); err != nil {
				t.Fatal(err)
			}
			spans := recorder.GetSpans()
			if len(spans) != 1 || spans[0].Name != name || spans[0].Parent.SpanID() != parent.SpanContext().SpanID() {
				t.Fatalf("spans %+v, want one %q below the handler's", spans, name)
			}
			sc := spans[0].SpanContext
			if got, want := <-seen, fmt.Sprintf("00-%s-%s-01", sc.TraceID(), sc.SpanID()); got != want {
				t.Errorf("traceparent = %q, want %q", got, want)
			}
		})
	}
}

// Without a provider the trace is passed on as it is.
func TestTraceGoesThrough(t *testing.T) {
	seen := make(chan []string, 1)
	b := startBackend(t, &echo{unary: func(ctx context.Context, in *text) (*text, error) {
		md, _ := metadata.FromIncomingContext(ctx)
		seen <- md["traceparent"]
		return in, nil
	}})
	sc := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})
	ctx := trace.ContextWithRemoteSpanContext(soon(t), sc)
	if _, err := unary(ctx, dial(t, echoSpec(), client.Options{}, b), ""); err != nil {
		t.Fatal(err)
	}
	if got, want := <-seen, fmt.Sprintf("00-%s-%s-00", sc.TraceID(), sc.SpanID()); len(got) != 1 || got[0] != want {
		t.Errorf("traceparent = %q, want %q", got, want)
	}
}
