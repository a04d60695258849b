package callpath_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	userv1 "github.com/protosvc/protosvc/generated/user/v1"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svc"
	"github.com/protosvc/protosvc/internal/testservice"
	"github.com/protosvc/protosvc/svc"
	"github.com/protosvc/protosvc/svc/client"
	"github.com/protosvc/protosvc/svc/internal/tracing"
	"github.com/protosvc/protosvc/svc/metrics"
)

// startTimeout is how long a service may take to be ready.
const startTimeout = 20 * time.Second

// bareServer is grpc-go's own.
func bareServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	userv1.RegisterUserServiceServer(server, handler{})
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// generatedServer runs the generated service with its defaults: what is sampled,
// which deadline a call has, how it is validated.
func generatedServer(t *testing.T) string {
	t.Helper()
	service := userv1svc.UserService(func(userv1svc.UserServiceDeps) (userv1.UserServiceServer, error) { return handler{}, nil }, nil)
	if ratio := service.Settings.Tracing.SampleRatio; ratio != 0.01 {
		t.Errorf("%v of the traces are recorded, want 0.01", ratio)
	}
	return testservice.Start(t, service, svc.Options{Log: io.Discard}).GRPC
}

// plainClient is grpc-go's own.
func plainClient(t *testing.T, address string) userv1.UserServiceClient {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return userv1.NewUserServiceClient(conn)
}

// generatedClient is the one that a caller's Deps hold.
func generatedClient(t *testing.T, address string) userv1.UserServiceClient {
	t.Helper()
	provider, err := tracing.New(t.Context(), tracing.Options{Service: "caller", SampleRatio: 0.01})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	dialer := &client.Dialer{Options: client.Options{
		Target:         "passthrough:///" + address,
		Metrics:        metrics.New(metrics.BuildInfo{}),
		TracerProvider: provider.TracerProvider(),
	}}
	t.Cleanup(func() {
		if err := dialer.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := userv1svc.DialUserService(dialer)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	if err := dialer.Check(ctx); err != nil { // the client looks at the service's health
		t.Fatal(err)
	}
	return c
}
