// Package client makes connections to the services that a service calls.
//
// A service finds its clients in the Deps of its handler. Any other program makes them
// with a [Dialer] and what is generated beside the callee:
//
//	dialer := &client.Dialer{Options: client.Options{Target: "dns:///user:9090"}}
//	defer dialer.Close()
//	users, err := userv1svc.DialUserService(dialer)
//
// Deadlines, retries, balancing and health checking are grpc-go's own, told by
// a service config that is made from the policies; balancing by weight and
// hedging are not, and are done here. What the Conn adds to each call, unary or
// stream, is its metrics, its span with the headers that carry the trace on, and
// typed errors: what the callee returned as an error of its contract is an
// *errors.Error here.
package client

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // turns on health checking by clients
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/resolver"

	"github.com/protosvc/protosvc/internal/contract"
	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/outlier"
	"github.com/protosvc/protosvc/svc/metrics"
	"github.com/protosvc/protosvc/svc/policy"
)

// Spec is what the contract says about a service that is called.
type Spec struct {
	// Service is the full name, "user.v1.UserService".
	Service string

	// Target is where the service is, unless the options say otherwise: an
	// address with a scheme of grpc-go, such as "dns:///user-headless:9090".
	Target string

	// Methods are the policies of the RPCs. A call of a method that is not
	// here works, without a policy, metrics and span.
	Methods []policy.Method

	// Streams describe the RPCs that are streams, as in the ServiceDesc that
	// protoc-gen-go-grpc generates. The other methods are unary.
	Streams []grpc.StreamDesc

	// Errors are the codes of the callee.
	Errors errors.Table
}

// Options are the settings of a connection. The zero value is ready for use.
type Options struct {
	// Target replaces the target of the spec.
	Target string

	// Balance is how calls are spread over the addresses of the target:
	// "round_robin", "least_request", "weighted" or "pick_first". Empty:
	// round_robin. With pick_first grpc-go does not check the health of the callee.
	Balance string

	// Connections is how many there are to each address. 0 means 1.
	Connections int

	// Metrics gets the grpc_client_ series. Nil: nobody sees them.
	Metrics *metrics.Registry

	// TracerProvider makes the spans. Nil: none, but the trace of the context is
	// passed on.
	TracerProvider trace.TracerProvider

	// MaxReceiveBytes is the largest message that is received; a larger one ends its
	// call with errors.MessageTooLarge. 0 means 4 MiB.
	MaxReceiveBytes int

	// Breaker says when the callee is called no more for a while, and which of
	// its backends are left out. Nil: never, and none.
	Breaker *Breaker

	// Log hears of breakers, of backends, and of a callee that cannot be reached.
	// Nil: nowhere.
	Log *slog.Logger

	// Resolver finds the addresses. Nil: one that asks for DNS names every few
	// seconds, and for other schemes of targets grpc-go's own.
	Resolver resolver.Builder

	// Dial are further options of grpc-go. The connection is in plain text
	// unless they have credentials.
	Dial []grpc.DialOption
}

// log returns the log of a callee.
func (o Options) log(spec Spec) *slog.Logger {
	if o.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Log.With(slog.String("callee", spec.Service))
}

// Conn is a connection to a service, shared by all callers.
type Conn struct {
	conns   *pool
	methods map[string]*method
	errors  errors.Table
	guard   *guard
	reach   *reach
}

var _ grpc.ClientConnInterface = (*Conn)(nil)

// Dial returns a connection and starts to connect; it does not wait, and fails
// only for settings that are wrong. Close the connection after use.
func Dial(spec Spec, o Options) (*Conn, error) {
	target := o.Target
	if target == "" {
		target = spec.Target
	}
	if target == "" {
		return nil, fmt.Errorf("client of %s: no target is set", spec.Service)
	}
	reach := &reach{service: spec.Service, target: target, log: o.log(spec)}
	guard := newGuard(spec, o)
	backends := &outlier.Policy{OnError: reach.note}
	guard.judge(backends)
	finder := backends.Resolver(reach.resolver(o.Resolver))
	config, err := defaultConfig(spec, o.Balance)
	if err != nil {
		return nil, fmt.Errorf("client of %s: %w", spec.Service, err)
	}
	conns, err := newPool(o.Connections, func() (*grpc.ClientConn, error) {
		return grpc.NewClient(target, slices.Concat([]grpc.DialOption{
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultServiceConfig(config),
			grpc.WithResolvers(finder),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(cmp.Or(o.MaxReceiveBytes, contract.DefaultMessageBytes))),
			// The policies are the contract's: no TXT record may change them.
			grpc.WithDisableServiceConfig(),
			// A callee that is back is found within a second. gRPC's own waits grow
			// to two minutes.
			grpc.WithConnectParams(grpc.ConnectParams{
				Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
				MinConnectTimeout: 5 * time.Second,
			}),
			// A machine that went away without a word is noticed by this alone.
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
		}, o.Dial)...)
	})
	if err != nil {
		return nil, fmt.Errorf("client of %s: target %q: %w", spec.Service, target, err)
	}
	return &Conn{conns: conns, methods: bind(spec, o), errors: spec.Errors, guard: guard, reach: reach}, nil
}

// Invoke makes a unary call.
func (c *Conn) Invoke(ctx context.Context, name string, args, reply any, opts ...grpc.CallOption) error {
	m, ok := c.methods[name]
	if !ok {
		return c.outcome(name, c.conns.pick().Invoke(ctx, name, args, reply, opts...))
	}
	ctx, call := m.begin(ctx)
	ctx, guarded, err := c.guard.begin(ctx, name, false /* unary */)
	if err == nil {
		m.metrics.Sent()
		err = m.invoke(ctx, c.conns.pick(), name, args, reply, opts)
		guarded.end(time.Since(call.start), err)
	}
	if err == nil {
		m.metrics.Received()
	}
	call.end(err)
	return c.outcome(name, err)
}

// outcome is the end of a call, or of a step of a stream, as the caller sees it.
func (c *Conn) outcome(name string, err error) error {
	if err == nil {
		c.reach.answered(c.conns)
		return nil
	}
	return errors.FromStatus(c.reach.failed(c.conns, name, err), c.errors)
}

// NewStream starts a streaming call. It ends, for metrics and traces too, when
// receiving returns an error, when ctx is done, or with the connection.
func (c *Conn) NewStream(ctx context.Context, desc *grpc.StreamDesc, name string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	m := c.methods[name]
	if m == nil {
		s, err := c.conns.pick().NewStream(ctx, desc, name, opts...)
		if err != nil {
			return nil, c.outcome(name, err)
		}
		return &stream{ClientStream: s, conn: c, name: name}, nil
	}
	ctx, call := m.begin(ctx)
	ctx, guarded, err := c.guard.begin(ctx, name, true /* stream */)
	if err != nil {
		call.end(err)
		return nil, err
	}
	finish := func(err error) {
		guarded.end(time.Since(call.start), err)
		call.end(err)
	}
	s, err := c.conns.pick().NewStream(ctx, desc, name, append(slices.Clip(opts), grpc.OnFinish(finish))...)
	if err != nil {
		return nil, c.outcome(name, err)
	}
	return &stream{ClientStream: s, conn: c, name: name, method: m, guarded: guarded}, nil
}

// Check reports whether an address of the service can be called: it is connected
// and its own health check says serving. Where that is not known yet it waits, as
// long as ctx lasts. It is a readiness check.
func (c *Conn) Check(ctx context.Context) error { return c.conns.check(ctx, c.reach) }

// Close ends the connection and the calls on it.
func (c *Conn) Close() error { return c.conns.Close() }
