// Package fake has what generated fakes of services have in common: for each kind of
// RPC, what is called and what answers. It knows nothing of tests, so that it adds
// nothing to what imports it.
package fake

import (
	"context"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// Unary is a method without streams. Its zero value works, as those of the other kinds do.
type Unary[Req, Res any] struct{ requests[Req] }

// Call records the request and returns the answer. The name of the method is for the
// error where nothing answers.
func (u *Unary[Req, Res]) Call(ctx context.Context, req *Req, answer func(context.Context, *Req) (*Res, error), name string) (*Res, error) {
	u.add(req)
	if answer == nil {
		return nil, noAnswer(name)
	}
	return answer(ctx, req)
}

// ServerStream is a method that answers with a stream.
type ServerStream[Req, Res any] struct{ requests[Req] }

// Call records the request and has it answered.
func (s *ServerStream[Req, Res]) Call(req *Req, stream grpc.ServerStreamingServer[Res], answer func(*Req, grpc.ServerStreamingServer[Res]) error, name string) error {
	s.add(req)
	if answer == nil {
		return noAnswer(name)
	}
	return answer(req, stream)
}

// ClientStream is a method that receives a stream.
type ClientStream[Req, Res any] struct{ streams[Req] }

// Call has the stream answered and records what is received from it.
func (c *ClientStream[Req, Res]) Call(stream grpc.ClientStreamingServer[Req, Res], answer func(grpc.ClientStreamingServer[Req, Res]) error, name string) error {
	record := c.begin()
	if answer == nil {
		return noAnswer(name)
	}
	return answer(clientStream[Req, Res]{stream, record})
}

type clientStream[Req, Res any] struct {
	grpc.ClientStreamingServer[Req, Res]
	record func(*Req)
}

func (c clientStream[Req, Res]) Recv() (*Req, error) {
	return recorded(c.record, c.ClientStreamingServer.Recv)
}

// BidiStream is a method with streams both ways.
type BidiStream[Req, Res any] struct{ streams[Req] }

// Call has the stream answered and records what is received from it.
func (b *BidiStream[Req, Res]) Call(stream grpc.BidiStreamingServer[Req, Res], answer func(grpc.BidiStreamingServer[Req, Res]) error, name string) error {
	record := b.begin()
	if answer == nil {
		return noAnswer(name)
	}
	return answer(bidiStream[Req, Res]{stream, record})
}

type bidiStream[Req, Res any] struct {
	grpc.BidiStreamingServer[Req, Res]
	record func(*Req)
}

func (b bidiStream[Req, Res]) Recv() (*Req, error) {
	return recorded(b.record, b.BidiStreamingServer.Recv)
}

// recorded receives a message and records it.
func recorded[Req any](record func(*Req), receive func() (*Req, error)) (*Req, error) {
	req, err := receive()
	if err == nil {
		record(req)
	}
	return req, err
}

// noAnswer is the error of a method that a test calls by mistake, or has not told what
// to answer.
func noAnswer(name string) error {
	return status.Errorf(codes.Unimplemented, "%s is called, and has no answer", name)
}

// requests are those of a method that gets one for each call.
type requests[Req any] struct {
	mu  sync.Mutex
	all []*Req
}

func (r *requests[Req]) add(req *Req) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, clone(req))
}

// Calls returns the requests so far, in order: copies of what came.
func (r *requests[Req]) Calls() []*Req {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

// streams are the calls of a method that gets any number of requests for each.
type streams[Req any] struct {
	mu  sync.Mutex
	all [][]*Req
}

// begin is a call. It returns what records its requests.
func (s *streams[Req]) begin() (record func(*Req)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	call := len(s.all)
	s.all = append(s.all, nil)
	return func(req *Req) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all[call] = append(s.all[call], clone(req))
	}
}

// Calls returns the calls so far, in order: for each, copies of what it has received.
func (s *streams[Req]) Calls() [][]*Req {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := make([][]*Req, len(s.all))
	for i, received := range s.all {
		calls[i] = slices.Clone(received)
	}
	return calls
}

// clone copies a message, since whoever answers may change his.
func clone[Req any](req *Req) *Req {
	return any(proto.Clone(any(req).(proto.Message))).(*Req)
}
