package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/internal/tracing"
	"github.com/protosvc/protosvc/svc/metrics"
	"github.com/protosvc/protosvc/svc/policy"
)

// text is the message of the test service, in both directions.
type text = wrapperspb.StringValue

const (
	unaryName  = "/test.v1.EchoService/Unary"
	serverName = "/test.v1.EchoService/ServerStream"
	clientName = "/test.v1.EchoService/ClientStream"
	bidiName   = "/test.v1.EchoService/BidiStream"
)

// echoServer is the interface that protoc-gen-go-grpc would generate.
type echoServer interface {
	Unary(context.Context, *text) (*text, error)
	ServerStream(*text, grpc.ServerStreamingServer[text]) error
	ClientStream(grpc.ClientStreamingServer[text, text]) error
	BidiStream(grpc.BidiStreamingServer[text, text]) error
}

// echo is a handler that echoes, unless a test gives another function.
type echo struct {
	unary        func(context.Context, *text) (*text, error)
	serverStream func(*text, grpc.ServerStreamingServer[text]) error
	clientStream func(grpc.ClientStreamingServer[text, text]) error
	bidiStream   func(grpc.BidiStreamingServer[text, text]) error
}

func (e echo) Unary(ctx context.Context, in *text) (*text, error) {
	if e.unary != nil {
		return e.unary(ctx, in)
	}
	return in, nil
}

func (e echo) ServerStream(in *text, stream grpc.ServerStreamingServer[text]) error {
	if e.serverStream != nil {
		return e.serverStream(in, stream)
	}
	return errors.Join(stream.Send(in), stream.Send(in))
}

func (e echo) ClientStream(stream grpc.ClientStreamingServer[text, text]) error {
	if e.clientStream != nil {
		return e.clientStream(stream)
	}
	for {
		if _, err := stream.Recv(); err != nil {
			return stream.SendAndClose(wrapperspb.String("end"))
		}
	}
}

func (e echo) BidiStream(stream grpc.BidiStreamingServer[text, text]) error {
	if e.bidiStream != nil {
		return e.bidiStream(stream)
	}
	for {
		in, err := stream.Recv()
		if err != nil {
			return nil
		}
		if err := stream.Send(in); err != nil {
			return err
		}
	}
}

// decorated is what generated code looks like: each method is one line.
type decorated struct {
	unary        *server.Unary[text, text]
	serverStream *server.ServerStream[text, text]
	clientStream *server.ClientStream[text, text]
	bidiStream   *server.BidiStream[text, text]
}

func decorate(b *server.Binder, next echoServer, timeout time.Duration, validate func(*text) error, change ...func(*policy.Method)) *decorated {
	method := func(name string) policy.Method {
		m := policy.Method{Name: name, Timeout: timeout}
		for _, c := range change {
			c(&m)
		}
		return m
	}
	return &decorated{
		unary:        server.BindUnary(b, method(unaryName), validate, next.Unary),
		serverStream: server.BindServerStream(b, method(serverName), validate, next.ServerStream),
		clientStream: server.BindClientStream(b, method(clientName), validate, next.ClientStream),
		bidiStream:   server.BindBidiStream(b, method(bidiName), validate, next.BidiStream),
	}
}

func (d *decorated) Unary(ctx context.Context, in *text) (*text, error) { return d.unary.Call(ctx, in) }
func (d *decorated) ServerStream(in *text, s grpc.ServerStreamingServer[text]) error {
	return d.serverStream.Call(in, s)
}
func (d *decorated) ClientStream(s grpc.ClientStreamingServer[text, text]) error {
	return d.clientStream.Call(s)
}
func (d *decorated) BidiStream(s grpc.BidiStreamingServer[text, text]) error {
	return d.bidiStream.Call(s)
}

// echoDesc is the descriptor that protoc-gen-go-grpc would generate.
var echoDesc = grpc.ServiceDesc{
	ServiceName: "test.v1.EchoService",
	HandlerType: (*echoServer)(nil),
	Methods: []grpc.MethodDesc{{
		MethodName: "Unary",
		Handler: func(srv any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			in := new(text)
			if err := decode(in); err != nil {
				return nil, err
			}
			return srv.(echoServer).Unary(ctx, in)
		},
	}},
	Streams: []grpc.StreamDesc{
		{StreamName: "ServerStream", ServerStreams: true, Handler: func(srv any, s grpc.ServerStream) error {
			in := new(text)
			if err := s.RecvMsg(in); err != nil {
				return err
			}
			return srv.(echoServer).ServerStream(in, &grpc.GenericServerStream[text, text]{ServerStream: s})
		}},
		{StreamName: "ClientStream", ClientStreams: true, Handler: func(srv any, s grpc.ServerStream) error {
			return srv.(echoServer).ClientStream(&grpc.GenericServerStream[text, text]{ServerStream: s})
		}},
		{StreamName: "BidiStream", ClientStreams: true, ServerStreams: true, Handler: func(srv any, s grpc.ServerStream) error {
			return srv.(echoServer).BidiStream(&grpc.GenericServerStream[text, text]{ServerStream: s})
		}},
	},
}

