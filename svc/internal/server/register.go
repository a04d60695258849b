package server

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/internal/logging"
	"github.com/protosvc/protosvc/svc/internal/rpcmetrics"
	"github.com/protosvc/protosvc/svc/policy"
)

// Register registers a service, as s.RegisterService(desc, impl) does, so that
// messages that cannot be decoded or do not arrive in time are counted and logged.
// They never reach a method: generated code decodes first. Bind methods before.
// The descriptor is not changed.
func (b *Binder) Register(s grpc.ServiceRegistrar, desc *grpc.ServiceDesc, impl any) {
	b.register(s, desc, impl, b.decoder)
	b.expect(desc, 0)
}

func (b *Binder) register(s grpc.ServiceRegistrar, desc *grpc.ServiceDesc, impl any, decoder func(service, name string, kind rpcmetrics.Kind) *decoder) {
	watched := *desc
	watched.Methods = slices.Clone(desc.Methods)
	for i, m := range watched.Methods {
		d := decoder(desc.ServiceName, m.MethodName, rpcmetrics.Unary)
		watched.Methods[i].Handler = d.unary(m.Handler)
	}
	watched.Streams = slices.Clone(desc.Streams)
	for i, m := range watched.Streams {
		d := decoder(desc.ServiceName, m.StreamName, rpcmetrics.StreamKind(m))
		watched.Streams[i].Handler = d.stream(m.Handler)
	}
	s.RegisterService(&watched, impl)
}

// decoder watches the decoding of one method's messages. Nil only bounds their time.
type decoder struct {
	metrics *rpcmetrics.ServerMethod
	log     *slog.Logger
	logged  logging.Sampler
}

func (b *Binder) decoder(service, name string, kind rpcmetrics.Kind) *decoder {
	m := policy.Method{Name: "/" + service + "/" + name}
	return &decoder{
		metrics: b.metrics.ServerMethod(m, kind),
		log:     b.log.With(slog.String("rpc", m.Name)),
		logged:  logging.Sampler{Burst: mistakesLogged, Every: time.Second},
	}
}

func (d *decoder) unary(h grpc.MethodHandler) grpc.MethodHandler {
	return func(srv any, ctx context.Context, decode func(any) error, i grpc.UnaryServerInterceptor) (any, error) {
		return h(srv, ctx, func(m any) error { return d.watch(ctx, d.arrived(ctx, decode(m))) }, i)
	}
}

func (d *decoder) stream(h grpc.StreamHandler) grpc.StreamHandler {
	return func(srv any, stream grpc.ServerStream) error {
		return h(srv, &decodedStream{ServerStream: stream, decoder: d})
	}
}

// decodedStream is a stream whose received messages are watched.
type decodedStream struct {
	grpc.ServerStream
	decoder *decoder
	arrived bool // the first message
}

func (s *decodedStream) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	if !s.arrived {
		s.arrived = true
		err = s.decoder.arrived(s.Context(), err)
	}
	return s.decoder.watch(s.Context(), err)
}

// watch counts and logs the error of a message that arrived but cannot be
// decoded, and returns it. The end of a stream and a lost connection are none.
func (d *decoder) watch(ctx context.Context, err error) error {
	if d == nil {
		return err
	}
	switch status.Code(err) {
	case codes.Internal, codes.ResourceExhausted, codes.Unimplemented:
		d.metrics.Undecodable()
		d.note(ctx, "message cannot be decoded", err)
	}
	return err
}

// note logs what is wrong with a message.
func (d *decoder) note(ctx context.Context, text string, err error) {
	if suppressed, ok := d.logged.Pass(); ok {
		d.log.LogAttrs(ctx, slog.LevelInfo, text, append(suppressed, slog.Any("error", err))...)
	}
}
