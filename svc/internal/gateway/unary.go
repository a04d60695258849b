package gateway

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/protosvc/protosvc/svc/errors"
)

// serve answers with the response of the handler.
func (u unary) serve(ctx context.Context, c *call) error {
	a := &answer{returnPath: returnPath{method: c.rpc, route: c.path}, call: c}
	c.back = &a.returnPath
	out, err := u.handle(u.impl, grpc.NewContextWithServerTransportStream(ctx, a), c.decode, nil)
	if err == nil && a.message != out {
		err = a.Answer(out) // the handler is not decorated
	}
	if err != nil {
		return err
	}
	c.send(a.contentType, a.data)
	return nil
}

// answer is the way back of a unary call.
type answer struct {
	returnPath
	*call

	message     any
	contentType string
	data        []byte
}

// Answer encodes a response. The decorated server calls it as part of the call, which
// fails if that does; and what the handler has returned, it may change afterwards.
func (a *answer) Answer(m any) error {
	message, err := messageOf(m)
	if err != nil {
		return err
	}
	a.contentType, a.data, err = a.plan.Response(message)
	if err != nil {
		return errors.Internal.New().WithCause(err)
	}
	a.message = m
	return nil
}

func messageOf(m any) (proto.Message, error) {
	message, ok := m.(proto.Message)
	if !ok {
		return nil, status.Errorf(codes.Internal, "%T is not a protobuf message", m)
	}
	return message, nil
}
