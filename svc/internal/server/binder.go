// Package server is what surrounds a handler: metrics, a span, a deadline,
// validation, recovery from panics, and errors as the contract has them.
//
// A [Binder] binds each method of a service to its policy once, at start.
// Generated code calls handlers through what was bound: [Unary],
// [ServerStream], [ClientStream] or [BidiStream]. A call then looks nothing up.
// There is no interceptor and no stats handler, so a service that runs in
// process, behind a gateway, is surrounded in the same way as one behind a socket.
//
// What never reaches a method is counted where the service is registered:
// [Binder.Register] sees messages that cannot be decoded or do not arrive in
// time, [Binder.NewGRPC] calls of methods that do not exist.
package server

import (
	"context"
	"log/slog"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/limit"
	"github.com/protosvc/protosvc/svc/internal/logging"
	"github.com/protosvc/protosvc/svc/internal/rpcmetrics"
	"github.com/protosvc/protosvc/svc/internal/tracing"
	"github.com/protosvc/protosvc/svc/metrics"
	"github.com/protosvc/protosvc/svc/policy"
	"github.com/protosvc/protosvc/svc/propagate"
)

// Options say where methods report to. Each may be left nil.
type Options struct {
	Metrics        *metrics.Registry    // nil: a registry that nobody reads
	TracerProvider trace.TracerProvider // nil: no spans; the callers' trace context is passed on
	Log            *slog.Logger         // nil: no logs

	// Propagate are the metadata that travel. Nil: none.
	Propagate propagate.Keys
	// Concurrency is how many calls of all unary methods together are in progress
	// at the most; further ones are refused at once with ResourceExhausted. Zero:
	// no limit. With Adaptive it is the upper bound of a limit that follows the
	// measured latency.
	Concurrency int
	Adaptive    bool
	// Beside is how many streams of each service without policies may be open at once,
	// those that watch the health for one. Zero: no limit.
	Beside int
}

// Binder binds methods to their policies. Make one per process with [New].
// It is safe for concurrent use.
type Binder struct {
	metrics *rpcmetrics.Series
	traces  trace.TracerProvider
	log     *slog.Logger
	keys    propagate.Keys

	gate     *limit.Gate     // nil: no limit of all methods together
	adaptive *limit.Adaptive // the gate, which may move
	sweeper  sweeper
	beside   atomic.Int64 // streams of each service without policies; 0: no limit

	strangers logging.Sampler // of the lines about methods that do not exist
	arrivals  atomic.Pointer[map[string]arrival]

	stopping chan struct{}
	stop     sync.Once

	mu      sync.Mutex
	methods []*method
}

// New returns a binder.
func New(o Options) *Binder {
	b := &Binder{
		metrics: o.Metrics.RPC(), traces: o.TracerProvider, log: o.Log, keys: o.Propagate, stopping: make(chan struct{}),
		strangers: logging.Sampler{Burst: mistakesLogged, Every: time.Second},
	}
	b.arrivals.Store(&map[string]arrival{})
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if o.Concurrency > 0 {
		b.adaptive = limit.NewAdaptive(o.Concurrency)
		b.gate = &b.adaptive.Gate
		b.metrics.Concurrency(b.gate.Limit)
	}
	b.Limit(o.Concurrency, o.Adaptive, o.Beside)
	return b
}

// Limit changes the limits of [Options] while calls come in. What had no limit of its calls
// gets none.
func (b *Binder) Limit(concurrency int, adaptive bool, beside int) {
	if b.adaptive != nil {
		b.adaptive.Set(concurrency, adaptive)
	}
	b.beside.Store(int64(beside))
}

// Rate changes how often one caller may call a method that has such a limit, by the last
// part of its name: "CreateOrder".
func (b *Binder) Rate(rpc string, r policy.RateLimit) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.methods {
		if _, last, _ := strings.Cut(strings.TrimPrefix(m.name, "/"), "/"); last == rpc && m.rate != nil {
			m.rate.Set(r.PerSecond, max(r.Burst, 1))
		}
	}
}

