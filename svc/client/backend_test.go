package client_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/client"
	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/policy"
)

func TestMain(m *testing.M) {
	client.ReportEvery(100 * time.Millisecond)
	goleak.VerifyTestMain(m)
}

type text = wrapperspb.StringValue

const (
	service      = "test.v1.Echo"
	unaryMethod  = "/test.v1.Echo/Unary"
	serverMethod = "/test.v1.Echo/Server"
	clientMethod = "/test.v1.Echo/Client"
	bidiMethod   = "/test.v1.Echo/Bidi"
	otherMethod  = "/test.v1.Echo/Other"
)

var notFound = &errors.Code{Domain: "test", Reason: "NOT_FOUND", GRPC: codes.NotFound, HTTP: 410, Message: "{id} does not exist"}

// echoSpec is what is generated for the service, without policies.
func echoSpec() client.Spec {
	return client.Spec{
		Service: service,
		Target:  "echo:///",
		Methods: []policy.Method{{Name: unaryMethod}, {Name: serverMethod}, {Name: clientMethod}, {Name: bidiMethod}},
		Streams: echoDesc.Streams,
		Errors:  errors.Table{notFound},
	}
}

// echo answers unary calls with unary, and streams with stream.
type echo struct {
	unary  func(context.Context, *text) (*text, error)
	stream func(grpc.ServerStream) error
}

var echoDesc = grpc.ServiceDesc{
	ServiceName: service,
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Unary", Handler: handleUnary}, {MethodName: "Other", Handler: handleUnary}},
	Streams: []grpc.StreamDesc{
		{StreamName: "Server", Handler: handleStream, ServerStreams: true},
		{StreamName: "Client", Handler: handleStream, ClientStreams: true},
		{StreamName: "Bidi", Handler: handleStream, ServerStreams: true, ClientStreams: true},
	},
}

func handleUnary(impl any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	in := new(text)
	if err := decode(in); err != nil {
		return nil, err
	}
	out, err := impl.(*echo).unary(ctx, in)
	return out, errors.ToStatus(err).Err()
}

func handleStream(impl any, s grpc.ServerStream) error {
	return errors.ToStatus(impl.(*echo).stream(s)).Err()
}

func same(_ context.Context, in *text) (*text, error) { return in, nil }

// sendBack answers every message with itself.
func sendBack(s grpc.ServerStream) error {
	for {
		in := new(text)
		if err := s.RecvMsg(in); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := s.SendMsg(in); err != nil {
			return err
		}
	}
}

// backend is a server that ends with the test.
type backend struct {
	address string
	health  *health.Server
	server  *grpc.Server
	memory  *bufconn.Listener // nil: it listens on loopback
}

func startBackend(t *testing.T, impl *echo, register ...func(grpc.ServiceRegistrar)) backend {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := serve(t, listener, impl, register)
	b.address = listener.Addr().String()
	return b
}

var inMemory atomic.Int64 // backends so far

// startInMemory is startBackend for the bubbles of synctest, whose clock stands
// still while a socket is waited for.
func startInMemory(t *testing.T, impl *echo, register ...func(grpc.ServiceRegistrar)) backend {
	t.Helper()
	listener := bufconn.Listen(1 << 16)
	b := serve(t, listener, impl, register)
	b.address, b.memory = fmt.Sprint("memory-", inMemory.Add(1)), listener
	return b
}

func serve(t *testing.T, listener net.Listener, impl *echo, register []func(grpc.ServiceRegistrar)) backend {
	server, checks := grpc.NewServer(), health.NewServer()
	server.RegisterService(&echoDesc, impl)
	healthpb.RegisterHealthServer(server, checks)
	for _, r := range register {
		r(server)
	}
	checks.SetServingStatus(service, healthpb.HealthCheckResponse_SERVING)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return backend{health: checks, server: server}
}

// dial connects to the backends, which the target "echo:///" resolves to.
func dial(t *testing.T, spec client.Spec, o client.Options, backends ...backend) *client.Conn {
	t.Helper()
	builder, given := o.Resolver.(*manual.Resolver)
	if !given {
		builder = manual.NewBuilderWithScheme("echo")
	}
	var state resolver.State
	memory := map[string]*bufconn.Listener{}
	for _, b := range backends {
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: b.address}}})
		if b.memory != nil {
			memory[b.address] = b.memory
		}
	}
	builder.InitialState(state)
	o.Resolver = builder
	if len(memory) > 0 {
		o.Dial = append(o.Dial, grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return memory[address].DialContext(ctx)
		}))
	}
	conn, err := client.Dial(spec, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// soon is a context for what must not take long.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func unary(ctx context.Context, conn *client.Conn, in string) (string, error) {
	out := new(text)
	err := conn.Invoke(ctx, unaryMethod, wrapperspb.String(in), out)
	return out.GetValue(), err
}
