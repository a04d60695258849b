package tracing

import (
	"context"
	"net"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/internal/rpccode"
)

// method is what the spans of one RPC have in common, prepared once.
type method struct {
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
	name       string // "order.v1.OrderService/CreateOrder"
	kind       []trace.SpanStartOption
	attributes []attribute.KeyValue
}

func newMethod(p trace.TracerProvider, fullName string, kind trace.SpanKind, attributes []attribute.KeyValue) method {
	name := strings.TrimPrefix(fullName, "/")
	attributes = append([]attribute.KeyValue{semconv.RPCSystemNameGRPC, semconv.RPCMethod(name)}, attributes...)
	return method{
		tracer:     tracer(p),
		propagator: Propagator(),
		name:       name,
		kind:       []trace.SpanStartOption{trace.WithSpanKind(kind)},
		attributes: attributes,
	}
}

// start begins a span. Its attributes come when it is known to be recorded: the
// sampler does not look at them, and most calls are spared a copy.
func (m *method) start(ctx context.Context) (context.Context, trace.Span) {
	ctx, span := m.tracer.Start(ctx, m.name, m.kind...)
	if span.IsRecording() {
		span.SetAttributes(m.attributes...)
	}
	return ctx, span
}

// ServerMethod starts the spans of one method on the side that answers it. It
// is made by [Server].
type ServerMethod struct{ method }

// Server binds a method by its full name, "/order.v1.OrderService/CreateOrder". A
// provider of nil records nothing.
func Server(p trace.TracerProvider, fullName string) *ServerMethod {
	return &ServerMethod{newMethod(p, fullName, trace.SpanKindServer, nil)}
}

// Start begins the span of a call, and returns a context that carries it. Its
// parent is the span in ctx if there is one (the call came from this process),
// else the caller's, from the incoming metadata. End it with [ServerMethod.End].
func (m *ServerMethod) Start(ctx context.Context) (context.Context, trace.Span) {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		ctx = Extract(ctx, m.propagator)
	}
	ctx, span := m.start(ctx)
	if span.IsRecording() {
		span.SetAttributes(serverAddress(ctx)...)
		m.setRoute(ctx, span)
	}
	return ctx, span
}

// routed is the way back of a call over HTTP/JSON.
type routed interface {
	grpc.ServerTransportStream
	Route() string
}

// setRoute says by which path of HTTP/JSON the method is called. A handler may call
// other methods with its context, which have not been called by that path.
func (m *ServerMethod) setRoute(ctx context.Context, span trace.Span) {
	if t, ok := grpc.ServerTransportStreamFromContext(ctx).(routed); ok && strings.TrimPrefix(t.Method(), "/") == m.name {
		span.SetAttributes(semconv.HTTPRoute(t.Route()))
	}
}

// End ends a span with the call's outcome; nil means OK. Only codes that are
// the server's fault mark the span as failed: a NotFound is an answer.
func (*ServerMethod) End(span trace.Span, outcome *status.Status) {
	if !span.IsRecording() {
		return
	}
	if rpccode.IsServerFault(outcome.Code()) {
		span.SetStatus(otelcodes.Error, outcome.Message())
	}
	end(span, outcome)
}

// ClientMethod starts the spans of one method on the side that calls it. It is
// made by [Client].
type ClientMethod struct{ method }

// Client binds a method by its full name, "/order.v1.OrderService/CreateOrder".
// The attributes, for example the address that is called, are set on every span. A
// provider of nil records nothing.
func Client(p trace.TracerProvider, fullName string, attributes ...attribute.KeyValue) *ClientMethod {
	return &ClientMethod{newMethod(p, fullName, trace.SpanKindClient, attributes)}
}

// Start begins the span of a call, as a child of the span in ctx, and returns a
// context that carries it and whose outgoing metadata tell the callee about it.
// End it with [ClientMethod.End].
func (m *ClientMethod) Start(ctx context.Context) (context.Context, trace.Span) {
	ctx, span := m.start(ctx)
	return Inject(ctx, m.propagator), span
}

// End ends a span with the call's outcome; nil means OK. To a client every
// other code is a failure.
func (*ClientMethod) End(span trace.Span, outcome *status.Status) {
	if !span.IsRecording() {
		return
	}
	if outcome.Code() != codes.OK {
		span.SetStatus(otelcodes.Error, outcome.Message())
	}
	end(span, outcome)
}

func end(span trace.Span, outcome *status.Status) {
	span.SetAttributes(semconv.RPCResponseStatusCode(rpccode.Name(outcome.Code())))
	span.End()
}

// serverAddress returns the local end of the call's connection, if it has one.
func serverAddress(ctx context.Context) []attribute.KeyValue {
	caller, ok := peer.FromContext(ctx)
	if !ok || caller.LocalAddr == nil {
		return nil
	}
	host, port, err := net.SplitHostPort(caller.LocalAddr.String())
	if err != nil {
		return []attribute.KeyValue{semconv.ServerAddress(caller.LocalAddr.String())}
	}
	attributes := []attribute.KeyValue{semconv.ServerAddress(host)}
	if number, err := strconv.Atoi(port); err == nil {
		attributes = append(attributes, semconv.ServerPort(number))
	}
	return attributes
}
