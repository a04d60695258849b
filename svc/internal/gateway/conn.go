package gateway

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/protosvc/protosvc/svc/errors"
)

var (
	_ grpc.ClientConnInterface = (*Conn)(nil)
	_ grpc.ServiceRegistrar    = (*Conn)(nil)
)

// Conn calls services in this process. It takes the place of a connection on
// one side and of a server on the other: register the same implementations as
// with the grpc.Server, and make clients with it.
//
// A call behaves as over the network where a handler or a caller can tell:
// outgoing metadata arrives as incoming metadata and does not leak into the
// handler's own calls; headers and trailers go back; deadline and cancellation
// arrive; an error comes back as a gRPC status made by [errors.ToStatus].
// Messages are deep copies, so both sides may keep and change theirs. Other
// values of the context, the local span for one, pass through.
//
// A unary handler runs in the goroutine of its caller, a stream handler in its
// own. Of the call options, Header, Trailer and Peer have an effect. A panic of
// a handler is not recovered here: the decorated server does that.
//
// Register everything before the first call.
type Conn struct {
	methods  map[string]unary
	streams  map[string]streaming
	services map[string]bool
}

type unary struct {
	impl   any
	handle grpc.MethodHandler
}

type streaming struct {
	impl   any
	handle grpc.StreamHandler
}

// NewConn returns a Conn without services.
func NewConn() *Conn {
	return &Conn{
		methods:  map[string]unary{},
		streams:  map[string]streaming{},
		services: map[string]bool{},
	}
}

// RegisterService adds a service. Like grpc.Server it does not accept a service
// twice: that is a mistake of the program, and it panics.
func (c *Conn) RegisterService(desc *grpc.ServiceDesc, impl any) {
	if c.services[desc.ServiceName] {
		panic(fmt.Sprintf("gateway: service %q is registered twice", desc.ServiceName))
	}
	c.services[desc.ServiceName] = true
	for _, m := range desc.Methods {
		c.methods["/"+desc.ServiceName+"/"+m.MethodName] = unary{impl, m.Handler}
	}
	for _, s := range desc.Streams {
		c.streams["/"+desc.ServiceName+"/"+s.StreamName] = streaming{impl, s.Handler}
	}
}

// Invoke calls a unary method and returns when its handler has returned.
func (c *Conn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	m, ok := c.methods[method]
	if !ok {
		return unknown(method)
	}
	back := newReturnPath(method)
	ctx, cancel := serverContext(ctx, back)
	defer cancel()
	out, err := m.handle(m.impl, ctx, func(in any) error { return copyMessage(in, args) }, nil)
	applyOptions(back, opts)
	if err != nil {
		return errors.ToStatus(err).Err()
	}
	return copyMessage(reply, out)
}

// NewStream starts the handler of a streaming method. As with any connection,
// the caller cancels ctx or receives until an error.
func (c *Conn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	m, ok := c.streams[method]
	if !ok {
		return nil, unknown(method)
	}
	s := newStream(ctx, desc, method, opts)
	serverCtx, cancel := serverContext(ctx, s.back)
	s.serverCtx = serverCtx
	go func() {
		defer cancel()
		err := m.handle(m.impl, serverEnd{s})
		s.finish(errors.ToStatus(err).Err())
	}()
	return clientEnd{s}, nil
}

// serverContext is the context that a handler gets.
func serverContext(ctx context.Context, back *returnPath) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	sent, _ := metadata.FromOutgoingContext(ctx) // a copy
	ctx = metadata.NewIncomingContext(ctx, sent)
	// Without this the handler's own calls would carry the caller's metadata,
	// its authorization among it.
	ctx = metadata.NewOutgoingContext(ctx, metadata.MD{})
	if _, ok := peer.FromContext(ctx); !ok {
		ctx = peer.NewContext(ctx, &peer.Peer{Addr: inProcess{}, LocalAddr: inProcess{}})
	}
	ctx = grpc.NewContextWithServerTransportStream(ctx, back)
	return ctx, cancel
}

// inProcess is the address of a service, and of a caller that did not come by
// HTTP.
type inProcess struct{}

func (inProcess) Network() string { return "inprocess" }
func (inProcess) String() string  { return "inprocess" }

func applyOptions(back *returnPath, opts []grpc.CallOption) {
	for _, opt := range opts {
		switch o := opt.(type) {
		case grpc.HeaderCallOption:
			*o.HeaderAddr = back.headers()
		case grpc.TrailerCallOption:
			*o.TrailerAddr = back.trailers()
		case grpc.PeerCallOption:
			*o.PeerAddr = peer.Peer{Addr: inProcess{}, LocalAddr: inProcess{}}
		}
	}
}

// copyMessage makes dst a deep copy of src.
func copyMessage(dst, src any) error {
	to, ok := dst.(proto.Message)
	from, ok2 := src.(proto.Message)
	if !ok || !ok2 || to.ProtoReflect().Descriptor() != from.ProtoReflect().Descriptor() {
		return status.Errorf(codes.Internal, "message %T given where %T is expected", src, dst)
	}
	proto.Reset(to)
	proto.Merge(to, from)
	return nil
}

func unknown(method string) error {
	return status.Errorf(codes.Unimplemented, "unknown method %q", method)
}
