// Package system runs the flagship, three services that call each other, as
// real processes on loopback. The demo and the tests of the whole stand on it.
//
//	sys, err := system.Start(ctx, system.Options{})
//	if err != nil {
//		return err
//	}
//	defer sys.Stop()
//	orders, err := orderv1svc.DialOrderService(&client.Dialer{Options: client.Options{Target: sys.Order.Target()}})
//
// The processes end with the one that started them: stopped by Stop, and where
// it dies without a chance to do so, killed by the kernel (Linux only).
package system

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
)

// Options say how the system runs. The zero value is what the demo wants, seen
// from the root of the repository.
type Options struct {
	// Bin is the folder with the binaries user, payment and order. Default "bin".
	Bin string

	// Configs is the folder with <name>/config.yaml of each service. Default
	// "generated/deploy".
	Configs string

	// Dir is the folder for databases and logs, made if it is missing. Logs of
	// an earlier run are overwritten, databases are used again. Default ".demo".
	Dir string

	// LogLevel is the level of all services, "debug" for instance. Empty: what
	// the configuration says.
	LogLevel string

	// FixedPorts gives every service the same ports each time, HTTP/JSON, gRPC
	// and admin in this order: user from 8110, order from 8120, payment from
	// 8130. Start fails if one is taken. Otherwise they get free ones.
	FixedPorts bool

	// Databases are URLs by the name of the service. Default: an SQLite file in
	// Dir for each.
	Databases map[string]string

	// Environ are further environment variables of all processes. They win over
	// those that Start sets. Example: "ORDER_SERVICE_RECOVERY_AGE=1s".
	Environ []string
}

func (o Options) withDefaults() Options {
	o.Bin = cmp.Or(o.Bin, "bin")
	o.Configs = cmp.Or(o.Configs, filepath.Join("generated", "deploy"))
	o.Dir = cmp.Or(o.Dir, ".demo")
	return o
}

// System is the running flagship. Its methods are not for concurrent use.
type System struct {
	User, Payment, Order *Service
}

// Start starts the services, each when those that it calls are ready, and
// returns when all are. If one is not, it returns an error with the end of that
// one's log, and nothing is left running. The context limits the start only.
func Start(ctx context.Context, o Options) (_ *System, err error) {
	o = o.withDefaults()
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, err
	}
	s := &System{User: newService("user", o), Payment: newService("payment", o), Order: newService("order", o)}
	defer func() {
		if err != nil {
			s.kill()
		}
	}()
	for _, service := range s.Services() {
		if err := service.reserve(o.FixedPorts); err != nil {
			return nil, err
		}
	}
	environ := s.environ(o)
	for _, service := range s.Services() {
		service.environ = environ
		if err := service.start(ctx, os.O_TRUNC); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Services returns all services in the order in which they start: callees
// before their callers.
func (s *System) Services() []*Service { return []*Service{s.User, s.Payment, s.Order} }

// Wait returns nil when ctx ends, or an error as soon as a process ends by
// itself.
func (s *System) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.User.ended():
		return s.User.endedByItself()
	case <-s.Payment.ended():
		return s.Payment.endedByItself()
	case <-s.Order.ended():
		return s.Order.endedByItself()
	}
}

// Stop stops all services gracefully, callers before their callees, and returns
// when no process is left. A process that ended by itself, did not stop in time,
// or had an exit code other than 0 is an error. Services that were stopped or
// killed before stay as they are.
func (s *System) Stop() error {
	var faults []error
	for _, service := range slices.Backward(s.Services()) {
		faults = append(faults, service.Stop())
	}
	return errors.Join(faults...)
}

// kill leaves nothing running, whatever state the services are in.
func (s *System) kill() {
	for _, service := range s.Services() {
		service.release()
		_ = service.Kill() // there is a better error to report
	}
}

// environ is the environment of all processes: every variable says by its prefix
// which service it is for. What is set outside, OTEL_EXPORTER_OTLP_ENDPOINT for
// example, reaches the services too.
func (s *System) environ(o Options) []string {
	all := os.Environ()
	set := func(service *Service, key, value string) {
		all = append(all, service.own(key, value))
	}
	for _, service := range s.Services() {
		set(service, "LISTEN_GRPC", service.GRPC)
		set(service, "LISTEN_HTTP", service.HTTP)
		set(service, "LISTEN_ADMIN", service.Admin)
		set(service, "STOP_DRAIN_DELAY", drainDelay.String())
		set(service, "DATABASE_URL", cmp.Or(o.Databases[service.Name], "sqlite:"+filepath.Join(o.Dir, service.Name+".db")))
		if o.LogLevel != "" {
			set(service, "LOG_LEVEL", o.LogLevel)
		}
	}
	set(s.Order, "CALLEES_USER_SERVICE_TARGET", s.User.Target())
	set(s.Order, "CALLEES_PAYMENT_SERVICE_TARGET", s.Payment.Target())
	return append(all, o.Environ...)
}
