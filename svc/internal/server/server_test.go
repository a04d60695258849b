package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	svcerrors "github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/bubble"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// kinds has a row for each kind of RPC: its method, how many messages its echo
// receives when it is sent one, and how many it sends.
var kinds = []struct {
	name           string
	received, sent float64
}{
	{unaryName, 1, 1},
	{serverName, 1, 2},
	{clientName, 1, 1},
	{bidiName, 1, 1},
}

// ended turns the end of a stream into the error of the call.
func ended(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// within is a context for a call that ends soon, but has no deadline: a server
// would be told of that.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	timer := time.AfterFunc(8*time.Second, cancel)
	t.Cleanup(func() { timer.Stop(); cancel() })
	return ctx
}

// settle waits until all handlers have returned.
func (f *fixture) settle(t *testing.T) {
	t.Helper()
	if err := f.binder.Wait(within(t)); err != nil {
		unary, streams := f.binder.Live()
		t.Fatalf("%d unary handlers and %d streams still run: %v", unary, streams, err)
	}
}

func TestOK(t *testing.T) {
	f := start(t, setup{})
	for _, kind := range kinds {
		if _, err := call(within(t), f.conn, kind.name, "hello"); err != nil {
			t.Fatalf("%s: %v", kind.name, err)
		}
	}
	f.settle(t)
	for _, kind := range kinds {
		for series, want := range map[string]float64{
			"grpc_server_started_total":      1,
			"grpc_server_handled_total":      1,
			"grpc_server_handling_seconds":   1,
			"grpc_server_msg_received_total": kind.received,
			"grpc_server_msg_sent_total":     kind.sent,
			"grpc_server_in_flight":          0,
			"grpc_server_panics_total":       0,
			"grpc_server_undecodable_total":  0,
		} {
			if got := f.value(t, series, kind.name, ""); got != want {
				t.Errorf("%s of %s: got %v, want %v", series, kind.name, got, want)
			}
		}
		if got := f.value(t, "grpc_server_handled_total", kind.name, "OK"); got != 1 {
			t.Errorf("OK of %s: got %v, want 1", kind.name, got)
		}
	}
	if lines := f.log.lines(t, "call failed"); len(lines) != 0 {
		t.Errorf("logged: %v", lines)
	}
}

// failing is an echo whose handlers all end with what f returns.
func failing(f func() error) echo {
	return echo{
		unary:        func(context.Context, *text) (*text, error) { return nil, f() },
		serverStream: func(*text, grpc.ServerStreamingServer[text]) error { return f() },
		clientStream: func(grpc.ClientStreamingServer[text, text]) error { return f() },
		bidiStream:   func(grpc.BidiStreamingServer[text, text]) error { return f() },
	}
}

func TestPanic(t *testing.T) {
	f := start(t, setup{echo: failing(func() error { panic("secret") })})
	for _, kind := range kinds {
		for range 2 { // the second call shows that the process lives on
			_, err := call(within(t), f.conn, kind.name, "hello")
			if got := status.Convert(err); got.Code() != codes.Internal || got.Message() != "internal error" {
				t.Errorf("%s: got %v", kind.name, err)
			}
			if !errors.Is(svcerrors.FromStatus(err, nil), svcerrors.Internal) {
				t.Errorf("%s: %v is not Internal", kind.name, err)
			}
		}
		if got := f.value(t, "grpc_server_panics_total", kind.name, ""); got != 2 {
			t.Errorf("panics of %s: got %v, want 2", kind.name, got)
		}
		if got := f.value(t, "grpc_server_handled_total", kind.name, "Internal"); got != 2 {
			t.Errorf("Internal of %s: got %v, want 2", kind.name, got)
		}
	}
	lines := f.log.lines(t, "handler panicked")
	if len(lines) != 2*len(kinds) {
		t.Fatalf("got %d lines, want %d", len(lines), 2*len(kinds))
	}
	for _, line := range lines {
		if line["error"] != "panic: secret" || !strings.Contains(line["stack"].(string), "TestPanic") {
			t.Errorf("line lacks the value or the stack: %v", line)
		}
	}
	if lines := f.log.lines(t, "call failed"); len(lines) != 0 {
		t.Errorf("a panic was logged twice: %v", lines)
	}
}

