package tracing_test

import (
	"context"
	"net"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/protosvc/protosvc/svc/internal/wire"
)

// export answers what is exported to a collector, by the bytes of a response.
type export func(context.Context, *tracepb.TracesData) ([]byte, error)

// collect runs a trace collector until the test ends, and returns its address. It is written
// by hand, as the client is; svc/oracle/otel has the generated one for both.
func collect(t *testing.T, answer export) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "opentelemetry.proto.collector.trace.v1.TraceService",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{
			MethodName: "Export",
			Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				in := &tracepb.TracesData{}
				if err := decode(in); err != nil {
					return nil, err
				}
				fields, err := answer(ctx, in)
				return wire.Carry(fields), err
			},
		}},
	}, nil)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

// refuses is an answer that says so of spans, with a field that nobody knows yet.
func refuses(spans uint64, why string) []byte {
	var partial []byte
	if spans > 0 {
		partial = protowire.AppendVarint(protowire.AppendTag(partial, 1, protowire.VarintType), spans)
	}
	partial = protowire.AppendFixed32(protowire.AppendTag(partial, 9, protowire.Fixed32Type), 1)
	partial = protowire.AppendString(protowire.AppendTag(partial, 2, protowire.BytesType), why)
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), partial)
}
