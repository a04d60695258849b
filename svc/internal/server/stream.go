package server

import (
	stderrors "errors"

	"google.golang.org/grpc"

	"github.com/protosvc/protosvc/svc/internal/rpcmetrics"
	"github.com/protosvc/protosvc/svc/policy"
)

// ServerStream is a bound method with one request and many responses.
type ServerStream[Req, Resp any] struct {
	method   *method
	validate func(*Req) error
	handler  func(*Req, grpc.ServerStreamingServer[Resp]) error
}

// BindServerStream binds a server-streaming method to its policy. A validate of
// nil accepts every request.
func BindServerStream[Req, Resp any](b *Binder, m policy.Method, validate func(*Req) error, h func(*Req, grpc.ServerStreamingServer[Resp]) error) *ServerStream[Req, Resp] {
	return &ServerStream[Req, Resp]{b.bind(m, rpcmetrics.ServerStream), validate, h}
}

// Call calls the handler with a valid request, inside everything that the
// package promises. It returns when the handler has returned or the stream's
// context is done, whichever comes first. Its error is a gRPC status error.
func (s *ServerStream[Req, Resp]) Call(req *Req, stream grpc.ServerStreamingServer[Resp]) error {
	return s.method.serve(stream, nil, func(m *messages) error {
		s.method.metrics.Received()
		if s.validate != nil {
			if err := s.validate(req); err != nil {
				return err
			}
		}
		return s.handler(req, &grpc.GenericServerStream[Req, Resp]{ServerStream: m})
	})
}

// ClientStream is a bound method with many requests and one response.
type ClientStream[Req, Resp any] struct {
	method   *method
	validate func(any) error
	handler  func(grpc.ClientStreamingServer[Req, Resp]) error
}

// BindClientStream binds a client-streaming method to its policy. A validate of
// nil accepts every message; otherwise Recv returns the error of an invalid
// message in its place, and the handler may end the call with it or go on.
func BindClientStream[Req, Resp any](b *Binder, m policy.Method, validate func(*Req) error, h func(grpc.ClientStreamingServer[Req, Resp]) error) *ClientStream[Req, Resp] {
	return &ClientStream[Req, Resp]{b.bind(m, rpcmetrics.ClientStream), untyped(validate), h}
}

// Call calls the handler, inside everything that the package promises. It
// returns when the handler has returned or the stream's context is done,
// whichever comes first. Its error is a gRPC status error.
func (s *ClientStream[Req, Resp]) Call(stream grpc.ClientStreamingServer[Req, Resp]) error {
	return s.method.serve(stream, s.validate, func(m *messages) error {
		return s.handler(&grpc.GenericServerStream[Req, Resp]{ServerStream: m})
	})
}

// BidiStream is a bound method with many requests and many responses.
type BidiStream[Req, Resp any] struct {
	method   *method
	validate func(any) error
	handler  func(grpc.BidiStreamingServer[Req, Resp]) error
}

// BindBidiStream binds a method that streams both ways to its policy. A
// validate of nil accepts every message; otherwise Recv returns the error of an
// invalid message in its place, and the handler may end the call with it or go on.
func BindBidiStream[Req, Resp any](b *Binder, m policy.Method, validate func(*Req) error, h func(grpc.BidiStreamingServer[Req, Resp]) error) *BidiStream[Req, Resp] {
	return &BidiStream[Req, Resp]{b.bind(m, rpcmetrics.BidiStream), untyped(validate), h}
}

// Call calls the handler, inside everything that the package promises. It
// returns when the handler has returned or the stream's context is done,
// whichever comes first. Its error is a gRPC status error.
func (s *BidiStream[Req, Resp]) Call(stream grpc.BidiStreamingServer[Req, Resp]) error {
	return s.method.serve(stream, s.validate, func(m *messages) error {
		return s.handler(&grpc.GenericServerStream[Req, Resp]{ServerStream: m})
	})
}

// untyped returns validate as a function of any message, for RecvMsg.
func untyped[Req any](validate func(*Req) error) func(any) error {
	if validate == nil {
		return nil
	}
	return func(m any) error { return validate(m.(*Req)) }
}

// errExited is the error of a handler that ended its goroutine instead of returning.
var errExited = stderrors.New("handler called runtime.Goexit")

// serve runs a stream's handler in a goroutine of its own. Cancelling a context
// does not wake a handler that waits in Recv or Send, nor one that does not
// look; returning to grpc-go ends the stream for the caller, and wakes the
// former.
func (m *method) serve(stream grpc.ServerStream, validate func(any) error, run func(*messages) error) error {
	if err := m.admit(stream.Context()); err != nil {
		return err
	}
	c := m.begin(stream.Context())
	if c.refused != nil {
		defer c.leave()
		return c.end(c.refused)
	}
	s := newMessages(&c, stream, validate)
	m.sweeper.add(s)
	m.streams.Opened()
	defer func() {
		m.sweeper.remove(s)
		m.streams.Closed(now() - s.opened)
	}()
	go func() {
		err := errExited
		defer func() {
			if v := recover(); v != nil {
				err = c.recovered(v)
			}
			c.leave()
			s.result <- err
		}()
		err = run(s)
	}()
	select {
	case err := <-s.result:
		return c.end(err)
	case <-c.ctx.Done():
		return c.end(c.ctx.Err())
	}
}