// errDriver is how a database driver reports that its query was interrupted.
var errDriver = errors.New("pq: canceling statement due to user request")

func TestOutcome(t *testing.T) {
	notFound := &svcerrors.Code{Domain: "test", Reason: "NO_ROW", GRPC: codes.NotFound, Message: "no row {id}"}
	tests := []struct {
		name    string
		err     error
		code    codes.Code
		message string
		level   string
	}{
		{"typed", fmt.Errorf("wrapped: %w", notFound.New("id", "7").WithCause(io.EOF)), codes.NotFound, "no row 7", "INFO"},
		{"code", notFound, codes.NotFound, "no row {id}", "INFO"},
		{"status", status.Error(codes.Unavailable, "later"), codes.Unavailable, "later", "ERROR"},
		{"unimplemented", status.Error(codes.Unimplemented, "not yet"), codes.Unimplemented, "not yet", "ERROR"},
		{"overloaded", svcerrors.Overloaded.New(), codes.ResourceExhausted, "overloaded", "WARN"},
		{"canceled", context.Canceled, codes.Canceled, "canceled", "DEBUG"},
		{"deadline", fmt.Errorf("query: %w", context.DeadlineExceeded), codes.DeadlineExceeded, "deadline exceeded", "ERROR"},
		{"plain", errors.New("password is hunter2"), codes.Internal, "internal error", "ERROR"},
		{"driver", errDriver, codes.Internal, "internal error", "ERROR"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := start(t, setup{echo: failing(func() error { return test.err })})
			for _, kind := range kinds {
				_, err := call(within(t), f.conn, kind.name, "hello")
				if got := status.Convert(err); got.Code() != test.code || got.Message() != test.message {
					t.Errorf("%s: got %v", kind.name, err)
				}
				if got := f.value(t, "grpc_server_handled_total", kind.name, test.code.String()); got != 1 {
					t.Errorf("%s: handled with %v %v times", kind.name, test.code, got)
				}
			}
			lines := f.log.lines(t, "call failed")
			if len(lines) != len(kinds) {
				t.Fatalf("got %d lines, want %d", len(lines), len(kinds))
			}
			for i, line := range lines {
				if line["level"] != test.level || line["code"] != test.code.String() || line["error"] != test.err.Error() || line["rpc"] != kinds[i].name {
					t.Errorf("got %v", line)
				}
			}
			if err := f.provider.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			spans := f.spans.GetSpans()
			if len(spans) != len(kinds) {
				t.Fatalf("got %d spans, want %d", len(spans), len(kinds))
			}
			events := map[string]int{"ERROR": 1}[test.level] // only where the server is at fault
			for _, span := range spans {
				if len(span.Events) != events {
					t.Errorf("%s: got events %v, want %d", span.Name, span.Events, events)
				}
			}
		})
	}
}

// nilError is an error type of which a nil pointer cannot even be printed.
type nilError struct{ text string }

func (e *nilError) Error() string              { return e.text }
func (e *nilError) GRPCStatus() *status.Status { return status.New(codes.Aborted, e.text) }

func TestNilPointerErrorIsAPanic(t *testing.T) {
	f := start(t, setup{echo: failing(func() error { return (*nilError)(nil) })})
	for _, kind := range kinds {
		if _, err := call(within(t), f.conn, kind.name, "hello"); status.Code(err) != codes.Internal {
			t.Errorf("%s: got %v", kind.name, err)
		}
		if got := f.value(t, "grpc_server_panics_total", kind.name, ""); got != 1 {
			t.Errorf("panics of %s: got %v, want 1", kind.name, got)
		}
	}
}

