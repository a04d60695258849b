package logging_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/protosvc/protosvc/svc/internal/logging"
	"github.com/protosvc/protosvc/svc/propagate"
)

// traced is a context inside a span.
func traced() context.Context {
	return trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{0xab, 15: 1},
		SpanID:  trace.SpanID{0xcd, 7: 2},
	}))
}

const ids = `,"trace_id":"ab000000000000000000000000000001","span_id":"cd00000000000002"`

// travelling is the context of a call that has no trace.
func travelling(ctx context.Context) context.Context {
	return propagate.NewContext(ctx, "x-tenant-id", "acme", "msg", "mine")
}

const travels = `,"metadata":{"x-tenant-id":"acme","msg":"mine"}`

func TestLines(t *testing.T) {
	options := logging.Options{Service: "order", Version: "1.2", System: "shop", Team: "commerce"}
	const start = `{"level":"INFO","msg":"m","service":"order","version":"1.2","system":"shop","team":"commerce"`
	for name, c := range map[string]struct {
		write func(l *slog.Logger)
		want  string
	}{
		"plain":          {func(l *slog.Logger) { l.Info("m", "a", 1) }, `,"a":1}`},
		"in a span":      {func(l *slog.Logger) { l.InfoContext(traced(), "m", "a", 1) }, `,"a":1` + ids + `}`},
		"no span":        {func(l *slog.Logger) { l.InfoContext(context.Background(), "m") }, `}`},
		"with":           {func(l *slog.Logger) { l.With("a", 1).InfoContext(traced(), "m", "b", 2) }, `,"a":1,"b":2` + ids + `}`},
		"group":          {func(l *slog.Logger) { l.WithGroup("g").InfoContext(traced(), "m", "a", 1) }, ids + `,"g":{"a":1}}`},
		"group, no span": {func(l *slog.Logger) { l.WithGroup("g").Info("m", "a", 1) }, `,"g":{"a":1}}`},
		"nameless group": {func(l *slog.Logger) { l.WithGroup("").InfoContext(traced(), "m", "a", 1) }, `,"a":1` + ids + `}`},
		"groups and with": {func(l *slog.Logger) {
			l.With("a", 1).WithGroup("g").With("b", 2).WithGroup("h").InfoContext(traced(), "m", "c", 3)
		}, `,"a":1` + ids + `,"g":{"b":2,"h":{"c":3}}}`},
		"metadata":        {func(l *slog.Logger) { l.InfoContext(travelling(context.Background()), "m") }, travels + `}`},
		"metadata, span":  {func(l *slog.Logger) { l.With("a", 1).InfoContext(travelling(traced()), "m") }, `,"a":1` + ids + travels + `}`},
		"metadata, group": {func(l *slog.Logger) { l.WithGroup("g").InfoContext(travelling(traced()), "m", "a", 1) }, ids + travels + `,"g":{"a":1}}`},
		"error":           {func(l *slog.Logger) { l.Info("m", "error", errors.New("no")) }, `,"error":"no"}`},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			c.write(logging.New(&out, options))
			got := withoutTime(t, out.String())
			if want := start + c.want + "\n"; got != want {
				t.Errorf("got  %swant %s", got, want)
			}
		})
	}
}

// withoutTime cuts the time, which comes first.
func withoutTime(t *testing.T, line string) string {
	t.Helper()
	before, rest, found := strings.Cut(line, `"level"`)
	if !found || !strings.HasPrefix(before, `{"time":"20`) {
		t.Fatalf("line begins otherwise: %s", line)
	}
	return `{"level"` + rest
}

// TestDerivedLoggersAreApart: two loggers made from one must not share a tail.
func TestDerivedLoggersAreApart(t *testing.T) {
	var out bytes.Buffer
	base := logging.New(&out, logging.Options{}).WithGroup("g").With("a", 1).With("b", 2)
	one, two := base.With("c", 3), base.With("d", 4)
	one.Info("m")
	two.Info("m")
	want := `{"level":"INFO","msg":"m","g":{"a":1,"b":2,"c":3}}
{"level":"INFO","msg":"m","g":{"a":1,"b":2,"d":4}}
`
	lines := strings.SplitAfter(out.String(), "\n")
	if got := withoutTime(t, lines[0]) + withoutTime(t, lines[1]); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestLevel(t *testing.T) {
	var out bytes.Buffer
	var level slog.LevelVar
	derived := logging.New(&out, logging.Options{Level: &level}).With("a", 1).WithGroup("g")
	derived.Debug("unseen")
	level.Set(slog.LevelDebug)
	derived.Debug("seen")
	level.Set(slog.LevelError)
	derived.Warn("unseen")
	if got := out.String(); strings.Contains(got, "unseen") || !strings.Contains(got, `"msg":"seen"`) {
		t.Errorf("got %s", got)
	}

	out.Reset()
	byDefault := logging.New(&out, logging.Options{})
	byDefault.Debug("unseen")
	byDefault.Info("seen")
	if got := out.String(); strings.Contains(got, "unseen") || !strings.Contains(got, `"msg":"seen"`) {
		t.Errorf("by default: got %s", got)
	}
}

func ExampleNew() {
	var out bytes.Buffer
	var level slog.LevelVar // can be set while the service runs
	log := logging.New(&out, logging.Options{Level: &level, Service: "order", Version: "1.2"})
	log.Debug("not written")
	log.InfoContext(traced(), "order created", "items", 3)

	_, line, _ := strings.Cut(out.String(), ",") // without the time
	fmt.Print(line)
	// Output:
	// "level":"INFO","msg":"order created","service":"order","version":"1.2","items":3,"trace_id":"ab000000000000000000000000000001","span_id":"cd00000000000002"}
}

func TestDurationAsText(t *testing.T) {
	var b strings.Builder
	logging.New(&b, logging.Options{}).Info("call", "took", 1500*time.Microsecond)
	if !strings.Contains(b.String(), `"took":"1.5ms"`) {
		t.Errorf("line is %s", b.String())
	}
}
