package server_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/client"
	svcerrors "github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/logging"
	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/metrics"
	"github.com/protosvc/protosvc/svc/policy"
	"github.com/protosvc/protosvc/svc/propagate"
)

// The contracts of three services in a row: the shop asks the order service,
// which asks the bank.
var (
	bankDeclined = &svcerrors.Code{Domain: "bank", Reason: "DECLINED", GRPC: codes.FailedPrecondition, Message: "declined: {why}"}
	orderUnpaid  = &svcerrors.Code{
		Domain: "order", Reason: "UNPAID", GRPC: codes.Aborted, Message: "not paid: {why}",
		Translations: []svcerrors.Translation{{Locale: "de", Message: "nicht bezahlt: {why}"}},
	}

	chainKeys = propagate.Keys{{Name: "x-tenant-id", MaxBytes: 8}}
)

const chainTrace = "0af7651916cd43dd8448eb211c80319c"

// hop is one service of the chain.
type hop struct {
	fixture
	calls *client.Conn // of this service
	asked int          // how often its handlers were called
}

// chain starts the services, the last one first. Each handler but the last asks
// the next service by the same kind of RPC; the last one does as it is told.
func chain(t *testing.T, last func(context.Context) error, contracts ...svcerrors.Contract) []*hop {
	t.Helper()
	hops := make([]*hop, len(contracts))
	act := func(ctx context.Context, _ string) error { return last(ctx) }
	for i := len(contracts) - 1; i >= 0; i-- {
		h := newHop(t, contracts[i], act)
		hops[i] = h
		act = func(ctx context.Context, name string) error {
			if _, err := call(ctx, h.calls, name, "hello"); err != nil {
				return fmt.Errorf("asking the next one: %w", err)
			}
			return nil
		}
	}
	return hops
}

func newHop(t *testing.T, contract svcerrors.Contract, act func(ctx context.Context, name string) error) *hop {
	t.Helper()
	h := &hop{fixture: fixture{registry: metrics.New(metrics.BuildInfo{}), log: new(logBuffer)}}
	h.provider = newProvider(t, 1, tracetest.NewInMemoryExporter())
	h.binder = server.New(server.Options{
		Metrics: h.registry, TracerProvider: h.provider.TracerProvider(), Propagate: chainKeys,
		Log: logging.New(h.log, logging.Options{Level: slog.LevelDebug}),
	})
	method := func(name string) policy.Method { return policy.Method{Name: name, Errors: contract} }
	next := h.handlers(act)
	s := h.binder.NewGRPC(server.GRPCOptions{})
	h.binder.Register(s, &echoDesc, &decorated{
		unary:        server.BindUnary(h.binder, method(unaryName), nil, next.Unary),
		serverStream: server.BindServerStream(h.binder, method(serverName), nil, next.ServerStream),
		clientStream: server.BindClientStream(h.binder, method(clientName), nil, next.ClientStream),
		bidiStream:   server.BindBidiStream(h.binder, method(bidiName), nil, next.BidiStream),
	})
	h.calls = h.dial(t, s)
	return h
}

func (h *hop) handlers(act func(context.Context, string) error) echo {
	asked := func(ctx context.Context, name string) error { h.asked++; return act(ctx, name) }
	return echo{
		unary: func(ctx context.Context, in *text) (*text, error) { return in, asked(ctx, unaryName) },
		serverStream: func(_ *text, s grpc.ServerStreamingServer[text]) error {
			return asked(s.Context(), serverName)
		},
		clientStream: func(s grpc.ClientStreamingServer[text, text]) error {
			return errors.Join(asked(s.Context(), clientName), s.SendAndClose(wrapperspb.String("end")))
		},
		bidiStream: func(s grpc.BidiStreamingServer[text, text]) error { return asked(s.Context(), bidiName) },
	}
}

