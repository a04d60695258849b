package server_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"google.golang.org/grpc/status"

	svcerrors "github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/policy"
)

// Streams of a service without policies are bounded, and connections share them: one that
// has fewer takes a place from the one that has most, whose oldest stream ends, whether
// its handler waits for the client or for something else.
func TestStreamsAreShared(t *testing.T) {
	log := new(logBuffer)
	b := server.New(server.Options{Beside: 4, Log: slog.New(slog.NewJSONHandler(log, nil))})
	s := b.NewGRPC(server.GRPCOptions{})
	beside := b.Beside(s)
	beside.RegisterService(&echoDesc, echo{})
	healthpb.RegisterHealthServer(beside, health.NewServer())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	one := serveOn(t, s, listener, listener.Addr().String())
	other, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()

	for name, test := range map[string]struct {
		open func(*grpc.ClientConn) grpc.ClientStream
		lost codes.Code // of a stream that lost its place
	}{
		"waits for the client": {func(conn *grpc.ClientConn) grpc.ClientStream {
			stream := begin(t.Context(), t, conn, bidiName)
			if err := stream.SendMsg(&text{Value: "hello"}); err != nil && err != io.EOF { // refused already
				t.Fatal(err)
			}
			return stream
		}, codes.Canceled}, // by grpc-go, which answers for a handler that receives
		"waits for a change": {func(conn *grpc.ClientConn) grpc.ClientStream {
			stream, err := healthpb.NewHealthClient(conn).Watch(t.Context(), &healthpb.HealthCheckRequest{})
			if err != nil {
				t.Fatal(err)
			}
			return stream
		}, codes.ResourceExhausted},
	} {
		t.Run(name, func(t *testing.T) {
			// received opens a stream and waits for the first message: it has a place.
			received := func(conn *grpc.ClientConn) (grpc.ClientStream, error) {
				stream := test.open(conn)
				return stream, stream.RecvMsg(new(text))
			}
			has := func(conn *grpc.ClientConn) grpc.ClientStream {
				t.Helper()
				stream, err := received(conn)
				if err != nil {
					t.Fatalf("a stream has no place: %v", err)
				}
				return stream
			}
			assertOverloaded := func(what string, err error, trailer func() []string) {
				t.Helper()
				t.Log(what)
				assertRefused(t, err, svcerrors.Overloaded, time.Second, time.Second)
				if got := trailer(); !slices.Equal(got, []string{"1000"}) {
					t.Errorf("the pushback is %q, want 1000", got)
				}
			}
			pushback := func(s grpc.ClientStream) func() []string {
				return func() []string { return s.Trailer().Get("grpc-retry-pushback-ms") }
			}
			var first []grpc.ClientStream
			for range 4 {
				first = append(first, has(one))
			}
			refused, err := received(one)
			assertOverloaded("a fifth of the same connection", err, pushback(refused))
			second := []grpc.ClientStream{has(other), has(other)}
			for _, oldest := range first[:2] {
				if err := oldest.RecvMsg(new(text)); status.Code(err) != test.lost {
					t.Errorf("one that lost its place: got %v, want %s", err, test.lost)
				}
			}
			for name, conn := range map[string]*grpc.ClientConn{"first": one, "other": other} {
				refused, err := received(conn)
				assertOverloaded("both have as many, one more of the "+name, err, pushback(refused))
			}
			for _, stream := range append(first[2:], second...) {
				_ = stream.CloseSend() // ends the one that waits for the client
			}
		})
	}
	if refused := log.lines(t, "streams refused"); len(refused) != 2 || refused[0]["service"] == refused[1]["service"] || refused[0]["limit"] != 4. {
		t.Errorf("the lines about refused streams are %v, want one for each service, with the limit", refused)
	}
}

// As many streams may be open as the methods let in together.
func TestStreamsOfMethods(t *testing.T) {
	b := server.New(server.Options{})
	for i, m := range []policy.Method{{Concurrency: 30}, {}} {
		m.Name = fmt.Sprintf("/test.v1.Echo/Server%d", i)
		server.BindServerStream(b, m, nil, func(*text, grpc.ServerStreamingServer[text]) error { return nil })
	}
	server.BindUnary(b, policy.Method{Name: unaryName, Concurrency: 500}, nil, func(_ context.Context, in *text) (*text, error) { return in, nil })
	if got := b.Streams(); got != 30 {
		t.Errorf("got %d, want 37", got)
	}
}
