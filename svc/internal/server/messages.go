package server

import (
	"context"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/protosvc/protosvc/svc/errors"
)

// messages is the stream that a handler sees: it counts and validates messages,
// and keeps what the sweeper needs to know about them.
type messages struct {
	grpc.ServerStream
	*method
	ctx      context.Context
	validate func(any) error // nil: every message is valid

	// result has room for what the handler returns and for one reason to end the
	// stream: only the first of them is read.
	result chan error

	opened time.Duration
	// Messages received, and those whose sending has begun and is done.
	received, begun, done atomic.Uint64

	// What follows belongs to the sweeper, under its lock.
	index int
	over  bool
	// How many messages there were, and which one was being sent, when the
	// sweeper first saw it so.
	seen, sending     uint64
	seenAt, sendingAt time.Duration
}

func newMessages(c *call, stream grpc.ServerStream, validate func(any) error) *messages {
	now := now()
	return &messages{
		ServerStream: stream, method: c.method, ctx: c.ctx, validate: validate,
		result: make(chan error, 2), opened: now, seenAt: now,
	}
}

// Context returns the context of the call, with its span and its deadline.
func (s *messages) Context() context.Context { return s.ctx }

// RecvMsg receives a message, or returns the error of an invalid one. A message
// too many ends the stream.
func (s *messages) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	s.metrics.Received()
	if n := s.received.Add(1); s.bounds.MaxMessages > 0 && n > s.bounds.MaxMessages {
		s.sweeper.finish(s, errors.TooManyMessages)
		return errors.TooManyMessages.New()
	}
	if s.validate == nil {
		return nil
	}
	return s.validate(m)
}

// SendMsg sends a message.
func (s *messages) SendMsg(m any) error {
	s.begun.Add(1)
	defer s.done.Add(1)
	if err := s.ServerStream.SendMsg(m); err != nil {
		return err
	}
	s.metrics.Sent()
	return nil
}

// atBound returns why the stream must end now; nil if it need not. A time counts
// from the pass of the sweeper that saw its begin, so that messages need no clock.
func (s *messages) atBound(now, stopAt time.Duration) *errors.Code {
	is := func(bound, since time.Duration) bool { return bound > 0 && now-since >= bound }
	done := s.done.Load() // before begun: one that ends in between does not look as if it waited
	begun := s.begun.Load()
	if n := s.received.Load() + begun + done; n != s.seen {
		s.seen, s.seenAt = n, now
	}
	if begun == done || begun != s.sending {
		s.sending, s.sendingAt = begun, now
	}
	switch {
	case stopAt > 0 && now >= stopAt:
		return errors.Stopping
	case is(s.bounds.MaxAge, s.opened):
		return errors.StreamMaxAge
	case begun != done && is(s.bounds.SendTimeout, s.sendingAt):
		return errors.SlowConsumer
	case begun == done && is(s.bounds.IdleTimeout, s.seenAt):
		return errors.IdleTimeout
	}
	return nil
}

// finish ends the stream with a reason, once. It needs the lock of the sweeper.
func (s *messages) finish(reason *errors.Code) {
	if s.over {
		return
	}
	s.over = true
	s.streams.Ended(reason.Reason)
	s.result <- reason.New()
}
