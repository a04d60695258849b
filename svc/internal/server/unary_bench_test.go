package server_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/metrics"
)

// BenchmarkUnary is a whole call over a connection, client and server together,
// with everything on and 1 % of traces recorded.
func BenchmarkUnary(b *testing.B) {
	s := server.New(server.Options{
		Metrics:        metrics.New(metrics.BuildInfo{}),
		TracerProvider: newProvider(b, 0.01, dropped{}).TracerProvider(),
		Log:            slog.New(slog.DiscardHandler),
	})
	full := s.NewGRPC(server.GRPCOptions{})
	s.Register(full, &echoDesc, decorate(s, echo{}, time.Minute, func(*text) error { return nil }))
	conn := serve(b, full)
	in := wrapperspb.String("hello")
	b.ReportAllocs()
	for b.Loop() {
		if err := conn.Invoke(context.Background(), unaryName, in, new(text)); err != nil {
			b.Fatal(err)
		}
	}
}
