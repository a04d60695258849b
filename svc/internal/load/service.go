package load

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// ServiceName is the service by which servers report.
const ServiceName = "xds.service.orca.v3.OpenRcaService"

// Reports come at the interval that a client asks for, within bounds: a client
// cannot make the server busy by asking how busy it is.
const (
	defaultInterval = 10 * time.Second
	minInterval     = 100 * time.Millisecond
)

var streamDesc = grpc.StreamDesc{StreamName: "StreamCoreMetrics", ServerStreams: true, Handler: serve}

// Register adds the service to a server. The function takes a sample. Calling
// stop ends the streams of reports and refuses further ones, so that they do not
// hold up a server that stops gracefully.
func Register(s grpc.ServiceRegistrar, sample func() Sample) (stop func()) {
	r := &reporter{sample: sample, stopping: make(chan struct{})}
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: ServiceName,
		HandlerType: (*any)(nil),
		Streams:     []grpc.StreamDesc{streamDesc},
	}, r)
	return sync.OnceFunc(func() { close(r.stopping) })
}

type reporter struct {
	sample   func() Sample
	stopping chan struct{}
}

func serve(srv any, stream grpc.ServerStream) error {
	asked := new(emptypb.Empty)
	if err := stream.RecvMsg(asked); err != nil {
		return err
	}
	return srv.(*reporter).report(stream, intervalOf(asked))
}

// report sends a report on each interval that has passed.
func (r *reporter) report(stream grpc.ServerStream, interval time.Duration) error {
	if interval <= 0 {
		interval = defaultInterval
	}
	ticker := time.NewTicker(max(interval, minInterval))
	defer ticker.Stop()
	for last := r.sample(); ; {
		select {
		case <-stream.Context().Done():
			return status.FromContextError(stream.Context().Err()).Err()
		case <-r.stopping:
			return status.Error(codes.Unavailable, "the server is stopping")
		case <-ticker.C:
		}
		now := r.sample()
		if err := stream.SendMsg(now.Since(last).message()); err != nil {
			return err
		}
		last = now
	}
}

// Watch asks a server for a report at each interval and hands over what it
// gets, until the stream ends: with ctx, with the connection, or with
// Unimplemented on a server that does not report.
func Watch(ctx context.Context, cc grpc.ClientConnInterface, interval time.Duration, report func(Report)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := cc.NewStream(ctx, &streamDesc, "/"+ServiceName+"/"+streamDesc.StreamName)
	if err != nil {
		return err
	}
	if err := stream.SendMsg(request(interval)); err != nil {
		return stream.RecvMsg(new(emptypb.Empty)) // which knows why
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for {
		m := new(emptypb.Empty)
		if err := stream.RecvMsg(m); err != nil {
			return err
		}
		report(reportOf(m))
	}
}
