package server

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/limit"
	"github.com/protosvc/protosvc/svc/internal/logging"
	"github.com/protosvc/protosvc/svc/internal/pushback"
	"github.com/protosvc/protosvc/svc/internal/rpcmetrics"
	"github.com/protosvc/protosvc/svc/policy"
)

const (
	// overloadedWait is when callers of a server with too much to do should try
	// again: when a queue of calls with usual deadlines would be gone.
	overloadedWait = time.Second

	// refusalLogInterval is how often a method says in the log that it refuses calls.
	refusalLogInterval = 10 * time.Second
)

// epoch is what moments are measured from: reading a monotonic clock is cheaper
// than reading two, and a difference fits an atomic.
var epoch = time.Now()

func now() time.Duration { return time.Since(epoch) }

// admission is what a call must pass before anything is done for it. The zero
// value lets everything pass.
type admission struct {
	rate *limit.Rate
	key  string // metadata that tells callers apart; empty: their address

	own    *limit.Gate // calls of the method in progress
	server *limit.Gate // calls of all unary methods in progress

	adaptive *limit.Adaptive // the server's gate, which may move; nil without one
	load     limit.Method

	byRate, byOwn, byServer refusal
}

// refusal is how one limit refuses calls.
type refusal struct {
	limit  rpcmetrics.Limit
	count  func()
	logged logging.Sampler
}

// What a refusal sends is made once: a server that has too much to do must not
// work on refusals.
var (
	overloaded         = errors.Overloaded.New().After(overloadedWait).GRPCStatus().Err()
	overloadedPushback = pushback.Trailer(overloadedWait)
)

func (b *Binder) admission(a *admission, m policy.Method, kind rpcmetrics.Kind) {
	if r := m.RateLimit; r.PerSecond > 0 {
		a.rate, a.key = limit.NewRate(r.PerSecond, max(r.Burst, 1)), r.Key
		a.byRate.bind(b.metrics, m, kind, rpcmetrics.LimitRate)
	}
	if m.Concurrency > 0 {
		a.own = limit.NewGate(m.Concurrency)
		a.byOwn.bind(b.metrics, m, kind, rpcmetrics.LimitMethod)
	}
	if b.gate != nil && kind == rpcmetrics.Unary {
		a.server, a.adaptive = b.gate, b.adaptive
		a.byServer.bind(b.metrics, m, kind, rpcmetrics.LimitServer)
	}
}

func (r *refusal) bind(series *rpcmetrics.Series, m policy.Method, kind rpcmetrics.Kind, l rpcmetrics.Limit) {
	r.limit, r.count = l, series.Refused(m, kind, l)
	r.logged.Burst, r.logged.Every = 1, refusalLogInterval
}

// admit lets a call in, for which leave must follow, or returns the gRPC status
// error that refuses it. The caller's own limit comes first: a call that it
// refuses takes nothing from others.
func (m *method) admit(ctx context.Context) error {
	if m.rate != nil {
		if wait := m.rate.Take(m.callerOf(ctx), now()); wait > 0 {
			m.refused(ctx, &m.byRate, pushback.Trailer(wait))
			return errors.RateLimited.New().After(wait).GRPCStatus().Err()
		}
	}
	if !m.own.Enter() {
		m.refused(ctx, &m.byOwn, overloadedPushback)
		return overloaded
	}
	if !m.server.Enter() {
		m.own.Leave()
		m.refused(ctx, &m.byServer, overloadedPushback)
		return overloaded
	}
	return nil
}

// found returns how many calls an admitted one found in progress, as far as a
// limit that moves wants to know.
func (a *admission) found() int {
	if a.adaptive == nil || !a.adaptive.Moves() {
		return 0
	}
	return a.server.Inside()
}

// observe tells a limit that moves how long a call took that found something.
func (a *admission) observe(found int, took time.Duration) {
	if found > 0 {
		a.adaptive.Done(&a.load, found, now(), took)
	}
}

// leave makes room.
func (a *admission) leave() {
	a.server.Leave()
	a.own.Leave()
}

// refused counts a refusal, tells clients that would try again by themselves when
// to do so, and logs it unless that was done lately.
func (m *method) refused(ctx context.Context, r *refusal, trailer metadata.MD) {
	r.count()
	_ = grpc.SetTrailer(ctx, trailer) // fails where there is no transport: HTTP/JSON has Retry-After
	if suppressed, ok := r.logged.Pass(); ok {
		m.log.LogAttrs(ctx, slog.LevelWarn, "calls refused", append(suppressed, slog.String("limit", string(r.limit)))...)
	}
}

// callerOf tells callers apart: by the value of the key in the metadata, and
// where there is none by the address of the peer.
func (a *admission) callerOf(ctx context.Context) limit.Caller {
	if a.key != "" {
		if values := metadata.ValueFromIncomingContext(ctx, a.key); len(values) > 0 {
			return a.rate.Name(values[0])
		}
	}
	address := netip.IPv6Unspecified() // stands for all whose address is unknown
	if p, ok := peer.FromContext(ctx); ok {
		if tcp, ok := p.Addr.(*net.TCPAddr); ok {
			address = tcp.AddrPort().Addr()
		}
	}
	return a.rate.Address(address)
}
