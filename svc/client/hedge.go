package client

import (
	"context"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/internal/defaults"
	"github.com/protosvc/protosvc/svc/internal/pushback"
	"github.com/protosvc/protosvc/svc/internal/rpcmetrics"
	"github.com/protosvc/protosvc/svc/internal/throttle"
	"github.com/protosvc/protosvc/svc/policy"
)

// attemptsKey is how gRPC clients tell servers of earlier attempts.
const attemptsKey = "grpc-previous-rpc-attempts"

// hedge makes the calls of one method, each with up to so many requests.
type hedge struct {
	policy.Hedge
	timeout time.Duration // of a call with all its requests; 0: none
	metrics *rpcmetrics.Hedges
	tokens  *throttle.Bucket // of all methods of the callee together
}

// hedged reports whether a call can be hedged. grpc-go writes the results of some
// options for each request, which would be several writers at once.
func hedged(reply any, opts []grpc.CallOption) bool {
	_, message := reply.(proto.Message)
	return message && !slices.ContainsFunc(opts, func(o grpc.CallOption) bool {
		switch o.(type) {
		case grpc.HeaderCallOption, grpc.TrailerCallOption, grpc.PeerCallOption, grpc.OnFinishCallOption:
			return true
		}
		return false
	})
}

// invoke sends the request, and sends it again each time the delay has passed or
// a request failed with one of the codes. The first answer wins; the other
// requests are cancelled, and have ended when invoke returns.
func (h *hedge) invoke(ctx context.Context, cc grpc.ClientConnInterface, name string, args, reply any, opts []grpc.CallOption) error {
	ctx, cancel := h.deadline(ctx)
	r := &hedgedCall{
		Context: ctx, hedge: h, span: trace.SpanFromContext(ctx), ended: make(chan int, h.Attempts),
		cc: cc, name: name, args: args, reply: reply.(proto.Message), opts: opts,
	}
	r.answer = r.reply.ProtoReflect().Type()
	winner := r.run()
	cancel()
	for ; r.pending > 0; r.pending-- {
		<-r.ended
	}
	if a := &r.attempts[winner]; a.err == nil && winner > 0 {
		proto.Reset(r.reply)
		proto.Merge(r.reply, a.reply)
	}
	return r.attempts[winner].err
}

func (h *hedge) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if h.timeout > 0 {
		return context.WithTimeout(ctx, h.timeout)
	}
	return context.WithCancel(ctx)
}

// hedgedCall is one call under way. It is the context of its requests, which knows
// where they went, so that a call has one object for everything.
type hedgedCall struct {
	context.Context
	*hedge
	tried triedBackends
	span  trace.Span

	cc       grpc.ClientConnInterface
	name     string
	args     any
	reply    proto.Message            // of the first request while that runs
	answer   protoreflect.MessageType // of reply, which the others may not look at
	opts     []grpc.CallOption
	attempts [maxAttempts]attempt // by number; 0 is the first
	ended    chan int             // numbers of attempts
	sent     int
	pending  int // sent and not ended
}

// maxAttempts is the most that a contract can ask for.
const maxAttempts = defaults.MaxHedgeAttempts

// attempt is one request and how it ended.
type attempt struct {
	reply   proto.Message
	trailer metadata.MD
	err     error
}

func (r *hedgedCall) Value(key any) any {
	if key == (triedKey{}) {
		return &r.tried
	}
	return r.Context.Value(key)
}

// send makes the request of that number. The first one decodes its answer to
// where the caller wants it.
func (r *hedgedCall) send(number int) {
	var ctx context.Context = r
	a := &r.attempts[number]
	a.reply = r.reply
	if number > 0 {
		a.reply = r.answer.New().Interface()
		ctx = metadata.AppendToOutgoingContext(ctx, attemptsKey, strconv.Itoa(number))
	}
	opts := append(slices.Clip(r.opts), grpc.Trailer(&a.trailer))
	a.err = r.cc.Invoke(ctx, r.name, r.args, a.reply, opts...)
	r.ended <- number
}

// run returns the number of the attempt that decides the call.
func (r *hedgedCall) run() (last int) {
	r.begin()
	timer := time.NewTimer(r.Delay)
	defer timer.Stop()
	due := timer.C // nil: there will be no further request
	for due != nil || r.pending > 0 {
		select {
		case <-r.Done():
			if r.pending == 0 {
				return last
			}
			last, due = <-r.ended, nil
			r.pending--
		case <-due:
			due = r.next(timer)
		case last = <-r.ended:
			r.pending--
			if !slices.Contains(r.Codes, status.Code(r.attempts[last].err)) {
				return r.decided(last)
			}
			due = r.failed(timer, r.attempts[last].trailer)
		}
	}
	return last
}

// begin sends a request.
func (r *hedgedCall) begin() {
	go r.send(r.sent)
	r.sent++
	r.pending++
}

// next sends a further request if one is left, and returns when the one after
// that is due.
func (r *hedgedCall) next(timer *time.Timer) <-chan time.Time {
	if r.sent == min(r.Attempts, maxAttempts) {
		return nil
	}
	if !r.tokens.Take() {
		r.metrics.Throttled()
		return nil
	}
	r.metrics.Sent()
	r.event("hedge sent", r.sent)
	r.begin()
	timer.Reset(r.Delay)
	return timer.C
}

// failed goes on after a request that failed: at once, or when the server wants
// it, or not at all if that is never, or after the deadline.
func (r *hedgedCall) failed(timer *time.Timer, trailer metadata.MD) <-chan time.Time {
	wait, wanted := pushback.Wait(trailer)
	deadline, limited := r.Deadline()
	switch {
	case !wanted, r.sent == min(r.Attempts, maxAttempts), limited && time.Until(deadline) <= wait:
		return nil
	case wait > 0:
		timer.Reset(wait)
		return timer.C
	}
	return r.next(timer)
}

// decided takes note of the answer.
func (r *hedgedCall) decided(number int) int {
	if r.attempts[number].err == nil {
		r.tokens.Give()
	}
	if number > 0 {
		r.metrics.Won()
		r.event("hedge won", number)
	}
	return number
}

func (r *hedgedCall) event(name string, number int) {
	if r.span.IsRecording() {
		r.span.AddEvent(name, trace.WithAttributes(attribute.Int("attempt", number+1)))
	}
}
