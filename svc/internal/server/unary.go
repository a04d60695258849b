package server

import (
	"context"

	"google.golang.org/grpc"

	"github.com/protosvc/protosvc/svc/internal/rpcmetrics"
	"github.com/protosvc/protosvc/svc/policy"
)

// Unary is a bound method with one request and one response.
type Unary[Req, Resp any] struct {
	method   *method
	validate func(*Req) error
	handler  func(context.Context, *Req) (*Resp, error)
}

// BindUnary binds a unary method to its policy. A validate of nil accepts every
// request.
func BindUnary[Req, Resp any](b *Binder, m policy.Method, validate func(*Req) error, h func(context.Context, *Req) (*Resp, error)) *Unary[Req, Resp] {
	return &Unary[Req, Resp]{b.bind(m, rpcmetrics.Unary), validate, h}
}

// Call calls the handler with a valid request, inside everything that the
// package promises. Its error is a gRPC status error.
func (u *Unary[Req, Resp]) Call(ctx context.Context, req *Req) (resp *Resp, err error) {
	if err := u.method.admit(ctx); err != nil {
		return nil, err
	}
	c := u.method.begin(ctx)
	defer func() {
		if v := recover(); v != nil {
			err = c.recovered(v)
		}
		if err = c.end(err); err == nil {
			c.metrics.Sent()
		}
		c.leave()
	}()
	c.metrics.Received()
	if c.refused != nil {
		return nil, c.refused
	}
	if u.validate != nil {
		if err := u.validate(req); err != nil {
			return nil, err
		}
	}
	if resp, err = u.handler(c.ctx, req); err != nil {
		return nil, err
	}
	return resp, u.method.encode(ctx, resp)
}

// transport is the way back of a call whose response is encoded as a part of the call.
// That of gRPC encodes it later, when the outcome has been told.
type transport interface {
	grpc.ServerTransportStream
	Answer(message any) error
}

// encode gives a response to the transport. A handler may call other methods with its
// context, whose responses are not the transport's.
func (m *method) encode(ctx context.Context, resp any) error {
	if t, ok := grpc.ServerTransportStreamFromContext(ctx).(transport); ok && t.Method() == m.name {
		return t.Answer(resp)
	}
	return nil
}
