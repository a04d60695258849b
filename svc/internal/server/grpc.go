package server

import (
	"cmp"
	"log/slog"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // callers may compress what they send
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/internal/defaults"
	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/cut"
)

// GRPCOptions say how a gRPC server treats its connections. Zero means the default.
type GRPCOptions struct {
	// HandshakeTimeout is how long a connection may take until HTTP/2, and TLS where
	// there is some, is agreed upon; then it is closed. Default 10 seconds.
	HandshakeTimeout time.Duration

	// ReceiveTimeout is how long the only message of a call may take from its headers
	// on, where the policy of the method has no timeout; then the call ends with
	// DeadlineExceeded. Default: 10 seconds and 1 more for each 32 KiB of
	// MaxReceiveBytes, which are 138 seconds for 4 MiB.
	ReceiveTimeout time.Duration

	// MaxConnectionAge is when a connection is asked to end, 10 % more or less.
	// Clients then resolve and connect anew, which is how they find new
	// replicas. Default 5 minutes.
	MaxConnectionAge time.Duration

	// MaxConnectionAgeGrace is how long calls may go on after that; then they end
	// with Unavailable. Default: as long as the longest call of the methods bound
	// before may last, and 1 minute at the least.
	MaxConnectionAgeGrace time.Duration

	// KeepaliveTime is how long a connection may be silent before it is probed,
	// and KeepaliveTimeout how long the answer may take. Defaults 1 minute and
	// 20 seconds.
	KeepaliveTime, KeepaliveTimeout time.Duration

	// MinPingInterval is how often clients may probe the server, with or
	// without calls; faster ones are disconnected. Default 10 seconds.
	MinPingInterval time.Duration

	// MaxReceiveBytes limits a received message, MaxHeaderBytes the headers of a
	// call. Defaults 4 MiB and 16 KiB.
	MaxReceiveBytes, MaxHeaderBytes int

	// MaxStreams limits the calls and streams open at once on one connection;
	// clients queue what is beyond. Default 1000.
	MaxStreams int

	// Extra are further options of grpc-go. They come last and win. grpc.InTapHandle
	// cannot be among them: grpc-go takes one, which is the server's own.
	Extra []grpc.ServerOption
}

// graceMargin is what a connection's calls get beyond the longest they may last,
// for the way and for the sweeper.
const graceMargin = 5 * time.Second

// readBuffer is what each connection keeps, whether something happens on it or not: half of
// what grpc-go takes, with which calls are as fast.
const readBuffer = 16 << 10

// grace is how long the calls on an old connection may still take, so that no
// call that keeps to its own bounds is cut with it.
func (b *Binder) grace() time.Duration {
	longest := b.Longest()
	if longest > unbounded-graceMargin {
		return unbounded
	}
	return max(longest+graceMargin, time.Minute)
}

// NewGRPC returns a gRPC server without services. Bind methods before. It counts calls of methods
// that do not exist, and answers them with Unimplemented.
func (b *Binder) NewGRPC(o GRPCOptions) *grpc.Server {
	maxReceive := cmp.Or(o.MaxReceiveBytes, defaults.MessageBytes)
	options := []grpc.ServerOption{
		grpc.ConnectionTimeout(cmp.Or(o.HandshakeTimeout, defaults.Handshake)),
		grpc.InTapHandle(b.enter(cmp.Or(o.ReceiveTimeout, defaults.Upload(maxReceive)))),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionAge:      cmp.Or(o.MaxConnectionAge, defaults.ConnectionAge),
			MaxConnectionAgeGrace: cmp.Or(o.MaxConnectionAgeGrace, b.grace()),
			Time:                  cmp.Or(o.KeepaliveTime, defaults.KeepaliveTime),
			Timeout:               cmp.Or(o.KeepaliveTimeout, defaults.KeepaliveTimeout),
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{
			MinTime:             cmp.Or(o.MinPingInterval, 10*time.Second),
			PermitWithoutStream: true,
		}),
		grpc.ReadBufferSize(readBuffer),
		grpc.MaxRecvMsgSize(maxReceive),
		grpc.MaxHeaderListSize(uint32(cmp.Or(o.MaxHeaderBytes, defaults.HeaderBytes))),
		grpc.MaxConcurrentStreams(uint32(cmp.Or(o.MaxStreams, defaults.StreamsPerConnection))),
		grpc.UnknownServiceHandler(b.unknown),
	}
	return grpc.NewServer(append(options, o.Extra...)...)
}

// maxMethod is how many bytes of a method's name an answer shows.
const maxMethod = 128

// unknown answers calls of methods that do not exist.
func (b *Binder) unknown(_ any, stream grpc.ServerStream) error {
	name, _ := grpc.MethodFromServerStream(stream)
	b.metrics.UnknownMethod()
	if suppressed, ok := b.strangers.Pass(); ok {
		b.log.LogAttrs(stream.Context(), slog.LevelInfo, "unknown method called", append(suppressed, slog.String("rpc", name))...)
	}
	return noSuchMethod(name)
}

func noSuchMethod(name string) error {
	name = cut.Text(strings.TrimPrefix(name, "/"), maxMethod)
	return errors.ToStatus(status.Errorf(codes.Unimplemented, "unknown method %q", name)).Err()
}