// dial serves on loopback and returns a client with what would be generated.
func (h *hop) dial(t *testing.T, s *grpc.Server) *client.Conn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	conn, err := client.Dial(client.Spec{
		Service: "test.v1.EchoService", Target: "passthrough:///" + listener.Addr().String(),
		Methods: []policy.Method{{Name: unaryName}, {Name: serverName}, {Name: clientName}, {Name: bidiName}},
		Streams: echoDesc.Streams, Errors: svcerrors.Table{bankDeclined, orderUnpaid},
	}, client.Options{TracerProvider: h.provider.TracerProvider()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		s.Stop()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return conn
}

// caller is the context of somebody outside: traced, German, of a tenant.
func caller(t *testing.T, tenants ...string) context.Context {
	id, err := trace.TraceIDFromHex(chainTrace)
	if err != nil {
		t.Fatal(err)
	}
	ctx := trace.ContextWithSpanContext(within(t), trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: trace.SpanID{1}}))
	for _, tenant := range tenants {
		ctx = metadata.AppendToOutgoingContext(ctx, "x-tenant-id", tenant)
	}
	return metadata.AppendToOutgoingContext(ctx, "accept-language", "de-CH, en;q=0.5")
}

func TestErrorsAlongAChain(t *testing.T) {
	passes := svcerrors.Contract{Declared: svcerrors.Table{bankDeclined}, Strict: true}
	mapping := svcerrors.Contract{
		Declared: svcerrors.Table{orderUnpaid}, Strict: true,
		Mapped: []svcerrors.Mapping{{From: bankDeclined, To: orderUnpaid}},
	}
	strict, lenient := svcerrors.Contract{Strict: true}, svcerrors.Contract{}
	declines := func(context.Context) error {
		return fmt.Errorf("secret: %w", bankDeclined.New("why", "limit").WithCause(errors.New("secret")))
	}
	tests := []struct {
		name       string
		last       func(context.Context) error
		contracts  []svcerrors.Contract
		want       *svcerrors.Code
		why        string
		undeclared []float64 // of each service
	}{
		{"passed on", declines, []svcerrors.Contract{passes, passes, passes}, bankDeclined, "limit", []float64{0, 0, 0}},
		{"mapped at the end", declines, []svcerrors.Contract{mapping, passes, passes}, orderUnpaid, "limit", []float64{0, 0, 0}},
		{"mapped in the middle", declines, []svcerrors.Contract{{Declared: svcerrors.Table{orderUnpaid}}, mapping, passes}, orderUnpaid, "limit", []float64{0, 0, 0}},
		{"not declared", declines, []svcerrors.Contract{strict, passes, passes}, svcerrors.Internal, "", []float64{1, 0, 0}},
		{"not declared by anybody", declines, []svcerrors.Contract{lenient, lenient, lenient}, bankDeclined, "limit", []float64{1, 1, 1}},
		{"a failure", func(context.Context) error { return errors.New("secret") }, []svcerrors.Contract{strict, strict, strict}, svcerrors.Internal, "", []float64{1, 1, 0}},
		{"a failure, lenient", func(context.Context) error { return errors.New("secret") }, []svcerrors.Contract{lenient, lenient, lenient}, svcerrors.Internal, "", []float64{1, 1, 0}},
		{"a bare status", func(context.Context) error { return status.Error(codes.NotFound, "secret") }, []svcerrors.Contract{strict, strict, strict}, svcerrors.Internal, "", []float64{1, 1, 1}},
		{"a panic", func(context.Context) error { panic("secret") }, []svcerrors.Contract{strict, strict, strict}, svcerrors.Internal, "", []float64{1, 1, 0}},
		{"overload", func(context.Context) error { return svcerrors.Overloaded }, []svcerrors.Contract{strict, strict, strict}, svcerrors.Overloaded, "", []float64{0, 0, 0}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			hops := chain(t, test.last, test.contracts...)
			for _, kind := range kinds {
				_, err := call(caller(t, "acme"), hops[0].calls, kind.name, "hello")
				checkAnswer(t, kind.name, err, test.want, test.why)
				for i, want := range test.undeclared {
					hops[i].settle(t)
					if got := hops[i].value(t, "grpc_server_undeclared_errors_total", kind.name, ""); got != want {
						t.Errorf("%s: %v undeclared errors of service %d, want %v", kind.name, got, i, want)
					}
					if got := float64(len(hops[i].log.lines(t, "error is not declared"))); got != hops[i].value(t, "grpc_server_undeclared_errors_total", "", "") {
						t.Errorf("%s: %v lines about undeclared errors of service %d", kind.name, got, i)
					}
				}
			}
		})
	}
}

