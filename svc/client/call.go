package client

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/internal/propagation"
	"github.com/protosvc/protosvc/svc/internal/rpcmetrics"
	"github.com/protosvc/protosvc/svc/internal/rpcname"
	"github.com/protosvc/protosvc/svc/internal/throttle"
	"github.com/protosvc/protosvc/svc/internal/tracing"
	"github.com/protosvc/protosvc/svc/policy"
)

// method holds what the calls of one RPC share, bound once.
type method struct {
	metrics *rpcmetrics.ClientMethod
	tracing *tracing.ClientMethod
	hedge   *hedge // nil: none
}

// bind prepares every method of the spec, by its full name.
func bind(spec Spec, o Options) map[string]*method {
	series := o.Metrics.RPC()
	methods := make(map[string]*method, len(spec.Methods))
	tokens := new(throttle.Bucket)
	for _, m := range spec.Methods {
		bound := &method{
			metrics: series.ClientMethod(m, kindOf(m, spec.Streams)),
			tracing: tracing.Client(o.TracerProvider, m.Name),
		}
		if hedges(m) {
			bound.hedge = &hedge{m.Hedge, m.Timeout, series.Hedges(m), tokens}
		}
		methods[m.Name] = bound
	}
	return methods
}

func kindOf(m policy.Method, streams []grpc.StreamDesc) rpcmetrics.Kind {
	_, name := rpcname.Split(m.Name)
	for _, s := range streams {
		if s.StreamName == name {
			return rpcmetrics.StreamKind(s)
		}
	}
	return rpcmetrics.Unary
}

// call is one call under way.
type call struct {
	method *method
	span   trace.Span
	start  time.Time
}

// begin counts a call and starts its span. The context carries the trace on, and
// what travels with the call in which this one is made.
func (m *method) begin(ctx context.Context) (context.Context, call) {
	m.metrics.Start()
	start := time.Now()
	ctx, span := m.tracing.Start(propagation.ToCallee(ctx))
	return ctx, call{m, span, start}
}

// end takes the error as gRPC returns it: nil or one with a status.
func (c call) end(err error) {
	outcome := status.Convert(err)
	var traceID string
	if sc := c.span.SpanContext(); sc.IsSampled() {
		traceID = sc.TraceID().String()
	}
	c.method.metrics.End(outcome.Code(), time.Since(c.start), traceID)
	c.method.tracing.End(c.span, outcome)
}

// invoke makes the call, with all its requests.
func (m *method) invoke(ctx context.Context, cc *grpc.ClientConn, name string, args, reply any, opts []grpc.CallOption) error {
	if m.hedge != nil {
		if hedged(reply, opts) {
			return m.hedge.invoke(ctx, cc, name, args, reply, opts)
		}
		limited, cancel := m.hedge.deadline(ctx) // which no service config has
		defer cancel()
		ctx = limited
	}
	return cc.Invoke(ctx, name, args, reply, opts...)
}

// stream counts messages and decodes errors.
type stream struct {
	grpc.ClientStream
	conn    *Conn
	name    string
	method  *method // nil: not in the spec
	guarded *guarded
}

func (s *stream) SendMsg(m any) error {
	err := s.ClientStream.SendMsg(m)
	if err != nil {
		return s.conn.outcome(s.name, err)
	}
	if s.method != nil {
		s.method.metrics.Sent()
	}
	return nil // which says nothing of the callee
}

func (s *stream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	if err == nil && s.method != nil {
		s.guarded.received()
		s.method.metrics.Received()
	}
	return s.conn.outcome(s.name, err)
}

func (s *stream) Header() (metadata.MD, error) {
	md, err := s.ClientStream.Header()
	return md, s.conn.outcome(s.name, err)
}
