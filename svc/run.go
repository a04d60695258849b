package svc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc/grpclog"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	"github.com/protosvc/protosvc/internal/defaults"
	"github.com/protosvc/protosvc/internal/recording"
	"github.com/protosvc/protosvc/svc/database"
	"github.com/protosvc/protosvc/svc/internal/admin"
	"github.com/protosvc/protosvc/svc/internal/gateway"
	"github.com/protosvc/protosvc/svc/internal/lifecycle"
	"github.com/protosvc/protosvc/svc/internal/limit"
	"github.com/protosvc/protosvc/svc/internal/load"
	"github.com/protosvc/protosvc/svc/internal/logging"
	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/internal/tracing"
	"github.com/protosvc/protosvc/svc/metrics"
)

const (
	headerTimeout   = defaults.Handshake      // of an HTTP request
	idleTimeout     = defaults.IdleConnection // of an HTTP connection between requests
	refreshInterval = time.Second / 2         // of the gRPC health status: clients are back so soon
)

// What comes after the budget of a stop, in order: the reserve of generated
// grace periods.
const (
	backgroundBudget = defaults.StopBackground // for background work to end
	handlerBudget    = defaults.StopHandlers   // for handlers that outlive their calls
	flushBudget      = defaults.StopFlush      // for the last spans
	logBudget        = defaults.StopLog / 2    // for the last lines; and again for the error of Main
)

// Run runs a service until ctx ends and the service has stopped gracefully, or
// until it fails. A bad configuration is an error before anything is opened.
// When Run has returned, no goroutine of the service is left, save one in a write
// to o.Log that cannot be broken off.
func Run(ctx context.Context, s Service, o Options) error {
	return s.use(o, func(a *App) error { return a.run(ctx) })
}

// use makes the app of a service for some work, and closes what that has opened.
func (s Service) use(o Options, work func(*App) error) (err error) {
	l, err := s.load(o)
	if err != nil {
		return err
	}
	a := newApp(s, o, l)
	defer a.lines.Close(logBudget) // after everything that has something to say
	defer func() { err = errors.Join(err, a.group.Close()) }()
	return work(a)
}

func (a *App) run(ctx context.Context) error {
	a.checkFiles(a.settings)
	addresses, err := a.start(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil // stopped while it was starting
		}
		return err
	}
	a.checkMemory(a.settings)
	a.group.Go("reload", a.reloadOn(a.options.hangUps))
	if a.options.Config != "" {
		a.group.Go("config files", a.watchConfig)
	}
	a.group.OnReady = func() {
		a.health.Started()
		a.log.Info("ready", "grpc", addresses.GRPC, "http", addresses.HTTP, "admin", addresses.Admin)
		if a.options.Ready != nil {
			a.options.Ready(addresses)
		}
	}
	a.group.OnStop = func() {
		a.config.settle()
		a.health.Stopping()
		a.stopReports()
	}
	hard := a.options.Hard
	if hard == nil {
		hard = context.Background()
	}
	return a.group.Run(ctx, hard)
}

func newApp(s Service, o Options, l *loaded) *App {
	if o.Log == nil {
		o.Log = io.Discard
	}
	a := &App{service: s, options: o, settings: l.settings, methods: gateway.NewMethods(), arriving: l.settings.Limits.memoryForArriving()}
	lines := s.lines()
	lines.Level = &a.level
	a.lines = logging.NewWriter(o.Log, lines)
	a.log = logging.New(a.lines, lines)
	a.metrics = metrics.New(metrics.BuildInfo{Service: s.Name, Version: programVersion(), System: s.System, Team: s.Team, Revision: revision()})
	_ = a.metrics.Register(a.lines.Dropped()) // the registry is new, so the name is free
	a.config.init(a.metrics)
	a.group = lifecycle.Group{
		DrainDelay:       l.settings.Stop.DrainDelay,
		GracefulBudget:   l.settings.Stop.Budget,
		BackgroundBudget: backgroundBudget,
		Logger:           a.log,
	}
	a.config.accept(l)
	a.enforce(l)
	a.follow(func(s *Settings) { a.level.Set(s.Log.Level) })
	if o.isProcess {
		slog.SetDefault(a.log) // and with it that of package log
		grpclog.SetLoggerV2(logging.GRPC(a.log))
	}
	return a
}