// method is one bound method: everything about it that a call needs.
type method struct {
	name    string
	timeout time.Duration // 0: none
	kind    rpcmetrics.Kind
	errors  errors.Contract
	keys    propagate.Keys
	metrics *rpcmetrics.ServerMethod
	tracing *tracing.ServerMethod
	log     *slog.Logger
	live    atomic.Int64 // handlers running
	failed  failures
	longest time.Duration
	admission

	// Streams only.
	bounds  policy.Stream
	streams *rpcmetrics.Streams
	sweeper *sweeper
}

func (b *Binder) bind(m policy.Method, kind rpcmetrics.Kind) *method {
	bound := &method{
		name:    m.Name,
		timeout: m.Timeout,
		kind:    kind,
		errors:  m.Errors,
		keys:    b.keys,
		metrics: b.metrics.ServerMethod(m, kind),
		tracing: tracing.Server(b.traces, m.Name),
		log:     b.log.With(slog.String("rpc", m.Name)),
		longest: longest(m),
	}
	bound.failed.init()
	b.admission(&bound.admission, m, kind)
	if kind != rpcmetrics.Unary {
		bound.bounds, bound.sweeper = m.Stream, &b.sweeper
		bound.streams = b.metrics.Streams(m, kind, streamEnds())
		b.sweeper.expect(m.Stream)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.methods = append(b.methods, bound)
	return bound
}

// unbounded is a time that never passes, and which grpc-go takes for that.
const unbounded = time.Duration(math.MaxInt64)

// longest is how long a call of a method lasts at the most.
func longest(m policy.Method) time.Duration {
	bound := func(d time.Duration) time.Duration {
		if d == 0 {
			return unbounded
		}
		return d
	}
	return min(bound(m.Timeout), bound(m.Stream.MaxAge))
}

// Streams returns how many streams the limits of the methods bound so far let in together.
func (b *Binder) Streams() (streams int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.methods {
		if m.kind != rpcmetrics.Unary {
			streams += m.own.Limit()
		}
	}
	return streams
}

// Longest returns how long a call of the methods bound so far lasts at the most.
func (b *Binder) Longest() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	longest := time.Duration(0)
	for _, m := range b.methods {
		longest = max(longest, m.longest)
	}
	return longest
}

func streamEnds() []string {
	var reasons []string
	for _, c := range errors.StreamEnds() {
		reasons = append(reasons, c.Reason)
	}
	return reasons
}

// EndStreams tells the handlers of streams that the server stops, and ends those that
// are still open after a time with Unavailable. Callers then connect anew, to
// another server. Calls of unary methods are left to end by themselves.
func (b *Binder) EndStreams(after time.Duration) {
	b.stop.Do(func() {
		close(b.stopping)
		b.sweeper.endAll(after)
	})
}

// Stopping returns a channel that is closed when the server begins to stop.
func (b *Binder) Stopping() <-chan struct{} { return b.stopping }

// Live returns how many handlers run now: of unary methods, and of streams.
// A stream's handler counts until it has returned, even when its call is over.
func (b *Binder) Live() (unary, streams int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.methods {
		if m.kind == rpcmetrics.Unary {
			unary += int(m.live.Load())
		} else {
			streams += int(m.live.Load())
		}
	}
	return unary, streams
}

// waitInterval is how often Wait looks. Wait runs once in the life of a
// process, so it polls, and calls are spared from notifying it.
const waitInterval = 5 * time.Millisecond

// Wait returns when no handler runs any more, or with the context's error.
// Stopping a grpc.Server ends calls; a handler that does not look at its
// context goes on. So wait here before closing what handlers use.
func (b *Binder) Wait(ctx context.Context) error {
	tick := time.NewTicker(waitInterval)
	defer tick.Stop()
	for {
		if unary, streams := b.Live(); unary+streams == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
