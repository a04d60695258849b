// Package logging makes the logger of a service: one JSON object per line, with
// the ids of the trace that the line was written in and the metadata that travel
// with its call. A [Writer] keeps whoever reads the lines, or does not, away from
// the service.
package logging

import (
	"context"
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/trace"

	"github.com/protosvc/protosvc/svc/internal/carried"
)

// Keys of the ids in a line. Log stores and dashboards join on them.
const (
	TraceIDKey = "trace_id"
	SpanIDKey  = "span_id"
)

// MetadataKey is the group of what travels with a call; see package propagate.
const MetadataKey = "metadata"

// Options of a logger. The zero value logs from slog.LevelInfo on.
type Options struct {
	// Level is the lowest level that is written; nil means slog.LevelInfo. With
	// a *slog.LevelVar it can be changed at run time.
	Level slog.Leveler

	// Service, Version, System and Team are on every line; empty ones are left out.
	Service, Version, System, Team string
}

// New returns a logger that writes to w. Lines written with a context (InfoContext
// and its sisters) carry trace_id and span_id of the context's span and the
// group metadata of its call, at the top level whatever groups are open.
// Durations are text, "1.5ms".
//
// Lines are bounded. A value of more than 4 KiB is cut and ends with its length,
// "… (15000 bytes)"; one that is not text becomes the text of its JSON first. What
// a line of more than 16 KiB has no room for is left out, and "truncated":true
// stands at its end.
func New(w io.Writer, o Options) *slog.Logger {
	var h slog.Handler = slog.NewJSONHandler(bounded{w}, &slog.HandlerOptions{Level: o.Level, ReplaceAttr: replace})
	var attrs []slog.Attr
	for _, a := range []slog.Attr{
		slog.String("service", o.Service), slog.String("version", o.Version),
		slog.String("system", o.System), slog.String("team", o.Team),
	} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	return slog.New(handler{h.WithAttrs(attrs), nil})
}

// handler adds the ids. A JSON handler puts everything that comes after
// WithGroup inside the group, so the open groups are kept aside and opened only
// when a line is written, after the ids.
type handler struct {
	slog.Handler        // without open groups
	groups       []step // from the first group on
}

// step is one WithGroup or one WithAttrs below a group.
type step func(slog.Handler) slog.Handler

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	ids := idsOf(ctx)
	if len(ids) == 0 {
		return h.opened(h.Handler).Handle(ctx, r)
	}
	if len(h.groups) > 0 {
		return h.opened(h.Handler.WithAttrs(ids)).Handle(ctx, r)
	}
	r = r.Clone()
	r.AddAttrs(ids...)
	return h.Handler.Handle(ctx, r)
}

// idsOf are what a line gets from its context: the ids of the span, and what
// travels with the call. The latter are in a group, since a contract may name
// them like anything else in a line.
func idsOf(ctx context.Context) []slog.Attr {
	var ids []slog.Attr
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		ids = append(ids, slog.String(TraceIDKey, span.TraceID().String()), slog.String(SpanIDKey, span.SpanID().String()))
	}
	if pairs := carried.Pairs(ctx); len(pairs) > 0 {
		var travels []any
		for ; len(pairs) > 1; pairs = pairs[2:] {
			travels = append(travels, slog.String(pairs[0], pairs[1]))
		}
		ids = append(ids, slog.Group(MetadataKey, travels...))
	}
	return ids
}

func (h handler) opened(inner slog.Handler) slog.Handler {
	for _, step := range h.groups {
		inner = step(inner)
	}
	return inner
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(h.groups) == 0 {
		return handler{h.Handler.WithAttrs(attrs), nil}
	}
	return h.with(func(inner slog.Handler) slog.Handler { return inner.WithAttrs(attrs) })
}

func (h handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.with(func(inner slog.Handler) slog.Handler { return inner.WithGroup(name) })
}

func (h handler) with(s step) slog.Handler {
	return handler{h.Handler, append(h.groups[:len(h.groups):len(h.groups)], s)}
}
