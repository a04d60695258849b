// Package collector is a trace collector for tests: what OTEL_EXPORTER_OTLP_ENDPOINT
// points to in production.
package collector

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
)

// Span is a received span, in terms that compare and print well.
type Span struct {
	Name, Kind string
	Attributes map[string]string
	Status     string   // "UNSET", or code and message
	Events     []string // their names
	TraceID    string   // in hexadecimal
	Parent     bool     // the span has one
	start      uint64   // nanoseconds since 1970
}

// Collector collects spans. Make one with [Start].
type Collector struct {
	collectorpb.UnimplementedTraceServiceServer

	mu    sync.Mutex
	spans map[string][]Span // by service.name
}

// Start starts a collector and points the environment of the test to it, so that
// everything in the process that exports traces exports them here.
func Start(t testing.TB) *Collector {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &Collector{spans: map[string][]Span{}}
	server := grpc.NewServer()
	collectorpb.RegisterTraceServiceServer(server, c)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+listener.Addr().String())
	return c
}

// Export receives spans.
func (c *Collector) Export(_ context.Context, req *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range req.GetResourceSpans() {
		service := attributes(resource.GetResource().GetAttributes())["service.name"]
		for _, scope := range resource.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				c.spans[service] = append(c.spans[service], span(s))
			}
		}
	}
	return &collectorpb.ExportTraceServiceResponse{}, nil
}

// Spans returns what a service has exported, in the order in which the spans
// began. A service exports the last ones when it stops.
func (c *Collector) Spans(service string) []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	sorted := slices.Clone(c.spans[service])
	slices.SortStableFunc(sorted, func(a, b Span) int { return int(int64(a.start) - int64(b.start)) })
	return sorted
}

func span(s *tracepb.Span) Span {
	out := Span{
		Name:       s.GetName(),
		Kind:       s.GetKind().String(),
		Attributes: attributes(s.GetAttributes()),
		Status:     "UNSET",
		TraceID:    hex.EncodeToString(s.GetTraceId()),
		Parent:     len(s.GetParentSpanId()) > 0,
		start:      s.GetStartTimeUnixNano(),
	}
	if status := s.GetStatus(); status.GetCode() != tracepb.Status_STATUS_CODE_UNSET {
		out.Status = fmt.Sprintf("%s %q", status.GetCode(), status.GetMessage())
	}
	for _, event := range s.GetEvents() {
		out.Events = append(out.Events, event.GetName())
	}
	return out
}

func attributes(list []*commonpb.KeyValue) map[string]string {
	out := map[string]string{}
	for _, kv := range list {
		switch v := kv.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			out[kv.GetKey()] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			out[kv.GetKey()] = fmt.Sprint(v.IntValue)
		default:
			out[kv.GetKey()] = kv.GetValue().String()
		}
	}
	return out
}
