package server_test

import (
	"context"
	"log/slog"
	"math"
	"net"
	"runtime"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/internal/budget"
	"github.com/protosvc/protosvc/svc/internal/flood"
	"github.com/protosvc/protosvc/svc/internal/rpcmetrics"
	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/metrics"
	"github.com/protosvc/protosvc/svc/policy"
)

// The gates of the call path: what a call may allocate beyond a bare grpc-go
// call of the same messages, with everything on and 1 % of traces recorded.
const (
	maxUnaryAllocs  = 12
	maxStreamAllocs = 24 // per stream, of which none per message
)

// dropped is an exporter for spans that nobody looks at.
type dropped struct{}

func (dropped) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (dropped) Shutdown(context.Context) error                             { return nil }

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	bare := grpc.NewServer()
	bare.RegisterService(&echoDesc, echo{})
	bareConn := serve(t, bare)

	b := server.New(server.Options{
		Metrics:        metrics.New(metrics.BuildInfo{}),
		TracerProvider: newProvider(t, 0.01, dropped{}).TracerProvider(),
		Log:            slog.New(slog.DiscardHandler),
	})
	full := b.NewGRPC(server.GRPCOptions{})
	b.Register(full, &echoDesc, decorate(b, echo{}, time.Minute, func(*text) error { return nil }))
	fullConn := serve(t, full)

	b = server.New(server.Options{
		Metrics:        metrics.New(metrics.BuildInfo{}),
		TracerProvider: newProvider(t, 0.01, dropped{}).TracerProvider(),
		Log:            slog.New(slog.DiscardHandler),

		Concurrency: 1000, Adaptive: true,
	})
	impl := decorate(b, echo{}, time.Minute, func(*text) error { return nil }, func(m *policy.Method) {
		m.Concurrency = 1000
		m.RateLimit = policy.RateLimit{PerSecond: 1e6, Burst: 1e6}
		m.Stream = policy.Stream{MaxAge: time.Hour, IdleTimeout: time.Minute, SendTimeout: time.Minute, MaxMessages: 1e6}
	})
	limited := b.NewGRPC(server.GRPCOptions{})
	b.Register(limited, &echoDesc, impl)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	watched := flood.Listen(listener, flood.Options{
		Log:    slog.New(slog.DiscardHandler),
		Count:  func(why rpcmetrics.End) { t.Errorf("a connection is cut: %s", why) },
		Memory: budget.New(1 << 30),
	})
	limitedConn := serveOn(t, limited, watched, listener.Addr().String())

	tests := []struct {
		name  string
		calls int
		call  func(*testing.T, *grpc.ClientConn)
		max   float64
	}{
		{"unary", 2000, unaryCall, maxUnaryAllocs},
		{"stream of 1 message", 2000, streamCall(1), maxStreamAllocs},
		{"stream of 50 messages", 200, streamCall(50), maxStreamAllocs},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			base := allocations(test.calls, func() { test.call(t, bareConn) })
			got := allocations(test.calls, func() { test.call(t, fullConn) })
			t.Logf("bare %.1f, with everything %.1f: %+.1f", base, got, got-base)
			// Limits cost time, never memory.
			if atLimits := allocations(test.calls, func() { test.call(t, limitedConn) }); atLimits > got+.5 {
				t.Errorf("a call allocates %.1f times with every limit, %.1f without", atLimits, got)
			} else {
				t.Logf("with every limit too: %+.1f", atLimits-base)
			}
			if got-base > test.max {
				t.Errorf("a call allocates %.1f times more than a bare one, want at most %v", got-base, test.max)
			}
		})
	}
}

// allocations returns how often the process allocates per call, client and
// server together: the least of several rounds, each averaged over the calls,
// since what runs in the background only ever adds to it.
func allocations(calls int, call func()) float64 {
	for range calls / 10 { // fills pools and grows stacks
		call()
	}
	least := math.Inf(1)
	for range 5 {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for range calls {
			call()
		}
		runtime.ReadMemStats(&after)
		least = min(least, float64(after.Mallocs-before.Mallocs)/float64(calls))
	}
	return least
}

func unaryCall(t *testing.T, conn *grpc.ClientConn) {
	if err := conn.Invoke(t.Context(), unaryName, wrapperspb.String("hello"), new(text)); err != nil {
		t.Fatal(err)
	}
}

func streamCall(messages int) func(*testing.T, *grpc.ClientConn) {
	return func(t *testing.T, conn *grpc.ClientConn) {
		stream, err := conn.NewStream(t.Context(), &echoDesc.Streams[2], bidiName)
		if err != nil {
			t.Fatal(err)
		}
		for range messages {
			if err := stream.SendMsg(wrapperspb.String("hello")); err != nil {
				t.Fatal(err)
			}
			if err := stream.RecvMsg(new(text)); err != nil {
				t.Fatal(err)
			}
		}
		_ = stream.CloseSend()
		if err := ended(stream.RecvMsg(new(text))); err != nil {
			t.Fatal(err)
		}
	}
}
