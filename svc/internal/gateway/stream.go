package gateway

import (
	"context"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// window is how many messages one end may send before the other receives. It
// takes the place of the flow control window of a connection.
const window = 16

// stream is what the two ends of a streaming call share.
type stream struct {
	desc      *grpc.StreamDesc
	opts      []grpc.CallOption
	back      *returnPath
	clientCtx context.Context
	serverCtx context.Context // done also when the handler has returned

	requests  chan proto.Message // closed by the client's CloseSend
	closed    bool               // requests is closed; used by the sending goroutine only
	responses chan proto.Message // never closed: the handler may send late
	done      chan struct{}      // closed when the handler has returned
	err       error              // what it returned; read after done
}

func newStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts []grpc.CallOption) *stream {
	return &stream{
		desc:      desc,
		opts:      opts,
		back:      newReturnPath(method),
		clientCtx: ctx,
		requests:  make(chan proto.Message, window),
		responses: make(chan proto.Message, window),
		done:      make(chan struct{}),
	}
}

func (s *stream) finish(err error) {
	s.err = err
	close(s.done)
}

// clone copies a message for the other end, as the sender may reuse its own.
func clone(m any) (proto.Message, error) {
	p, ok := m.(proto.Message)
	if !ok {
		return nil, status.Errorf(codes.Internal, "%T is not a protobuf message", m)
	}
	return proto.Clone(p), nil
}

// serverEnd is the stream as the handler sees it.
type serverEnd struct{ *stream }

var _ grpc.ServerStream = serverEnd{}

func (s serverEnd) Context() context.Context        { return s.serverCtx }
func (s serverEnd) SetHeader(md metadata.MD) error  { return s.back.SetHeader(md) }
func (s serverEnd) SendHeader(md metadata.MD) error { return s.back.SendHeader(md) }
func (s serverEnd) SetTrailer(md metadata.MD)       { _ = s.back.SetTrailer(md) } // returns nil always

func (s serverEnd) SendMsg(m any) error {
	if err := s.serverCtx.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	message, err := clone(m)
	if err != nil {
		return err
	}
	s.back.flush()
	select {
	case s.responses <- message:
		return nil
	case <-s.serverCtx.Done():
		return status.FromContextError(s.serverCtx.Err()).Err()
	}
}

func (s serverEnd) RecvMsg(m any) error {
	select {
	case message, ok := <-s.requests:
		if !ok {
			return io.EOF
		}
		return copyMessage(m, message)
	case <-s.serverCtx.Done():
		return status.FromContextError(s.serverCtx.Err()).Err()
	}
}

// clientEnd is the stream as the caller sees it.
type clientEnd struct{ *stream }

var _ grpc.ClientStream = clientEnd{}

func (s clientEnd) Context() context.Context { return s.clientCtx }
func (s clientEnd) Trailer() metadata.MD     { return s.back.trailers() }

// Header waits for the header. A stream that ended with an error before it sent
// anything returns that error here, not only from RecvMsg: so the HTTP response
// of a server stream that fails at once has the HTTP status of the error.
func (s clientEnd) Header() (metadata.MD, error) {
	select {
	case <-s.back.sent:
	case <-s.done:
	case <-s.clientCtx.Done():
		return nil, status.FromContextError(s.clientCtx.Err()).Err()
	}
	select {
	case <-s.back.sent:
		return s.back.headers(), nil
	default:
		return s.back.headers(), s.err
	}
}

func (s clientEnd) CloseSend() error {
	if !s.closed {
		s.closed = true
		close(s.requests)
	}
	return nil
}

// SendMsg returns io.EOF when the call is over; RecvMsg then has its status. To
// callers that send only one message it returns nil instead, as grpc-go does:
// generated code would take io.EOF for the outcome.
func (s clientEnd) SendMsg(m any) error {
	if s.closed {
		return status.Error(codes.Internal, "SendMsg called after CloseSend")
	}
	message, err := clone(m)
	if err != nil {
		return err
	}
	select {
	case s.requests <- message:
		return nil
	case <-s.done:
	case <-s.serverCtx.Done():
	}
	if !s.desc.ClientStreams {
		return nil
	}
	return io.EOF
}

// RecvMsg returns the messages that were sent before the call ended, then its
// status: io.EOF for OK. Where the contract has one response, it awaits the
// status with it.
func (s clientEnd) RecvMsg(m any) error {
	message, err := s.receive()
	if !s.desc.ServerStreams {
		err = s.awaitStatus(err)
	}
	if err != nil || !s.desc.ServerStreams {
		applyOptions(s.back, s.opts)
	}
	if err != nil {
		return err
	}
	return copyMessage(m, message)
}

func (s clientEnd) awaitStatus(err error) error {
	if err == io.EOF {
		return status.Error(codes.Internal, "the call ended without a response")
	}
	if err != nil {
		return err
	}
	switch _, end := s.receive(); end {
	case io.EOF:
		return nil
	case nil:
		return status.Error(codes.Internal, "the call has more than one response")
	default:
		return end
	}
}

func (s clientEnd) receive() (proto.Message, error) {
	select {
	case message := <-s.responses:
		return message, nil
	case <-s.clientCtx.Done():
		return nil, status.FromContextError(s.clientCtx.Err()).Err()
	case <-s.done:
	}
	select {
	case message := <-s.responses:
		return message, nil
	default:
	}
	if s.err != nil {
		return nil, s.err
	}
	return nil, io.EOF
}
