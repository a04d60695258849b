package server_test

import (
	"context"
	"testing"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/policy"
)

// BenchmarkAdmission is what each limit adds to a call, and what it costs to
// refuse one.
func BenchmarkAdmission(b *testing.B) {
	plenty := policy.RateLimit{PerSecond: 1e6, Burst: 1e6}
	byKey := plenty
	byKey.Key = "x-tenant-id"
	for _, bench := range []struct {
		name    string
		options server.Options
		method  policy.Method
	}{
		{"none", server.Options{}, policy.Method{}},
		{"server", server.Options{Concurrency: 1000}, policy.Method{}},
		{"adaptive", server.Options{Concurrency: 1000, Adaptive: true}, policy.Method{}},
		{"method", server.Options{}, policy.Method{Concurrency: 1000}},
		{"rate by address", server.Options{}, policy.Method{RateLimit: plenty}},
		{"rate by metadata", server.Options{}, policy.Method{RateLimit: byKey}},
		{"refused by rate", server.Options{}, policy.Method{RateLimit: policy.RateLimit{PerSecond: 1e-3, Burst: 1}}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			bench.method.Name = unaryName
			m := server.BindUnary(server.New(bench.options), bench.method, nil,
				func(_ context.Context, in *text) (*text, error) { return in, nil })
			ctx := peer.NewContext(context.Background(), &peer.Peer{Addr: tcp("192.0.2.1:1000")})
			ctx = metadata.NewIncomingContext(ctx, metadata.Pairs("x-tenant-id", "ada"))
			in := wrapperspb.String("hello")
			b.ReportAllocs()
			for b.Loop() {
				_, _ = m.Call(ctx, in)
			}
		})
	}
}
