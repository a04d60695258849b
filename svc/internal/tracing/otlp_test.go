package tracing_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/internal/tracing"
)

func TestEndpointFaults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ variable, value, want string }{
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "https:collector", `OTEL_EXPORTER_OTLP_ENDPOINT: "https:collector" has no host`},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://", `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://" has no host`},
		{"OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere/ca.pem", "OTEL_EXPORTER_OTLP_CERTIFICATE: open /nowhere/ca.pem: no such file or directory"},
		{"OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", file, "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: no certificate in " + file},
		{"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", file, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: open : no such file or directory"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a=b,s3cret", "OTEL_EXPORTER_OTLP_HEADERS: want key=value,key=value with values escaped as in URLs"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a=s3cret%", "OTEL_EXPORTER_OTLP_HEADERS: want key=value,key=value with values escaped as in URLs"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "=s3cret", "OTEL_EXPORTER_OTLP_HEADERS: want key=value,key=value with values escaped as in URLs"},
		{"OTEL_EXPORTER_OTLP_TIMEOUT", "10s", `OTEL_EXPORTER_OTLP_TIMEOUT: "10s" is not a number of milliseconds above 0`},
		{"OTEL_EXPORTER_OTLP_TIMEOUT", "0", `OTEL_EXPORTER_OTLP_TIMEOUT: "0" is not a number of milliseconds above 0`},
		{"OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", `OTEL_EXPORTER_OTLP_COMPRESSION: "zstd" is not supported (want gzip, none)`},
		{"OTEL_EXPORTER_OTLP_INSECURE", "yes", `OTEL_EXPORTER_OTLP_INSECURE: "yes" is not supported (want true, false)`},
	} {
		t.Run(test.variable+"="+test.value, func(t *testing.T) {
			isolate(t)
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")
			t.Setenv(test.variable, test.value)
			_, err := tracing.New(t.Context(), tracing.Options{})
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
		})
	}
}

// moody is a trace collector that answers each export by the next of its answers.
type moody struct {
	calls  atomic.Int32
	answer func(ctx context.Context, call int32) ([]byte, error)
}

// exported sends one span to the collector, and returns what was logged of it.
func exported(t *testing.T, c *moody, timeout time.Duration) string {
	t.Helper()
	isolate(t)
	address := collect(t, func(ctx context.Context, _ *tracepb.TracesData) ([]byte, error) { return c.answer(ctx, c.calls.Add(1)) })
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
	t.Setenv("OTEL_EXPORTER_OTLP_INSECURE", "true")
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", strconv.FormatInt(timeout.Milliseconds(), 10))
	var lines bytes.Buffer
	p, err := tracing.New(t.Context(), tracing.Options{SampleRatio: 1, Log: slog.New(slog.NewTextHandler(&lines, nil))})
	if err != nil {
		t.Fatal(err)
	}
	_, span := p.TracerProvider().Tracer("test").Start(t.Context(), "work")
	span.End()
	if err := p.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	return lines.String()
}

func TestExportIsTriedAgain(t *testing.T) {
	c := &moody{answer: func(_ context.Context, call int32) ([]byte, error) {
		if call == 1 {
			return nil, status.Error(codes.Unavailable, "restarting")
		}
		return nil, nil
	}}
	if logged := exported(t, c, time.Minute); logged != "" || c.calls.Load() != 2 {
		t.Errorf("got %d calls and log:\n%s", c.calls.Load(), logged)
	}
}

func TestExportRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer []byte
		err    error
		want   string // in the log
	}{
		{"for good", nil, status.Error(codes.InvalidArgument, "too old"), "too old"},
		{"in part", refuses(1, "quota"), nil, "1 spans refused: quota"},
		{"not at all, with advice", refuses(0, "upgrade soon"), nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &moody{answer: func(context.Context, int32) ([]byte, error) { return test.answer, test.err }}
			logged := exported(t, c, time.Minute)
			if c.calls.Load() != 1 || !strings.Contains(logged, test.want) || (logged == "") != (test.want == "") {
				t.Errorf("got %d calls and log:\n%s", c.calls.Load(), logged)
			}
		})
	}
}

// A collector that never answers costs an export its timeout, and no more.
func TestExportTimesOut(t *testing.T) {
	c := &moody{answer: func(ctx context.Context, _ int32) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	if logged := exported(t, c, 100*time.Millisecond); !strings.Contains(logged, "DeadlineExceeded") {
		t.Errorf("got log:\n%s", logged)
	}
}