func TestValidation(t *testing.T) {
	f := start(t, setup{validate: func(in *text) error {
		if in.GetValue() == "bad" {
			return svcerrors.InvalidRequest.New()
		}
		return nil
	}, echo: echo{
		clientStream: func(s grpc.ClientStreamingServer[text, text]) error {
			for {
				if _, err := s.Recv(); err != nil {
					return err
				}
			}
		},
		bidiStream: func(s grpc.BidiStreamingServer[text, text]) error {
			for {
				in, err := s.Recv()
				if err != nil {
					return err
				}
				if err := s.Send(in); err != nil {
					return err
				}
			}
		},
	}})
	for _, kind := range kinds {
		messages := []string{"bad"}
		if kind.name == clientName || kind.name == bidiName {
			messages = []string{"good", "bad", "good"}
		}
		_, err := call(within(t), f.conn, kind.name, messages...)
		if !errors.Is(svcerrors.FromStatus(err, nil), svcerrors.InvalidRequest) {
			t.Errorf("%s: got %v", kind.name, err)
		}
	}
}

func TestDeadline(t *testing.T) {
	const timeout = time.Hour
	var remaining time.Duration
	note := func(ctx context.Context) {
		deadline, _ := ctx.Deadline()
		remaining = time.Until(deadline)
	}
	f := start(t, setup{timeout: timeout, echo: echo{
		unary: func(ctx context.Context, in *text) (*text, error) { note(ctx); return in, nil },
		serverStream: func(_ *text, s grpc.ServerStreamingServer[text]) error {
			note(s.Context())
			return nil
		},
	}})
	for _, name := range []string{unaryName, serverName} {
		if _, err := call(within(t), f.conn, name, ""); err != nil {
			t.Fatal(err)
		}
		if remaining < timeout-time.Minute || remaining > timeout {
			t.Errorf("%s: without a deadline of the caller the handler has %v", name, remaining)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*timeout)
		defer cancel()
		if _, err := call(ctx, f.conn, name, ""); err != nil {
			t.Fatal(err)
		}
		if remaining < 2*timeout-time.Minute || remaining > 2*timeout {
			t.Errorf("%s: with a deadline of the caller the handler has %v", name, remaining)
		}
	}
}

func TestDriverErrorAfterDeadline(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		f := start(t, setup{timeout: 10 * time.Millisecond, echo: echo{
			unary: func(ctx context.Context, _ *text) (*text, error) {
				<-ctx.Done()
				return nil, errDriver
			},
		}})
		_, err := call(within(t), f.conn, unaryName, "")
		if !errors.Is(svcerrors.FromStatus(err, nil), svcerrors.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if lines := f.log.lines(t, "call failed"); len(lines) != 1 || lines[0]["error"] != errDriver.Error() {
			t.Errorf("the driver's words are not in the log: %v", lines)
		}
	})
}

func TestSpans(t *testing.T) {
	f := start(t, setup{echo: echo{
		unary: func(ctx context.Context, in *text) (*text, error) {
			if !trace.SpanFromContext(ctx).IsRecording() {
				t.Error("the handler's context has no span")
			}
			return in, nil
		},
		serverStream: func(_ *text, s grpc.ServerStreamingServer[text]) error {
			if !trace.SpanFromContext(s.Context()).IsRecording() {
				t.Error("the stream's context has no span")
			}
			return io.ErrUnexpectedEOF
		},
	}})
	const traceID, parentID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	ctx := metadata.AppendToOutgoingContext(within(t), "traceparent", "00-"+traceID+"-"+parentID+"-01")
	_, _ = call(ctx, f.conn, unaryName, "")
	_, _ = call(ctx, f.conn, serverName, "")
	if err := f.provider.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	spans := f.spans.GetSpans()
	if len(spans) != 2 {
		t.Fatalf("got %d spans, want 2", len(spans))
	}
	for i, span := range spans {
		if span.Name != kinds[i].name[1:] || span.Parent.SpanID().String() != parentID || span.SpanContext.TraceID().String() != traceID {
			t.Errorf("got span %q with parent %v in trace %v", span.Name, span.Parent.SpanID(), span.SpanContext.TraceID())
		}
	}
	if len(spans[0].Events) != 0 || len(spans[1].Events) != 1 {
		t.Errorf("got events %v and %v, want an exception on the second", spans[0].Events, spans[1].Events)
	}
}