// checkAnswer looks at what the caller got: the error, what makes it findable,
// and nothing of what is inside.
func checkAnswer(t *testing.T, name string, err error, want *svcerrors.Code, why string) {
	t.Helper()
	var typed *svcerrors.Error
	if !errors.As(err, &typed) || !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", name, err, want)
		return
	}
	metadata := map[string]string{"x-tenant-id": "acme"}
	if why != "" {
		metadata["why"] = why
	}
	if !maps.Equal(typed.Metadata, metadata) {
		t.Errorf("%s: metadata %v, want %v", name, typed.Metadata, metadata)
	}
	if typed.RequestID() != chainTrace {
		t.Errorf("%s: request id %q, want that of the trace", name, typed.RequestID())
	}
	wire := prototext.Format(status.Convert(err).Proto())
	if strings.Contains(wire, "secret") || strings.Contains(wire, "127.0.0.1") || strings.Contains(wire, "asking") {
		t.Errorf("%s: internals on the wire: %s", name, wire)
	}
	var localized string
	for _, d := range status.Convert(err).Details() {
		if m, ok := d.(*errdetails.LocalizedMessage); ok {
			localized = m.GetLocale() + ": " + m.GetMessage()
		}
	}
	if want == orderUnpaid && localized != "de: nicht bezahlt: limit" {
		t.Errorf("%s: localized message %q", name, localized)
	}
}

func TestMetadataTravel(t *testing.T) {
	got := make(chan string, 1)
	hops := chain(t, func(ctx context.Context) error {
		got <- propagate.Value(ctx, "x-tenant-id")
		return errors.New("secret")
	}, svcerrors.Contract{}, svcerrors.Contract{}, svcerrors.Contract{})
	for _, kind := range kinds {
		_, _ = call(caller(t, "acme"), hops[0].calls, kind.name, "hello")
		if tenant := <-got; tenant != "acme" {
			t.Errorf("%s: the last service was called for %q", kind.name, tenant)
		}
	}
	for i, h := range hops {
		h.settle(t)
		lines := h.log.lines(t, "call failed")
		if len(lines) != len(kinds) {
			t.Errorf("service %d: %d lines", i, len(lines))
		}
		for _, line := range lines {
			travels, _ := line["metadata"].(map[string]any)
			if travels["x-tenant-id"] != "acme" || line["trace_id"] != chainTrace {
				t.Errorf("service %d: line without the metadata or the trace: %v", i, line)
			}
		}
	}
}

func TestMetadataThatMayNotTravel(t *testing.T) {
	hops := chain(t, func(context.Context) error { return nil }, svcerrors.Contract{Strict: true})
	for _, kind := range kinds {
		for _, tenant := range [][]string{{"123456789"}, {"acme", "acme"}} {
			_, err := call(caller(t, tenant...), hops[0].calls, kind.name, "hello")
			if !errors.Is(err, svcerrors.InvalidMetadata) || status.Code(err) != codes.InvalidArgument {
				t.Errorf("%s: %q gives %v, want %v", kind.name, tenant, err, svcerrors.InvalidMetadata)
			}
		}
		if _, err := call(caller(t, "12345678"), hops[0].calls, kind.name, "hello"); err != nil {
			t.Errorf("%s: the longest value gives %v", kind.name, err)
		}
		hops[0].settle(t)
		if got := hops[0].value(t, "grpc_server_in_flight", kind.name, ""); got != 0 {
			t.Errorf("%s: %v handlers in flight", kind.name, got)
		}
	}
	if hops[0].asked != len(kinds) {
		t.Errorf("the handler was called %d times, want once for each kind", hops[0].asked)
	}
}
