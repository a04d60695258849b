package health

import (
	"context"
	"time"

	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// Drive makes srv follow readiness for "" and the named services, which
// are NOT_SERVING from now on. To get any further the returned function has to run:
// it looks every interval, and at once when the start has finished, until its
// context ends. When the Checker is Stopping, and when the function returns,
// srv is NOT_SERVING for good.
//
// Every service of the gRPC server must be named: a client that asks for the
// health of an unknown one fails all its calls.
func (c *Checker) Drive(srv *health.Server, interval time.Duration, services ...string) func(ctx context.Context) error {
	d := driver{srv, append([]string{""}, services...), make(chan struct{}, 1)}
	d.set(Failed)
	c.listen(d.tell)
	return func(ctx context.Context) error {
		defer srv.Shutdown()
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for ctx.Err() == nil {
			d.set(c.Ready(ctx).Status())
			select {
			case <-ticker.C:
			case <-d.wake:
			case <-ctx.Done():
			}
		}
		return nil
	}
}

// driver sets the status of several services in one server.
type driver struct {
	srv      *health.Server
	services []string
	wake     chan struct{}
}

// tell does not wait for the next look when the process stops.
func (d driver) tell(s state) {
	if s == stopping {
		d.srv.Shutdown()
		return
	}
	select {
	case d.wake <- struct{}{}:
	default: // awake already
	}
}

func (d driver) set(s Status) {
	status := healthpb.HealthCheckResponse_SERVING
	if s == Failed {
		status = healthpb.HealthCheckResponse_NOT_SERVING
	}
	for _, service := range d.services {
		d.srv.SetServingStatus(service, status)
	}
}
