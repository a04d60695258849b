package server

import (
	"context"
	stderrors "errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/internal/rpccode"
	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/propagation"
)

// call is one call of a method, from begin to end. It is not generic, so that
// its code exists once for all methods.
type call struct {
	*method
	ctx    context.Context    // carries the span and the deadline
	cancel context.CancelFunc // nil: the deadline is the caller's, or there is none
	span   trace.Span
	start  time.Time
	// refused is why the handler is not called; nil: it is.
	refused error
	found   int // calls in progress at the start, where a limit wants to know
}

// begin starts a call that was admitted. Each begin is followed by one end and
// by one leave.
func (m *method) begin(ctx context.Context) call {
	m.live.Add(1)
	m.metrics.Start()
	c := call{method: m, start: time.Now(), found: m.found()}
	c.ctx, c.span = m.tracing.Start(ctx)
	c.ctx, c.refused = propagation.FromCaller(c.ctx, m.keys)
	if m.timeout > 0 {
		if _, limited := ctx.Deadline(); !limited {
			c.ctx, c.cancel = context.WithTimeout(c.ctx, m.timeout)
		}
	}
	return c
}

// end reports the outcome of a call everywhere and returns the error that goes
// on the wire.
func (c *call) end(err error) error {
	var outcome *status.Status // nil: OK
	if err != nil {
		outcome, err = c.outcome(err)
		sendPushback(c.ctx, outcome)
	}
	took := time.Since(c.start)
	if c.cancel != nil {
		c.cancel()
	}
	if code := outcome.Code(); code == codes.OK || code == codes.DeadlineExceeded {
		c.observe(c.found, took)
	}
	c.metrics.End(outcome.Code(), took, c.exemplar())
	switch {
	case err != nil:
		c.report(err, outcome, took)
	case c.log.Enabled(c.ctx, slog.LevelDebug):
		c.log.LogAttrs(c.ctx, slog.LevelDebug, "call", slog.String("code", codes.OK.String()), slog.Duration("took", took))
	}
	c.tracing.End(c.span, outcome)
	return outcome.Err()
}

// leave says that the handler has returned.
func (c *call) leave() {
	c.metrics.Left()
	c.admission.leave()
	c.live.Add(-1)
}

// outcome turns a handler's error into a status, by the contract of the method.
// When the context is done, an
// error without a status of its own is taken for its consequence: drivers
// report an interrupted query in their own words. An error whose methods panic,
// such as a nil pointer of an error type, counts as a panic of the handler.
func (c *call) outcome(err error) (outcome *status.Status, cause error) {
	defer func() {
		if v := recover(); v != nil {
			cause = c.recovered(v)
			outcome = c.answer(cause)
		}
	}()
	var own interface{ GRPCStatus() *status.Status }
	if c.ctx.Err() != nil && !stderrors.As(err, &own) {
		return c.answer(c.ctx.Err()), err
	}
	ending, declared := c.errors.Apply(err)
	if !declared {
		c.undeclared(err)
	}
	return c.answer(ending), ending
}

// exemplar returns the trace id for the latency histogram: only of traces that
// are recorded, since others cannot be looked up.
func (c *call) exemplar() string {
	if span := c.span.SpanContext(); span.IsSampled() {
		return span.TraceID().String()
	}
	return ""
}

// panicked is the cause of the error that a call whose handler panicked ends with.
type panicked struct{ value any }

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// recovered counts and logs a panic, and returns the error to end the call
// with. It must be called by the deferred function that recovered, where the
// stack still has the frames of the panic.
func (c *call) recovered(value any) error {
	cause := &panicked{value}
	c.metrics.Panicked()
	if suppressed, ok := c.failed.panics.Pass(); ok {
		c.log.LogAttrs(c.ctx, slog.LevelError, "handler panicked",
			append(suppressed, slog.Any("error", cause), slog.String("stack", string(debug.Stack())))...)
	}
	return errors.Internal.New().WithCause(cause)
}

// report logs an error, and tells the span if the server is at fault. A panic
// has been logged with its stack before.
func (c *call) report(err error, outcome *status.Status, took time.Duration) {
	level := levelOf(err, outcome.Code())
	if level == slog.LevelError && c.span.IsRecording() {
		c.span.RecordError(err)
	}
	if p := (*panicked)(nil); stderrors.As(err, &p) || !c.log.Enabled(c.ctx, level) {
		return
	}
	suppressed, ok := c.failed.pass(outcome.Code())
	if !ok {
		return
	}
	attrs := append([]slog.Attr{
		slog.String("code", outcome.Code().String()),
		slog.Duration("took", took),
		slog.Any("error", err),
	}, suppressed...)
	if typed := (*errors.Error)(nil); stderrors.As(err, &typed) && typed.Code != nil {
		attrs = append(attrs, slog.String("reason", typed.Code.Reason))
	}
	c.log.LogAttrs(c.ctx, level, "call failed", attrs...)
}

// levelOf says how much the end of a call matters to those who run the server.
// The caller's mistakes are information, and so are streams that end at a bound;
// that callers go away is ordinary.
func levelOf(err error, code codes.Code) slog.Level {
	if isStreamEnd(err) {
		return slog.LevelInfo
	}
	switch {
	case rpccode.IsServerFault(code):
		return slog.LevelError
	case code == codes.ResourceExhausted:
		return slog.LevelWarn
	case code == codes.Canceled:
		return slog.LevelDebug
	default:
		return slog.LevelInfo
	}
}

func isStreamEnd(err error) bool {
	typed, ok := stderrors.AsType[*errors.Error](err)
	return ok && typed.Code != nil && errors.StreamEnds().Find(typed.Code.Domain, typed.Code.Reason) != nil
}
