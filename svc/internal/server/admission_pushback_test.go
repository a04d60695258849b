package server_test

import (
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/policy"
)

// Clients that try refused calls again by themselves are told when.
func TestRefusalsPushBack(t *testing.T) {
	for _, test := range []struct {
		name   string
		policy func(*policy.Method)
		want   string // milliseconds
	}{
		{"concurrency", func(m *policy.Method) { m.Concurrency = 1 }, "1000"},
		{"rate", func(m *policy.Method) { m.RateLimit = policy.RateLimit{PerSecond: 1e-6, Burst: 1} }, ""},
	} {
		for _, name := range []string{unaryName, bidiName} {
			t.Run(test.name+name, func(t *testing.T) {
				reached, release := make(chan struct{}, 1), make(chan struct{})
				f := start(t, setup{echo: waiting(reached, release), policy: test.policy})
				first := make(chan error, 1)
				go func() { _, err := call(within(t), f.conn, name, "hello"); first <- err }()
				<-reached
				trailer, err := trailerOf(t, f, name)
				if status.Code(err) != codes.ResourceExhausted {
					t.Errorf("got %v", err)
				}
				got := trailer.Get("grpc-retry-pushback-ms")
				if len(got) != 1 || test.want != "" && got[0] != test.want {
					t.Errorf("pushback is %q, want %q", got, test.want)
				}
				close(release)
				if err := <-first; err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func trailerOf(t *testing.T, f *fixture, name string) (metadata.MD, error) {
	t.Helper()
	if name == unaryName {
		var trailer metadata.MD
		err := f.conn.Invoke(within(t), name, wrapperspb.String("hello"), new(text), grpc.Trailer(&trailer))
		return trailer, err
	}
	stream := open(t, f, name)
	err := waitEnd(stream)
	return stream.Trailer(), err
}