// lines are the options of what every line of the log says about its service.
func (s Service) lines() logging.Options {
	return logging.Options{Service: s.Name, Version: programVersion(), System: s.System, Team: s.Team}
}

// start opens everything in the order in which one thing needs another. What it
// has opened when it fails, the group closes.
func (a *App) start(ctx context.Context) (at Addresses, err error) {
	steps := []struct {
		name string
		run  func(context.Context) error
	}{
		{"tracing", a.startTracing},
		// Before the database, which is not to be changed by a service that cannot serve.
		{"gRPC port", a.listen(a.settings.Listen.GRPC, &a.listeners.grpc, &at.GRPC)},
		{"HTTP port", a.listen(a.httpAddress(), &a.listeners.http, &at.HTTP)},
		{"admin port", a.listen(a.settings.Listen.Admin, &a.listeners.admin, &at.Admin)},
		{"admin server", a.startAdmin}, // answers while the database takes its time
		{"database", a.openDatabase},
		{"service", a.startService},
		{"gRPC server", a.startGRPC},
		{"HTTP server", a.startHTTP},
	}
	for _, step := range steps {
		if err := step.run(ctx); err != nil {
			return at, fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return at, nil
}

func (a *App) startTracing(ctx context.Context) (err error) {
	a.tracing, err = tracing.New(ctx, tracing.Options{
		Service:     a.service.Name,
		Version:     programVersion(),
		System:      a.service.System,
		Team:        a.service.Team,
		SampleRatio: a.settings.Tracing.SampleRatio,
		Processor:   recording.Spans(ctx),
		Log:         a.log,
	})
	if err != nil {
		return err
	}
	a.group.OnClose("tracing", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), flushBudget)
		defer cancel()
		return a.tracing.Shutdown(ctx)
	})
	limits := a.settings.Limits
	a.binder = server.New(server.Options{
		Metrics: a.metrics, TracerProvider: a.tracing.TracerProvider(), Log: a.log, Propagate: a.service.Propagate,
		Concurrency: limits.Concurrency,
	})
	a.follow(func(s *Settings) {
		a.tracing.SetSampleRatio(s.Tracing.SampleRatio)
		// Beside them one stream on each connection, as clients that watch the health have.
		a.binder.Limit(s.Limits.Concurrency, s.Limits.Adaptive, s.Limits.Connections)
	})
	return nil
}

// startAdmin serves health and metrics from the first moment to the last: it is
// a resource that closes after what is worked with, not a server that drains.
func (a *App) startAdmin(context.Context) error {
	srv := admin.NewServer(admin.Options{
		Service: a.service.Name,
		Version: programVersion(),
		Log:     a.log,
		Livez:   a.health.Livez(),
		Readyz:  a.health.Readyz(),
		Healthz: a.health.Healthz(),
		Metrics: a.metrics.Handler(),
		Config:  a.dump,
		Reload:  a.manage,

		TokenFile:  a.settings.Admin.TokenFile,
		NoProfiles: a.service.NoProfiles,
	})
	served := make(chan error, 1)
	go func() { served <- srv.Serve(a.listeners.admin) }()
	a.group.OnClose("admin port", func() error {
		err := srv.Close()
		<-served
		return err
	})
	return nil
}

func (a *App) openDatabase(ctx context.Context) error {
	settings := a.settings.Database
	if settings == nil {
		return nil
	}
	db, err := database.Open(ctx, database.Options{
		URL:            settings.URL,
		MaxConnections: settings.MaxConnections,
		Application:    a.service.Name,
		Logger:         a.log,

		AwaitMigrations: a.service.AwaitMigrations && !a.options.migrates,
	})
	if err != nil {
		return err
	}
	a.db = db
	a.group.OnClose("database", db.Close)
	a.health.Require("database", settings.ReadinessTimeout, db.PingContext)
	if a.service.Migrations != nil {
		if err := db.Migrate(ctx, a.service.Migrations); err != nil {
			return err
		}
	}
	return a.openStores(ctx)
}

