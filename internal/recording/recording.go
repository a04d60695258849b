// Package recording hands what a test records to the service that it runs. It
// travels in the context of svc.Run, so that the runtime exports nothing for it.
package recording

import (
	"context"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

type spansKey struct{}

// WithSpans returns a context in which svc.Run gives its spans to p, too, each at
// its start and at its end.
func WithSpans(ctx context.Context, p sdktrace.SpanProcessor) context.Context {
	return context.WithValue(ctx, spansKey{}, p)
}

// Spans returns the processor of WithSpans, nil if there is none.
func Spans(ctx context.Context) sdktrace.SpanProcessor {
	p, _ := ctx.Value(spansKey{}).(sdktrace.SpanProcessor)
	return p
}
