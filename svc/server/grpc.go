package server

import (
	"cmp"
	"log/slog"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// GRPCOptions say how a gRPC server treats its connections. Zero means the default.
type GRPCOptions struct {
	// MaxConnectionAge is when a connection is asked to end, 10 % more or less.
	// Clients then resolve and connect anew, which is how they find new
	// replicas. Default 5 minutes.
	MaxConnectionAge time.Duration

	// MaxConnectionAgeGrace is how long calls may go on after that; it should
	// exceed the longest deadline. Streams that are older end with Unavailable.
	// Default 1 minute.
	MaxConnectionAgeGrace time.Duration

	// KeepaliveTime is how long a connection may be silent before it is probed,
	// and KeepaliveTimeout how long the answer may take. Defaults 1 minute and
	// 20 seconds.
	KeepaliveTime, KeepaliveTimeout time.Duration

	// MinPingInterval is how often clients may probe the server, with or
	// without calls; faster ones are disconnected. Default 10 seconds.
	MinPingInterval time.Duration

	// MaxReceiveBytes limits a received message. Default 4 MiB.
	MaxReceiveBytes int

	// Extra are further options of grpc-go. They come last and win.
	Extra []grpc.ServerOption
}

// NewGRPC returns a gRPC server without services. It counts calls of methods
// that do not exist, and answers them with Unimplemented.
func (b *Binder) NewGRPC(o GRPCOptions) *grpc.Server {
	options := []grpc.ServerOption{
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionAge:      cmp.Or(o.MaxConnectionAge, 5*time.Minute),
			MaxConnectionAgeGrace: cmp.Or(o.MaxConnectionAgeGrace, time.Minute),
			Time:                  cmp.Or(o.KeepaliveTime, time.Minute),
			Timeout:               cmp.Or(o.KeepaliveTimeout, 20*time.Second),
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{
			MinTime:             cmp.Or(o.MinPingInterval, 10*time.Second),
			PermitWithoutStream: true,
		}),
		grpc.MaxRecvMsgSize(cmp.Or(o.MaxReceiveBytes, 4<<20)),
		grpc.UnknownServiceHandler(b.unknown),
	}
	return grpc.NewServer(append(options, o.Extra...)...)
}

// unknown answers calls of methods that do not exist.
func (b *Binder) unknown(_ any, stream grpc.ServerStream) error {
	name, _ := grpc.MethodFromServerStream(stream)
	b.metrics.UnknownMethod()
	b.log.LogAttrs(stream.Context(), slog.LevelInfo, "unknown method called", slog.String("rpc", name))
	return status.Errorf(codes.Unimplemented, "unknown method %q", strings.TrimPrefix(name, "/"))
}
