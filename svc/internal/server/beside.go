package server

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"

	"github.com/protosvc/protosvc/svc/internal/logging"
	"github.com/protosvc/protosvc/svc/internal/rpcmetrics"
)

// Beside is a gRPC server for services without policies, such as that of health.
// It bounds how long their callers may take to send: the one message as
// [GRPCOptions].ReceiveTimeout says, and all messages of a stream 2 minutes. It bounds
// how many streams of each service are open at once, and divides them fairly among the
// connections.
type Beside struct {
	*grpc.Server
	binder *Binder
}

// Beside returns the server for what is registered beside the services that have
// policies.
func (b *Binder) Beside(s *grpc.Server) Beside { return Beside{s, b} }

// RegisterService registers a service.
func (s Beside) RegisterService(desc *grpc.ServiceDesc, impl any) {
	b := s.binder
	unwatched := func(_, _ string, _ rpcmetrics.Kind) *decoder { return nil }
	shared := *desc
	shared.Streams = slices.Clone(desc.Streams)
	streams := newStreams(func() int { return int(b.beside.Load()) }, b.log.With(slog.String("service", desc.ServiceName)))
	for i, m := range shared.Streams {
		shared.Streams[i].Handler = streams.handler(m.Handler)
	}
	b.register(s.Server, &shared, impl, unwatched)
	b.expect(&shared, conversation)
}

// streams are those of one service that are open. When there are as many as may be, the
// connection that has the most of them loses one to a connection that has less. So one
// client cannot take them from others, and one with many callers behind it may have many
// while nobody else wants them.
type streams struct {
	limit  func() int // 0: none
	log    *slog.Logger
	logged logging.Sampler

	mu   sync.Mutex
	open int
	by   map[string][]*place // by connection, the oldest first
}

func newStreams(limit func() int, log *slog.Logger) *streams {
	return &streams{limit: limit, log: log, logged: logging.Sampler{Burst: 1, Every: refusalLogInterval}, by: map[string][]*place{}}
}

// place is what one stream has.
type place struct {
	connection string
	end        context.CancelFunc
	lost       bool
}

// handler runs the handler of a stream if there is a place for it.
func (s *streams) handler(h grpc.StreamHandler) grpc.StreamHandler {
	return func(srv any, stream grpc.ServerStream) error {
		p, ok := s.enter(stream.Context())
		if !ok {
			return s.refuse(stream)
		}
		err := h(srv, stream)
		if s.leave(p) {
			return s.refuse(stream)
		}
		return err
	}
}

// enter gives a stream a place, if need be that of another one, which ends.
func (s *streams) enter(ctx context.Context) (*place, bool) {
	p := &place{connection: connectionOf(ctx), end: endOf(ctx)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if limit := s.limit(); limit > 0 && s.open >= limit {
		most := s.most()
		if len(s.by[most]) <= len(s.by[p.connection])+1 {
			return nil, false
		}
		s.take(s.by[most][0])
	}
	s.by[p.connection] = append(s.by[p.connection], p)
	s.open++
	return p, true
}

// most returns the connection with the most streams.
func (s *streams) most() string {
	return slices.MaxFunc(slices.Collect(maps.Keys(s.by)), func(a, b string) int { return len(s.by[a]) - len(s.by[b]) })
}

// take ends a stream for another one. Where its handler waits for the client, grpc-go has
// answered that it was cancelled before the handler can say why.
func (s *streams) take(p *place) {
	p.lost = true
	s.remove(p)
	p.end()
}

// leave gives a place back. It reports whether another stream has it already.
func (s *streams) leave(p *place) (lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !p.lost {
		s.remove(p)
	}
	return p.lost
}

func (s *streams) remove(p *place) {
	s.open--
	rest := slices.DeleteFunc(s.by[p.connection], func(other *place) bool { return other == p })
	s.by[p.connection] = rest
	if len(rest) == 0 {
		delete(s.by, p.connection)
	}
}

// refuse logs that there is no place for a stream, unless that was done lately.
func (s *streams) refuse(stream grpc.ServerStream) error {
	stream.SetTrailer(overloadedPushback)
	if suppressed, ok := s.logged.Pass(); ok {
		s.log.LogAttrs(stream.Context(), slog.LevelWarn, "streams refused", append(suppressed, slog.Int("limit", s.limit()))...)
	}
	return overloaded
}

// connectionOf tells connections apart.
func connectionOf(ctx context.Context) string {
	if p, ok := peer.FromContext(ctx); ok {
		return p.Addr.String()
	}
	return ""
}

// ending is the context of a stream that can be ended though its handler waits for the
// client.
type ending struct {
	context.Context
	end context.CancelFunc
}

type endingKey struct{}

func endable(ctx context.Context) context.Context {
	ctx, end := context.WithCancel(ctx) // grpc-go cancels the parent when the stream is over
	return &ending{ctx, end}
}

func (e *ending) Value(key any) any {
	if key == (endingKey{}) {
		return e
	}
	return e.Context.Value(key)
}

// endOf returns what ends a stream.
func endOf(ctx context.Context) context.CancelFunc {
	if e, ok := ctx.Value(endingKey{}).(*ending); ok {
		return e.end
	}
	return func() {}
}
