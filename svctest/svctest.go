// Package svctest runs generated services inside tests of their handlers.
//
// [Start] runs all of a service but for the process: on free ports of the loopback,
// with a database of its own, in front of fakes of the services that it calls.
//
//	users := &userv1svctest.UserService{GetUserFunc: …}
//	s := svctest.Start(t, orderv1svc.OrderService(order.New, order.Migrations),
//		svctest.Fake(userv1svc.UserService)(users),
//		svctest.Fake(paymentv1svc.PaymentService)(&paymentv1svctest.PaymentService{}))
//	orders := orderv1.NewOrderServiceClient(s.Conn)
//
// A fake is a handler of the callee's own server interface: what is generated for it in
// …svctest, which answers by functions and tells its calls, or any other. Around it runs
// the real generated service, so that validation, deadlines and errors of the contract
// are what they are in production, on both sides.
//
// [Deps] are for tests that call a handler, or a part of it, without a server.
//
// docs/guide/7-tests.md in the repository has tests of a service that calls another one.
//
// # Databases
//
// Each service gets an empty database with its migrations applied: SQLite in a file,
// or, with SVCTEST_DATABASE=postgres in the environment, one on the PostgreSQL server
// at the URL in SVCTEST_POSTGRES_URL or PROTOSVC_TEST_POSTGRES_URL. That needs a user
// who may create databases, and is dropped when the test ends. The databases of fakes
// are in memory.
//
// # The end
//
// Services stop when their test ends, and the test fails if one stops with an error
// or leaves a goroutine. Tests may run in parallel: each service knows its own
// goroutines. If the test has failed, its output has the log of each service.
package svctest

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc"

	"github.com/protosvc/protosvc/internal/recording"
	"github.com/protosvc/protosvc/svc"
	"github.com/protosvc/protosvc/svc/client"
)

const (
	startTimeout = 20 * time.Second // for a service to be ready
	httpTimeout  = 30 * time.Second // for a request of Service.Client
)

// Service is a running service.
type Service struct {
	// Conn is a connection to the service, for the generated New…Client. Errors of
	// its contract are what errors.Is finds in what it returns. It has none of the
	// contract's deadlines and retries: a call that a test makes is made once. The
	// server still has the contract's deadline for a call whose context has none.
	Conn grpc.ClientConnInterface

	// HTTP is the base URL of HTTP/JSON, "http://127.0.0.1:41234", empty if the
	// service has none. Client makes requests, with a timeout of 30 s.
	HTTP   string
	Client *http.Client

	// Admin is the base URL of the admin port.
	Admin string

	// Target is the gRPC port as config.yaml and clients want it.
	Target string

	// Database is the URL of the database, empty if the service has none. A second
	// replica gets it by Config("database: {url: …}").
	Database string

	t       testing.TB
	service svc.Service
	log     log
	spans   *tracetest.SpanRecorder
	ended   chan error   // has what svc.Run returned
	close   func() error // of Conn; nil: not open
	stop    func()
}

// Start runs the service until the test ends. It fails the test at once if a service
// that it calls is neither faked nor running, if the database cannot be reached, or
// if the service is not ready after 20 s.
//
// The settings are the defaults of the contract, except that all spans are recorded
// and that the stop has no drain delay; [Config] changes them. Variables of the
// environment do not, save those of OpenTelemetry. A svc.Service holds its settings:
// make one for each Start.
func Start(t testing.TB, service svc.Service, opts ...Option) *Service {
	t.Helper()
	return start(t, service, newOptions(t, service, opts))
}

func start(t testing.TB, service svc.Service, o *options) *Service {
	t.Helper()
	ready := make(chan svc.Addresses, 1)
	ctx, cancel := context.WithCancel(context.Background())
	s := run(t, ctx, cancel, service, o, func(at svc.Addresses) { ready <- at })
	s.connect(await(s, ready))
	return s
}

// run has the service run until cancel ends ctx, which Stop does, and the end of the
// test.
func run(t testing.TB, ctx context.Context, cancel func(), service svc.Service, o *options, ready func(svc.Addresses)) *Service {
	t.Helper()
	config := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(config, []byte(o.config), 0o600); err != nil {
		t.Fatalf("svctest: %v", err)
	}
	s := &Service{t: t, service: service, Database: o.database, spans: tracetest.NewSpanRecorder(), ended: make(chan error, 1)}
	adapted := o.adapt(service)
	goroutines := newGoroutines(o.ignored)
	goroutines.spawn(func() {
		s.ended <- svc.Run(recording.WithSpans(ctx, s.spans), adapted, svc.Options{Config: config, Log: &s.log, Ready: ready})
	})
	s.stop = sync.OnceFunc(func() {
		s.disconnect()
		cancel()
		if err := <-s.ended; err != nil {
			t.Errorf("svctest: %s ended with: %v", service.Name, err)
		}
		if left := goroutines.left(); left != "" {
			t.Errorf("svctest: %s has stopped, but left goroutines:\n%s", service.Name, left)
		}
		if t.Failed() {
			t.Logf("log of %s:\n%s", service.Name, s.log.text())
		}
	})
	t.Cleanup(s.stop)
	return s
}

// await returns what comes first from a service that starts.
func await[T any](s *Service, ready <-chan T) T {
	s.t.Helper()
	select {
	case first := <-ready:
		return first
	case err := <-s.ended:
		s.ended <- nil
		s.t.Fatalf("svctest: %s does not start: %v", s.service.Name, err)
	case <-time.After(startTimeout):
		s.t.Fatalf("svctest: %s is not ready after %v", s.service.Name, startTimeout)
	}
	panic("unreachable: Fatalf does not return")
}

// connect fills in what a running service has.
func (s *Service) connect(at svc.Addresses) {
	s.t.Helper()
	s.Target = "passthrough:///" + at.GRPC // needs no name service
	s.Admin = "http://" + at.Admin
	if at.HTTP != "" {
		s.HTTP = "http://" + at.HTTP
	}
	// A kept connection would be a goroutine of the service, too.
	s.Client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: httpTimeout}
	conn, err := client.Dial(client.Spec{Service: s.service.FullName}, client.Options{
		Target: s.Target,
		Dial:   []grpc.DialOption{grpc.WithDefaultServiceConfig("{}")},
	})
	if err != nil {
		s.t.Fatalf("svctest: %v", err)
	}
	s.Conn, s.close = conn, conn.Close
}

// disconnect ends the calls of the test, so that the stop does not wait for them.
func (s *Service) disconnect() {
	if s.close == nil {
		return
	}
	if err := s.close(); err != nil {
		s.t.Errorf("svctest: %v", err)
	}
}

// Stop stops the service as at the end of the test, but now: gracefully, save that
// calls of Conn end at once. Stopping again does nothing.
func (s *Service) Stop() {
	s.t.Helper()
	s.stop()
}
