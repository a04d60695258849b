package client_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/test/bufconn"

	"github.com/protosvc/protosvc/svc/client"
	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/internal/server"
)

// startAged is a backend whose connections have this age at the most.
func startAged(t *testing.T, name string, age time.Duration) *bufconn.Listener {
	t.Helper()
	listener := bufconn.Listen(1 << 16)
	s, checks := server.New(server.Options{}).NewGRPC(server.GRPCOptions{MaxConnectionAge: age}), health.NewServer()
	s.RegisterService(&echoDesc, named(name))
	healthpb.RegisterHealthServer(s, checks)
	checks.SetServingStatus(service, healthpb.HealthCheckResponse_SERVING)
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	t.Cleanup(func() { s.Stop(); <-served })
	return listener
}

// A client asks the name service again when a connection ends. So a backend
// that is new gets calls as soon as the connections to the old ones have had
// their age, and never if they have none.
func TestNewBackendGetsCalls(t *testing.T) {
	tests := map[string]struct {
		age  time.Duration
		want bool
	}{
		"connections of 300 ms": {300 * time.Millisecond, true},
		"connections of 1 h":    {time.Hour, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				listeners := map[string]*bufconn.Listener{"old": startAged(t, "old", test.age), "new": startAged(t, "new", test.age)}
				var found atomic.Pointer[[]string] // what the name service knows
				found.Store(&[]string{"old"})
				builder := manual.NewBuilderWithScheme("echo")
				state := func() (s resolver.State) {
					for _, address := range *found.Load() {
						s.Endpoints = append(s.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: address}}})
					}
					return s
				}
				builder.InitialState(state())
				builder.ResolveNowCallback = func(resolver.ResolveNowOptions) { go builder.UpdateState(state()) }
				conn, err := client.Dial(echoSpec(), client.Options{Dial: []grpc.DialOption{
					grpc.WithResolvers(builder),
					grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
						return listeners[address].DialContext(ctx)
					}),
				}})
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if _, err := unary(soon(t), conn, ""); err != nil {
					t.Fatal(err)
				}
				found.Store(&[]string{"old", "new"})

				limit := time.Now().Add(2 * time.Second)
				got := false
				for !got && time.Now().Before(limit) {
					answer, err := unary(soon(t), conn, "")
					if err != nil {
						t.Fatalf("a call was lost when a connection had its age: %v", err)
					}
					got = answer == "new"
					time.Sleep(10 * time.Millisecond)
				}
				if got != test.want {
					t.Errorf("the new backend was called within 2s: %t, want %t", got, test.want)
				}
			})
		})
	}
}
