package health

import (
	"context"
	"time"

	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// Drive makes srv follow readiness for "" and the named services, which
// are NOT_SERVING from now on. The first look is part of Started: when that has
// returned, clients can call. Later looks are those of the returned function,
// every interval until its context ends. When the Checker is Stopping, and when
// the function returns, srv is NOT_SERVING for good.
//
// Every service of the gRPC server must be named: a client that asks for the
// health of an unknown one fails all its calls.
func (c *Checker) Drive(srv *health.Server, interval time.Duration, services ...string) func(ctx context.Context) error {
	d := &driver{checker: c, srv: srv, services: append([]string{""}, services...), looking: make(chan struct{}, 1)}
	d.set(Failed)
	c.listen(d.tell)
	return func(ctx context.Context) error {
		defer srv.Shutdown()
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for ctx.Err() == nil {
			d.look(ctx)
			select {
			case <-ticker.C:
			case <-ctx.Done():
			}
		}
		return nil
	}
}

// driver sets the status of several services in one server.
type driver struct {
	checker  *Checker
	srv      *health.Server
	services []string

	// looking keeps a look that began earlier, before the start was over for instance,
	// from having the last word.
	looking chan struct{}
}

// tell does not leave a change of the process's own state to the next look.
func (d *driver) tell(s state) {
	switch s {
	case started:
		d.look(context.Background()) // bounded by the checks' timeouts
	case stopping:
		d.srv.Shutdown()
	}
}

func (d *driver) look(ctx context.Context) {
	d.looking <- struct{}{}
	defer func() { <-d.looking }()
	d.set(d.checker.required(ctx).Status())
}

func (d *driver) set(s Status) {
	status := healthpb.HealthCheckResponse_SERVING
	if s == Failed {
		status = healthpb.HealthCheckResponse_NOT_SERVING
	}
	for _, service := range d.services {
		d.srv.SetServingStatus(service, status)
	}
}
