package server

import (
	stderrors "errors"
	"log/slog"
	"strings"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/carried"
)

// answer makes the status that goes on the wire, with the id of the trace, with
// what travels with the call, and in the caller's language.
func (c *call) answer(err error) *status.Status {
	a := errors.Answer{
		Languages: strings.Join(metadata.ValueFromIncomingContext(c.ctx, "accept-language"), ","),
		Metadata:  carried.Pairs(c.ctx),
	}
	if span := c.span.SpanContext(); span.HasTraceID() {
		a.RequestID = span.TraceID().String()
	}
	return a.Status(err)
}

// undeclared counts and logs an error that breaks the contract. What becomes of
// the call is reported as for any other.
func (c *call) undeclared(err error) {
	c.metrics.Undeclared()
	attrs, ok := c.failed.undeclared.Pass()
	if !ok {
		return
	}
	attrs = append(attrs,
		slog.String("code", errors.ToStatus(err).Code().String()),
		slog.Bool("strict", c.errors.Strict),
		slog.Any("error", err),
	)
	if typed := (*errors.Error)(nil); stderrors.As(err, &typed) && typed.Code != nil {
		attrs = append(attrs, slog.String("reason", typed.Code.Reason))
	}
	c.log.LogAttrs(c.ctx, slog.LevelWarn, "error is not declared", attrs...)
}
