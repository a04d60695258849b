// Package server is what generated servers are made of: each method of a handler is
// bound to its policy at start, and called through what that gives. Nothing but
// generated code needs it.
//
// What surrounds a handler is in internal/server: metrics, a span, a deadline,
// validation, admission, recovery from panics, and errors as the contract has them.
package server

import (
	"context"

	"google.golang.org/grpc"

	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/policy"
)

// Binder binds methods to their policies. The runtime makes it.
type Binder = server.Binder

// The kinds of methods, bound.
type (
	Unary[Req, Resp any]        = server.Unary[Req, Resp]
	ServerStream[Req, Resp any] = server.ServerStream[Req, Resp]
	ClientStream[Req, Resp any] = server.ClientStream[Req, Resp]
	BidiStream[Req, Resp any]   = server.BidiStream[Req, Resp]
)

// BindUnary binds a unary method. A validate of nil accepts every request.
func BindUnary[Req, Resp any](b *Binder, m policy.Method, validate func(*Req) error, h func(context.Context, *Req) (*Resp, error)) *Unary[Req, Resp] {
	return server.BindUnary(b, m, validate, h)
}

// BindServerStream binds a method that answers with a stream. A validate of nil
// accepts every request.
func BindServerStream[Req, Resp any](b *Binder, m policy.Method, validate func(*Req) error, h func(*Req, grpc.ServerStreamingServer[Resp]) error) *ServerStream[Req, Resp] {
	return server.BindServerStream(b, m, validate, h)
}

// BindClientStream binds a method whose caller sends a stream. A validate of nil
// accepts every message.
func BindClientStream[Req, Resp any](b *Binder, m policy.Method, validate func(*Req) error, h func(grpc.ClientStreamingServer[Req, Resp]) error) *ClientStream[Req, Resp] {
	return server.BindClientStream(b, m, validate, h)
}

// BindBidiStream binds a method with streams both ways. A validate of nil accepts
// every message.
func BindBidiStream[Req, Resp any](b *Binder, m policy.Method, validate func(*Req) error, h func(grpc.BidiStreamingServer[Req, Resp]) error) *BidiStream[Req, Resp] {
	return server.BindBidiStream(b, m, validate, h)
}