// fixture is a running server and everything that it reports to.
type fixture struct {
	binder   *server.Binder
	registry *metrics.Registry
	provider *tracing.Provider
	spans    *tracetest.InMemoryExporter
	log      *logBuffer
	conn     *grpc.ClientConn
}

// setup is what a test may change of a fixture.
type setup struct {
	echo     echo
	timeout  time.Duration
	validate func(*text) error
	policy   func(*policy.Method) // changes the policy of each method; nil: nothing
	options  server.Options       // of which only the limits count
}

// start serves the test service in memory until the test ends, so that it works
// in the bubbles of synctest, whose clock stands still while a socket is waited for.
func start(t *testing.T, s setup) *fixture {
	t.Helper()
	f := &fixture{registry: metrics.New(metrics.BuildInfo{}), spans: tracetest.NewInMemoryExporter(), log: new(logBuffer)}
	f.provider = newProvider(t, 1, f.spans)
	f.binder = server.New(server.Options{
		Metrics:        f.registry,
		TracerProvider: f.provider.TracerProvider(),
		Log:            slog.New(slog.NewJSONHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),

		Concurrency: s.options.Concurrency,
		Adaptive:    s.options.Adaptive,
	})
	var change []func(*policy.Method)
	if s.policy != nil {
		change = append(change, s.policy)
	}
	impl := decorate(f.binder, s.echo, s.timeout, s.validate, change...)
	grpcServer := f.binder.NewGRPC(server.GRPCOptions{MaxReceiveBytes: 1 << 10})
	f.binder.Register(grpcServer, &echoDesc, impl)
	f.conn = serveInMemory(t, grpcServer)
	return f
}

func newProvider(t testing.TB, ratio float64, exporter sdktrace.SpanExporter) *tracing.Provider {
	t.Helper()
	provider, err := tracing.New(t.Context(), tracing.Options{Service: "echo", SampleRatio: ratio, Exporter: exporter})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	return provider
}

// serve runs a gRPC server on a loopback port and returns a connection to it.
func serve(t testing.TB, s *grpc.Server) *grpc.ClientConn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, s, listener, listener.Addr().String())
}

func serveInMemory(t testing.TB, s *grpc.Server) *grpc.ClientConn {
	t.Helper()
	listener := bufconn.Listen(1 << 16)
	return serveOn(t, s, listener, "passthrough:///memory",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
}

func serveOn(t testing.TB, s *grpc.Server, listener net.Listener, target string, o ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	conn, err := grpc.NewClient(target, append(o, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
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

// call makes one call of any kind: it sends the messages and returns what came
// back and the error that the call ended with.
func call(ctx context.Context, conn grpc.ClientConnInterface, name string, messages ...string) ([]string, error) {
	if name == unaryName {
		out := new(text)
		err := conn.Invoke(ctx, name, wrapperspb.String(messages[0]), out)
		return []string{out.GetValue()}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, name)
	if err != nil {
		return nil, err
	}
	for _, message := range messages {
		if err := stream.SendMsg(wrapperspb.String(message)); err != nil {
			break // RecvMsg has the reason
		}
	}
	_ = stream.CloseSend()
	var received []string
	for {
		out := new(text)
		if err := stream.RecvMsg(out); err != nil {
			return received, ended(err)
		}
		received = append(received, out.GetValue())
	}
}

// logBuffer keeps log lines.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// lines returns the lines with this message, decoded.
func (l *logBuffer) lines(t *testing.T, message string) []map[string]any {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []map[string]any
	for line := range bytes.Lines(l.buf.Bytes()) {
		var fields map[string]any
		if err := json.Unmarshal(line, &fields); err != nil {
			t.Fatal(err)
		}
		if fields["msg"] == message {
			found = append(found, fields)
		}
	}
	return found
}

// value returns a counter, a gauge, or the count of a histogram, summed over
// the series of a method that have the given code; an empty code means all.
func (f *fixture) value(t *testing.T, series, method, code string) float64 {
	t.Helper()
	families, err := f.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum, found := 0.0, false
	for _, family := range families {
		if family.GetName() != series {
			continue
		}
		for _, m := range family.GetMetric() {
			if matches(m, method, code) {
				found = true
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	if !found {
		t.Fatalf("no series %s for method %q and code %q", series, method, code)
	}
	return sum
}

func matches(m *dto.Metric, method, code string) bool {
	labels := map[string]string{}
	for _, l := range m.GetLabel() {
		labels[l.GetName()] = l.GetValue()
	}
	name := "/" + labels["grpc_service"] + "/" + labels["grpc_method"]
	return (method == "" || name == method) && (code == "" || labels["grpc_code"] == code)
}
