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
// messages that cannot be decoded are counted and logged. They never reach a
// method: generated code decodes first. The descriptor is not changed.
func (b *Binder) Register(s grpc.ServiceRegistrar, desc *grpc.ServiceDesc, impl any) {
	watched := *desc
	watched.Methods = slices.Clone(desc.Methods)
	for i, m := range watched.Methods {
		d := b.decoder(desc.ServiceName, m.MethodName, rpcmetrics.Unary)
		watched.Methods[i].Handler = d.unary(m.Handler)
	}
	watched.Streams = slices.Clone(desc.Streams)
	for i, m := range watched.Streams {
		d := b.decoder(desc.ServiceName, m.StreamName, rpcmetrics.StreamKind(m))
		watched.Streams[i].Handler = d.stream(m.Handler)
	}
	s.RegisterService(&watched, impl)
}

// decoder watches the decoding of one method's messages.
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
		return h(srv, ctx, func(m any) error { return d.watch(ctx, decode(m)) }, i)
	}
}

func (d *decoder) stream(h grpc.StreamHandler) grpc.StreamHandler {
	return func(srv any, stream grpc.ServerStream) error {
		return h(srv, &decodedStream{stream, d})
	}
}

// decodedStream is a stream whose received messages are watched.
type decodedStream struct {
	grpc.ServerStream
	decoder *decoder
}

func (s *decodedStream) RecvMsg(m any) error {
	return s.decoder.watch(s.Context(), s.ServerStream.RecvMsg(m))
}

// watch counts and logs the error of a message that arrived but cannot be
// decoded, and returns it. The end of a stream and a lost connection are none.
func (d *decoder) watch(ctx context.Context, err error) error {
	switch status.Code(err) {
	case codes.Internal, codes.ResourceExhausted, codes.Unimplemented:
		d.metrics.Undecodable()
		if suppressed, ok := d.logged.Pass(); ok {
			d.log.LogAttrs(ctx, slog.LevelInfo, "message cannot be decoded", append(suppressed, slog.Any("error", err))...)
		}
	}
	return err
}
