package server_test

import (
	"context"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/protosvc/protosvc/svc/errors"
)

// The delay of an error reaches gRPC clients as they know it, from a method of
// any kind; an error without one sends nothing.
func TestPushback(t *testing.T) {
	tests := map[string]struct {
		err  error
		want []string
	}{
		"a delay":       {errors.Unavailable.New().WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(1500 * time.Millisecond)}), []string{"1500"}},
		"no delay":      {errors.Unavailable.New(), nil},
		"not retryable": {errors.Internal.New(), nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := start(t, setup{echo: echo{
				unary:        func(context.Context, *text) (*text, error) { return nil, test.err },
				serverStream: func(*text, grpc.ServerStreamingServer[text]) error { return test.err },
				clientStream: func(grpc.ClientStreamingServer[text, text]) error { return test.err },
				bidiStream:   func(grpc.BidiStreamingServer[text, text]) error { return test.err },
			}})
			for method, trailer := range trailers(t, f.conn) {
				got := trailer["grpc-retry-pushback-ms"]
				if len(got) != len(test.want) || len(got) == 1 && got[0] != test.want[0] {
					t.Errorf("%s: pushback %q, want %q", method, got, test.want)
				}
			}
		})
	}
}

// trailers are what calls of each kind end with.
func trailers(t *testing.T, conn *grpc.ClientConn) map[string]metadata.MD {
	t.Helper()
	var md metadata.MD
	if err := conn.Invoke(t.Context(), unaryName, &text{}, &text{}, grpc.Trailer(&md)); err == nil {
		t.Error("no error")
	}
	out := map[string]metadata.MD{unaryName: md}
	for i, name := range []string{serverName, clientName, bidiName} {
		s, err := conn.NewStream(t.Context(), &echoDesc.Streams[i], name)
		if err != nil {
			t.Fatal(err)
		}
		_ = s.SendMsg(&text{}) // the call may be over
		_ = s.CloseSend()
		if err := s.RecvMsg(&text{}); err == nil {
			t.Error("no error")
		}
		out[name] = s.Trailer()
	}
	return out
}
