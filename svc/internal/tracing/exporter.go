package tracing

import (
	"context"
	"log/slog"
	"sync/atomic"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// newExporter returns where spans go, or nil when they go nowhere.
func newExporter(ctx context.Context, o Options, env environment) (sdktrace.SpanExporter, error) {
	exporter := o.Exporter
	if exporter == nil {
		if !env.export {
			return nil, nil
		}
		client, err := newOTLPClient()
		if err != nil {
			return nil, err
		}
		if exporter, err = otlptrace.New(ctx, client); err != nil {
			return nil, err
		}
	}
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &loggingExporter{SpanExporter: exporter, log: log}, nil
}

// loggingExporter reports failed exports. The SDK would hand them to its global
// error handler, which prints to standard error, past the log, once per batch.
type loggingExporter struct {
	sdktrace.SpanExporter
	log    *slog.Logger
	failed atomic.Bool // the last export failed: it has been logged
}

// ExportSpans exports and logs only when exporting stops or resumes working: a
// collector that is down for an hour is two lines, not hundreds.
func (e *loggingExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	switch failed := err != nil; {
	case failed && !e.failed.Swap(true):
		e.log.WarnContext(ctx, "spans are lost: the trace collector does not take them", slog.Any("error", err))
	case !failed && e.failed.Swap(false):
		e.log.InfoContext(ctx, "the trace collector takes spans again")
	}
	return nil
}
