package lifecycle_test

import (
	"context"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/internal/lifecycle"
)

// slow is a service with a call that takes as long as the test wants.
type slow struct {
	healthpb.UnimplementedHealthServer
	entered, release chan struct{}
}

func (s slow) Check(ctx context.Context, _ *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	close(s.entered)
	select {
	case <-s.release:
		return &healthpb.HealthCheckResponse{}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestGRPC: a real call that is under way when the stop begins is finished when
// the budget allows it, and is cut off when not.
func TestGRPC(t *testing.T) {
	for name, c := range map[string]struct {
		budget time.Duration
		finish bool
		want   codes.Code
	}{
		"finished": {time.Minute, true, codes.OK},
		"cut off":  {time.Millisecond, false, codes.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			service := slow{entered: make(chan struct{}), release: make(chan struct{})}
			server := grpc.NewServer()
			healthpb.RegisterHealthServer(server, service)

			g := &lifecycle.Group{GracefulBudget: c.budget}
			g.Serve(lifecycle.Server{
				Name:  "grpc",
				Serve: func() error { return server.Serve(listener) },
				Graceful: func(context.Context) {
					if c.finish {
						close(service.release)
					}
					server.GracefulStop()
				},
				Close: server.Stop,
			})
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- g.Run(ctx, t.Context()) }()

			answer := make(chan error, 1)
			go func() { answer <- check(listener.Addr().String()) }()
			<-service.entered
			stop()
			if got := status.Code(<-answer); got != c.want {
				t.Errorf("the call ended with %s, want %s", got, c.want)
			}
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

func check(address string) error {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = healthpb.NewHealthClient(conn).Check(context.Background(), &healthpb.HealthCheckRequest{})
	return err
}
