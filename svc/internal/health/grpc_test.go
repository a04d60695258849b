package health_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	grpchealth "google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/internal/health"
)

const service = "order.v1.OrderService"

// A look from before the end of the start, which waits for the same check, does not
// have the last word.
func TestStartedWhileLooking(t *testing.T) {
	for range 50 { // who is the first to go on is up to the scheduler
		bubble.Test(t, func(t *testing.T) {
			var c health.Checker
			answer := make(chan struct{})
			c.Require("database", 0, func(context.Context) error { <-answer; return nil })
			srv := grpchealth.NewServer()
			refresh := c.Drive(srv, time.Hour, service)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- refresh(ctx) }()
			synctest.Wait() // it waits for the check
			go c.Started()
			synctest.Wait() // and so does this
			close(answer)
			synctest.Wait()
			expect(t, srv, healthpb.HealthCheckResponse_SERVING)
			cancel()
			<-ended
		})
	}
}

func TestDrive(t *testing.T) {
	const serving, not = healthpb.HealthCheckResponse_SERVING, healthpb.HealthCheckResponse_NOT_SERVING
	bubble.Test(t, func(t *testing.T) {
		c := health.Checker{MaxAge: time.Nanosecond}
		var broken atomic.Bool
		c.Require("database", 0, func(context.Context) error {
			if broken.Load() {
				return errDown
			}
			return nil
		})
		srv := grpchealth.NewServer()
		refresh := c.Drive(srv, 10*time.Second, service)
		expect(t, srv, not)

		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- refresh(ctx) }()
		expect(t, srv, not) // the start has not finished

		c.Started()
		expect(t, srv, serving) // without waiting for the interval

		broken.Store(true)
		expect(t, srv, serving)
		time.Sleep(10 * time.Second)
		expect(t, srv, not)
		broken.Store(false)
		time.Sleep(10 * time.Second)
		expect(t, srv, serving)

		c.Stopping()
		expect(t, srv, not) // at once
		time.Sleep(20 * time.Second)
		expect(t, srv, not)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestDriveEnds: without a refresher nobody may believe the last state.
func TestDriveEnds(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var c health.Checker
		c.Started()
		srv := grpchealth.NewServer()
		refresh := c.Drive(srv, time.Second, service)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = refresh(ctx) }()
		expect(t, srv, healthpb.HealthCheckResponse_SERVING)
		cancel()
		<-done
		expect(t, srv, healthpb.HealthCheckResponse_NOT_SERVING)
	})
}

// expect asks for the process, for the service, and for one that does not exist.
func expect(t *testing.T, srv *grpchealth.Server, want healthpb.HealthCheckResponse_ServingStatus) {
	t.Helper()
	synctest.Wait()
	for _, name := range []string{"", service} {
		got, err := srv.Check(t.Context(), &healthpb.HealthCheckRequest{Service: name})
		if err != nil || got.GetStatus() != want {
			t.Errorf("%q is %s, %v, want %s", name, got.GetStatus(), err, want)
		}
	}
	if _, err := srv.Check(t.Context(), &healthpb.HealthCheckRequest{Service: "other"}); status.Code(err) != codes.NotFound {
		t.Errorf("unknown service: %v", err)
	}
}
