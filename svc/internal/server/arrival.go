package server

import (
	"context"
	"maps"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	"github.com/protosvc/protosvc/svc/errors"
)

const (
	// maxUnknown is how long the name of a method may be that does not exist.
	// grpc-go repeats a longer one in its answer if it is malformed.
	maxUnknown = 256

	// conversation is how long a stream of several requests may last that no policy
	// bounds, such as one of reflection.
	conversation = 2 * time.Minute
)

// arrival is how calls of one method come in.
type arrival struct {
	timeout time.Duration // of the whole call; 0: none
	single  bool          // the client sends one message
	endable bool          // a stream that may be ended for another one
}

// expect notes how calls of the service's methods come in. A conversation is how long
// the streams of a service without policies may last; 0: it has policies.
func (b *Binder) expect(desc *grpc.ServiceDesc, conversation time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	timeouts := map[string]time.Duration{}
	for _, m := range b.methods {
		timeouts[m.name] = m.timeout
	}
	arrivals := maps.Clone(*b.arrivals.Load())
	note := func(method string, single, endable bool) {
		name := "/" + desc.ServiceName + "/" + method
		a := arrival{timeout: timeouts[name], single: single, endable: endable}
		if !single && a.timeout == 0 {
			a.timeout = conversation
		}
		arrivals[name] = a
	}
	for _, m := range desc.Methods {
		note(m.MethodName, true, false)
	}
	for _, m := range desc.Streams {
		note(m.StreamName, !m.ClientStreams, conversation > 0)
	}
	b.arrivals.Store(&arrivals)
}

// enter is what every call passes when its headers are here, before anything else
// is done for it. It runs while the connection waits, so it must not block; what
// it refuses costs no goroutine.
func (b *Binder) enter(receive time.Duration) tap.ServerInHandle {
	return func(ctx context.Context, call *tap.Info) (context.Context, error) {
		a, known := (*b.arrivals.Load())[call.FullMethodName]
		if !known {
			return ctx, b.refuseLong(call.FullMethodName)
		}
		if a.endable {
			ctx = endable(ctx)
		}
		return a.within(ctx, receive), nil
	}
}

// refuseLong refuses the name of an unknown method that is too long to repeat.
func (b *Binder) refuseLong(name string) error {
	if len(name) <= maxUnknown {
		return nil
	}
	b.metrics.UnknownMethod()
	return noSuchMethod(name)
}

// within bounds the time of a call, which begins with its headers: a caller that
// never ends its message would otherwise hold what it has sent. The deadline of a
// method is that of the call. A caller's own deadline bounds the call, but where
// it is later than the method's, or the method has none, the one message must have
// arrived sooner.
func (a arrival) within(ctx context.Context, receive time.Duration) context.Context {
	deadline, limited := ctx.Deadline()
	if !limited && a.timeout > 0 {
		ctx, cancel := context.WithTimeout(ctx, a.timeout)
		_ = cancel // grpc-go cancels the parent when the call is over
		return ctx
	}
	if a.timeout > 0 {
		receive = a.timeout
	}
	if !a.single || limited && time.Until(deadline) <= receive {
		return ctx
	}
	ctx, cancel := context.WithCancelCause(ctx)
	return &receiving{ctx, time.AfterFunc(receive, func() { cancel(context.DeadlineExceeded) })}
}

// receiving is the context of a call whose message must arrive before its timer
// fires. What waits for the message fails then as it does at a deadline, though
// the call has none, or a later one.
type receiving struct {
	context.Context
	timer *time.Timer
}

// receivingKey is the key under which a receiving has itself.
type receivingKey struct{}

func (r *receiving) Value(key any) any {
	if key == (receivingKey{}) {
		return r
	}
	return r.Context.Value(key)
}

// Err returns DeadlineExceeded when the message is late.
func (r *receiving) Err() error {
	if r.Context.Err() == nil {
		return nil
	}
	return context.Cause(r.Context)
}

// arrived stops the timer when the first message was read, with err. It returns
// DeadlineExceeded for one that was late, also if it came at the last moment.
func (d *decoder) arrived(ctx context.Context, err error) error {
	r, limited := ctx.Value(receivingKey{}).(*receiving)
	late := limited && !r.timer.Stop()
	if !late && status.Code(err) != codes.DeadlineExceeded {
		return err
	}
	if d != nil {
		d.note(ctx, "message did not arrive in time", err)
	}
	return errors.DeadlineExceeded.GRPCStatus().Err()
}
