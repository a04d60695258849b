package svc

import (
	"context"
	stderrors "errors"
	"io"
	"log/slog"
	"net"
	"os"

	"google.golang.org/grpc"

	"github.com/protosvc/protosvc/svc/client"
	"github.com/protosvc/protosvc/svc/database"
	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/httpclient"
	"github.com/protosvc/protosvc/svc/internal/budget"
	"github.com/protosvc/protosvc/svc/internal/gateway"
	"github.com/protosvc/protosvc/svc/internal/health"
	"github.com/protosvc/protosvc/svc/internal/lifecycle"
	"github.com/protosvc/protosvc/svc/internal/logging"
	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/internal/tracing"
	"github.com/protosvc/protosvc/svc/metrics"
)

// Options say how Run runs a service.
type Options struct {
	// Config is the configuration file. Empty: only defaults and environment.
	Config string

	// Env names the environment whose overlay is read too: config.<Env>.yaml
	// beside Config. Empty: none.
	Env string

	// Environ is the environment, as os.Environ returns it.
	Environ []string

	// Log is where the log goes, one JSON object per line. Nil: nowhere. The service
	// never waits for it: up to 1 MiB of lines does, and what comes then is dropped
	// and counted in svc_log_lines_dropped_total. At the end Run waits for at most
	// half a second.
	Log io.Writer

	// Ready is called once all ports are open, with their addresses. May be nil.
	Ready func(Addresses)

	// Hard ends a graceful stop at once. Nil: only its budget does.
	Hard context.Context

	hangUps <-chan os.Signal // each reloads the configuration; nil: nothing does
	// isProcess says that the service is all of the process: the loggers that a process
	// has one of, those of packages slog, log and grpclog, write to its log.
	isProcess bool
	// migrates says that the process applies the migrations and ends.
	migrates bool
}

// Addresses are where a service listens, "127.0.0.1:9090".
type Addresses struct {
	GRPC, Admin string
	HTTP        string // empty without HTTP/JSON
}

// App is a service that is being started: what generated code takes the
// handler's dependencies from.
type App struct {
	service Service
	options Options

	settings *Settings // as they were at start; a reload does not change them

	config configuration
	level  slog.LevelVar

	lines   *logging.Writer // what log writes to
	log     *slog.Logger
	group   lifecycle.Group
	health  health.Checker
	metrics *metrics.Registry
	tracing *tracing.Provider
	binder  *server.Binder
	db      *database.DB
	stores  stores
	faults  []error // of dependencies, while the service starts
	wraps   wraps

	listeners   struct{ grpc, http, admin net.Listener } // http is nil without HTTP/JSON
	grpc        *grpc.Server
	stopReports func()
	arriving    *budget.Budget   // what requests hold that are on their way
	methods     *gateway.Methods // of the same services, for HTTP/JSON
}

// Deps returns what every handler gets.
func (a *App) Deps() Deps {
	return Deps{Log: a.log, TracerProvider: a.tracing.TracerProvider(), group: &a.group, health: &a.health, wraps: &a.wraps, stopping: a.binder.Stopping()}
}

// DB returns the service's database with all migrations applied, nil if the
// contract declares none.
func (a *App) DB() *database.DB { return a.db }

// Metrics returns the registry behind /metrics.
func (a *App) Metrics() *metrics.Registry { return a.metrics }

// Dial returns the connection to a callee. It is part of the service: readiness knows
// it, the stop closes it. A target that is wrong ends the start before the handler is made.
func (a *App) Dial(c *Callee) grpc.ClientConnInterface {
	settings := a.settings.Callees[c.Key]
	conn, err := client.Dial(c.Spec, client.Options{
		Target:      settings.Target,
		Balance:     settings.Balance,
		Connections: c.Connections,

		MaxReceiveBytes: a.settings.Limits.MessageBytes,

		Metrics:        a.metrics,
		TracerProvider: a.tracing.TracerProvider(),
		Breaker:        settings.Breaker,
		Log:            a.log,
	})
	if err != nil {
		a.faults = append(a.faults, err)
		return conn
	}
	a.group.OnClose("callee "+c.Key, conn.Close)
	a.follow(func(s *Settings) {
		if b := s.Callees[c.Key].Breaker; b != nil {
			conn.SetBreaker(*b)
		}
	})
	add := a.health.Optional
	if c.GatesReadiness {
		add = a.health.Require
	}
	add(c.Key, 0, conn.Check)
	return conn
}

// DialHTTP returns the client of an external service. The stop closes it; readiness does
// not depend on it. A URL that is wrong ends the start before the handler is made.
func (a *App) DialHTTP(c *HTTPCallee) *httpclient.Client {
	settings := a.settings.HTTPCallees[c.Name]
	client, err := httpclient.New(httpclient.Options{
		Name:            c.Name,
		URL:             settings.URL,
		Timeout:         settings.Timeout,
		Attempts:        c.Attempts,
		IdleConnections: c.IdleConnections,
		Metrics:         a.metrics,
		TracerProvider:  a.tracing.TracerProvider(),
	})
	if err != nil {
		a.faults = append(a.faults, err)
		return client
	}
	a.group.OnClose("HTTP callee "+c.Name, client.Close)
	return client
}

// Start returns what a service does at its start: it makes the dependencies of the
// handler, the handler, and the server around it, and serves that, for gRPC and for
// HTTP/JSON.
func Start[D, H, S any](desc *grpc.ServiceDesc, deps func(*App) D, handler func(D) (H, error), bind func(*server.Binder, H, D) S) func(*App) error {
	return func(a *App) error {
		d := deps(a)
		if err := stderrors.Join(a.faults...); err != nil {
			return err
		}
		h, err := handler(d)
		if err != nil {
			return err
		}
		a.serve(desc, bind(a.binder, h, d))
		return nil
	}
}

// serve registers the server. Its methods are bound by then, so the gRPC server knows
// how long calls may last.
func (a *App) serve(desc *grpc.ServiceDesc, impl any) {
	limits := a.settings.Limits
	a.grpc = a.binder.NewGRPC(server.GRPCOptions{
		MaxReceiveBytes: limits.MessageBytes,
		MaxHeaderBytes:  limits.HeaderBytes,
		MaxStreams:      limits.StreamsPerConnection,
	})
	a.binder.Register(a.grpc, desc, impl)
	a.follow(func(s *Settings) {
		for rpc, limit := range s.RateLimits {
			a.binder.Rate(rpc, limit)
		}
	})
	a.methods.RegisterService(desc, impl)
}

// errors are the codes that HTTP/JSON has to know: the service's own and those
// of its callees, whose errors a handler may pass on.
func (a *App) errors() errors.Table {
	table := a.service.Errors
	for _, c := range a.service.Callees {
		table = append(table[:len(table):len(table)], c.Spec.Errors...)
	}
	return table
}
