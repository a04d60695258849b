package logging

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"github.com/protosvc/protosvc/svc/internal/cut"
)

// Bounds of what is written: callers choose some of the values, and a stack or a
// joined error has no length of its own.
const (
	valueLimit = 4 << 10  // bytes of one value, before its mark
	lineLimit  = 16 << 10 // bytes of a line
)

// truncatedKey marks a line from which something was left out.
const truncatedKey = "truncated"

// replace writes a duration as "1.5ms", where slog's JSON has a number of
// nanoseconds that does not say so, and cuts what is too long.
func replace(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindDuration:
		a.Value = slog.StringValue(a.Value.Duration().String())
	case slog.KindString:
		a.Value = slog.StringValue(clip(a.Value.String()))
	case slog.KindAny:
		a.Value = short(a.Value)
	}
	return a
}

// short cuts a value as slog would write it. One whose method panics is left to
// slog, which writes that it did.
func short(v slog.Value) (result slog.Value) {
	defer func() {
		if recover() != nil {
			result = v
		}
	}()
	x := v.Any()
	if _, isLevel := x.(slog.Level); isLevel {
		return v
	}
	if err, isError := x.(error); isError {
		if _, hasForm := x.(json.Marshaler); !hasForm {
			return slog.StringValue(clip(err.Error()))
		}
	}
	if text, err := json.Marshal(x); err == nil && len(text) > valueLimit {
		return slog.StringValue(clip(string(text)))
	}
	return v
}

// clip shortens a text between two characters and says how long it was.
func clip(text string) string {
	if len(text) <= valueLimit {
		return text
	}
	return fmt.Sprintf("%s%s (%d bytes)", cut.Prefix(text, valueLimit), cut.Mark, len(text))
}

// bounded keeps the lines on their way to a writer within lineLimit.
type bounded struct{ io.Writer }

func (b bounded) Write(line []byte) (int, error) {
	whole := len(line)
	if whole > lineLimit {
		line = shorten(line)
	}
	_, err := b.Writer.Write(line)
	return whole, err
}

// shorten leaves out the members that do not fit. Time, level and message come
// first, so they stay; and so do the ids of the trace, which come last but are short.
func shorten(line []byte) []byte {
	const end = `"` + truncatedKey + `":true}` + "\n"
	members := json.NewDecoder(bytes.NewReader(line))
	_, _ = members.Token() // the brace
	result := []byte("{")
	for members.More() {
		name, value := "", json.RawMessage(nil)
		if key, err := members.Token(); err == nil {
			name, _ = key.(string)
		}
		if err := members.Decode(&value); err != nil {
			break // what is there is whole
		}
		quoted, _ := json.Marshal(name) // a string can always be written
		if len(result)+len(quoted)+len(value)+len(":,")+len(end) <= lineLimit {
			result = append(append(append(append(result, quoted...), ':'), value...), ',')
		}
	}
	return append(result, end...)
}