func (a *App) startService(context.Context) error {
	// Streams and calls that outlive their connection still use the database
	// and the callees, so closing those waits for the handlers.
	defer a.group.OnClose("handlers", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), handlerBudget)
		defer cancel()
		return a.binder.Wait(ctx)
	})
	return a.service.Start(a)
}

func (a *App) startGRPC(context.Context) error {
	status := health.NewServer()
	beside := a.binder.Beside(a.grpc)
	healthpb.RegisterHealthServer(beside, status)
	a.stopReports = load.Register(beside, a.binder.Load)
	if a.settings.Listen.Reflection {
		reflection.Register(beside)
	}
	a.group.Go("gRPC health", a.health.Drive(status, refreshInterval, a.service.FullName))
	a.group.Serve(lifecycle.Server{
		Name:     "gRPC",
		Serve:    func() error { return a.grpc.Serve(a.guarded(a.listeners.grpc)) },
		Graceful: func(context.Context) { a.endStreams(); a.grpc.GracefulStop() },
		Close:    a.grpc.Stop,
	})
	return nil
}

func (a *App) startHTTP(context.Context) error {
	if a.listeners.http == nil {
		return nil
	}
	limits := a.settings.Limits
	mux, err := gateway.NewMux(a.methods, a.service.routes(), gateway.Options{
		Errors: a.errors(), BodyLimit: int64(limits.MessageBytes), Propagate: a.service.Propagate,
		Memory: a.arriving, Refused: a.metrics.RPC().BodyRefused, CORS: a.service.cors(),
	})
	if err != nil {
		return err
	}
	srv := a.httpServer(a.wraps.around(mux))
	srv.MaxHeaderBytes = limits.HeaderBytes
	a.group.Serve(lifecycle.Server{
		Name:     "HTTP",
		Serve:    func() error { return srv.Serve(a.limited(a.listeners.http)) },
		Graceful: func(ctx context.Context) { a.endStreams(); _ = srv.Shutdown(ctx) }, // Close follows
		Close:    func() { _ = srv.Close() },
	})
	return nil
}

func (s Service) cors() gateway.CORS {
	return gateway.CORS{Origins: s.CORSOrigins, Credentials: s.CORSCredentials, MaxAge: s.CORSMaxAge}
}

func (s Service) routes() (out []gateway.Route) {
	for _, r := range s.HTTP {
		out = append(out, gateway.Route(r))
	}
	return out
}

// streamShare is how much of the budget of a stop streams have to end by
// themselves: one part in so many. The rest is for their handlers to return, and
// for streams not to keep a process that has nothing else to do.
const streamShare = 2

// endStreams tells streams that the service stops. It is part of every graceful stop
// and does something once.
func (a *App) endStreams() { a.binder.EndStreams(a.settings.Stop.Budget / streamShare) }

// httpAddress is empty where there is no HTTP/JSON.
func (a *App) httpAddress() string {
	if a.service.HTTP == nil {
		return ""
	}
	return a.settings.Listen.HTTP
}

// listen returns the step that opens a port and tells its address; without an address
// there is none. Servers close their listeners; a start that fails before they serve
// leaves that to the group.
func (a *App) listen(address string, to *net.Listener, at *string) func(context.Context) error {
	return func(context.Context) error {
		if address == "" {
			return nil
		}
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		*to, *at = listener, listener.Addr().String()
		a.group.OnClose("listener", func() error {
			if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
				return err
			}
			return nil
		})
		return nil
	}
}

func (a *App) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: used(h), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, ErrorLog: logging.HTTP(a.log),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
	}
}

// connKey is the key of a request's connection in its context.
type connKey struct{}

// used says that a connection is busy while a request is answered, not yet while its
// headers arrive.
func used(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connKey{}).(*limit.Conn); ok {
			c.Busy()
			defer c.Idle()
		}
		h.ServeHTTP(w, r)
	})
}
