package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/protosvc/protosvc/svc/internal/logging"
)

// object has a form of its own in JSON.
type object map[string]string

// absent is an error whose method fails where there is none.
type absent struct{ text string }

func (a *absent) Error() string { return a.text }

// Values are cut as text, whatever they are, between two characters.
func TestLongValues(t *testing.T) {
	const mark = "…"
	text := strings.Repeat("é", 10_000)
	for name, c := range map[string]struct {
		value any
		want  string // the value in JSON
	}{
		"short":        {"a", `"a"`},
		"4 KiB":        {text[:4096], `"` + text[:4096] + `"`},
		"text":         {text, `"` + text[:4096] + mark + ` (20000 bytes)"`},
		"odd":          {"a" + text, `"a` + text[:4094] + mark + ` (20001 bytes)"`},
		"error":        {errors.New(text), `"` + text[:4096] + mark + ` (20000 bytes)"`},
		"joined":       {fmt.Errorf("why: %w", errors.New(text)), `"why: ` + text[:4090] + mark + ` (20005 bytes)"`},
		"object":       {object{"a": text}, `"{\"a\":\"` + text[:4090] + mark + ` (20008 bytes)"`},
		"small object": {object{"a": "b"}, `{"a":"b"}`},
		"nil":          {nil, `null`},
		"nil error":    {(*absent)(nil), `"<nil>"`},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			logging.New(&out, logging.Options{}).WithGroup("g").Info("m", "v", c.value)
			var line struct{ G struct{ V json.RawMessage } }
			if err := json.Unmarshal(out.Bytes(), &line); err != nil {
				t.Fatalf("%v: %s", err, &out)
			}
			if got := string(line.G.V); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// A line is whole JSON of at most 16 KiB, whatever is in it; message and trace stay.
func TestLongLines(t *testing.T) {
	text := strings.Repeat("/é\x00\xff\"", 3000)
	var many []any
	for i := range 100 {
		many = append(many, slog.String(fmt.Sprintf("key%d", i), text[:1000]))
	}
	for name, write := range map[string]func(ctx context.Context, l *slog.Logger){
		"message": func(ctx context.Context, l *slog.Logger) { l.InfoContext(ctx, "m"+text, "stays", 1) },
		"value":   func(ctx context.Context, l *slog.Logger) { l.InfoContext(ctx, "m", "v", text, "stays", 1) },
		"many values": func(ctx context.Context, l *slog.Logger) {
			l.InfoContext(ctx, "m", append([]any{"stays", 1}, many...)...)
		},
		"with": func(ctx context.Context, l *slog.Logger) { l.With(many...).InfoContext(ctx, "m", "stays", 1) },
		"group": func(ctx context.Context, l *slog.Logger) {
			l.InfoContext(ctx, "m", slog.Group("g", many...), "stays", 1)
		},
		"key": func(ctx context.Context, l *slog.Logger) { l.InfoContext(ctx, "m", text, 1, "stays", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			write(traced(), logging.New(&out, logging.Options{}))
			line := out.String()
			if len(line) > 16<<10 || !utf8.ValidString(line) || strings.Index(line, "\n") != len(line)-1 {
				t.Errorf("a line of %d bytes, want one of at most 16 KiB in valid UTF-8", len(line))
			}
			var members map[string]any
			if err := json.Unmarshal(out.Bytes(), &members); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			if !strings.HasPrefix(fmt.Sprint(members["msg"]), "m") && members["truncated"] != true {
				t.Errorf("the message is gone: %s", line)
			}
			if members["stays"] != 1.0 || members["trace_id"] == nil || members["span_id"] == nil {
				t.Errorf("what is short is gone: %s", line)
			}
		})
	}
}
