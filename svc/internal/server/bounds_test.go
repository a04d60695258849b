package server_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	svcerrors "github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/policy"
)

// deaf is an echo whose streams wait in Recv, or until their context ends where
// there is nothing to receive.
func deaf() echo {
	return echo{
		serverStream: func(_ *text, s grpc.ServerStreamingServer[text]) error {
			<-s.Context().Done()
			return s.Context().Err()
		},
		clientStream: func(s grpc.ClientStreamingServer[text, text]) error {
			for {
				if _, err := s.Recv(); err != nil {
					return err
				}
			}
		},
		bidiStream: func(s grpc.BidiStreamingServer[text, text]) error {
			for {
				if _, err := s.Recv(); err != nil {
					return err
				}
			}
		},
	}
}

// open begins a stream of any kind and sends one message. Its end is what
// waitEnd returns.
func open(t *testing.T, f *fixture, name string) grpc.ClientStream {
	t.Helper()
	stream, err := f.conn.NewStream(within(t), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, name)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.SendMsg(wrapperspb.String("hello")); err != nil {
		t.Fatal(err)
	}
	if name == serverName {
		_ = stream.CloseSend()
	}
	return stream
}

func waitEnd(stream grpc.ClientStream) error {
	for {
		if err := stream.RecvMsg(new(text)); err != nil {
			return err
		}
	}
}

func (f *fixture) assertEnded(t *testing.T, name string, err error, want *svcerrors.Code) {
	t.Helper()
	if !want.Is(svcerrors.FromStatus(err, nil)) || status.Code(err) != want.GRPC {
		t.Errorf("%s ended with %v, want %s", name, err, want.Reason)
	}
	f.settle(t) // the handler has noticed, too
	if got := f.value(t, "grpc_server_stream_ended_total", name, ""); got != 1 {
		t.Errorf("%s: %v ends are counted, want 1", name, got)
	}
	if got := f.value(t, "grpc_server_streams_open", name, ""); got != 0 {
		t.Errorf("%s: %v streams are open, want none", name, got)
	}
	if got := f.value(t, "grpc_server_stream_age_seconds", name, ""); got != 1 {
		t.Errorf("%s: %v ages are recorded, want 1", name, got)
	}
}

// A stream that grows too old, or in which nothing happens, ends with a reason
// that the caller can tell; its handler, which waits, returns.
func TestStreamEndsByTime(t *testing.T) {
	for _, test := range []struct {
		name   string
		bounds policy.Stream
		want   *svcerrors.Code
	}{
		{"age", policy.Stream{MaxAge: 100 * time.Millisecond}, svcerrors.StreamMaxAge},
		{"idle", policy.Stream{IdleTimeout: 100 * time.Millisecond, MaxAge: time.Hour}, svcerrors.IdleTimeout},
	} {
		for _, name := range streams {
			t.Run(test.name+name, func(t *testing.T) {
				bubble.Test(t, func(t *testing.T) {
					f := start(t, setup{echo: deaf(), policy: func(m *policy.Method) { m.Stream = test.bounds }})
					began := time.Now()
					err := waitEnd(open(t, f, name))
					took := time.Since(began)
					f.assertEnded(t, name, err, test.want)
					if took < 100*time.Millisecond || took > 125*time.Millisecond {
						t.Errorf("it ended after %v, want 100ms and up to a quarter more", took)
					}
					if lines := f.log.lines(t, "call failed"); len(lines) != 1 || lines[0]["level"] != "INFO" || lines[0]["reason"] != test.want.Reason {
						t.Errorf("logged: %v", lines)
					}
				})
			})
		}
	}
}

// Age counts whatever happens in a stream; idle is only one without messages, in
// whichever direction they go.
func TestBusyStreamIsNotIdle(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		const idle = 200 * time.Millisecond
		ticks := func(send func() error) error {
			for range 8 {
				time.Sleep(idle / 4)
				if err := send(); err != nil {
					return err
				}
			}
			return nil
		}
		f := start(t, setup{
			policy: func(m *policy.Method) { m.Stream = policy.Stream{IdleTimeout: idle} },
			echo: echo{serverStream: func(in *text, s grpc.ServerStreamingServer[text]) error {
				return ticks(func() error { return s.Send(in) })
			}},
		})
		if got, err := call(within(t), f.conn, serverName, "hello"); err != nil || len(got) != 8 {
			t.Errorf("server stream: %d messages and %v", len(got), err)
		}
		for _, name := range []string{clientName, bidiName} {
			stream := open(t, f, name)
			if err := ticks(func() error { return stream.SendMsg(wrapperspb.String("hello")) }); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			_ = stream.CloseSend()
			if err := ended(waitEnd(stream)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestTooManyMessages(t *testing.T) {
	for _, name := range []string{clientName, bidiName} {
		t.Run(name, func(t *testing.T) {
			// A handler that does not care about errors cannot go on, either.
			careless := echo{
				clientStream: func(s grpc.ClientStreamingServer[text, text]) error {
					for s.Context().Err() == nil {
						_, _ = s.Recv()
					}
					return nil
				},
				bidiStream: func(s grpc.BidiStreamingServer[text, text]) error {
					for s.Context().Err() == nil {
						_, _ = s.Recv()
					}
					return nil
				},
			}
			f := start(t, setup{echo: careless, policy: func(m *policy.Method) { m.Stream.MaxMessages = 3 }})
			stream := open(t, f, name)
			for range 3 {
				_ = stream.SendMsg(wrapperspb.String("hello"))
			}
			f.assertEnded(t, name, waitEnd(stream), svcerrors.TooManyMessages)
		})
	}
	f := start(t, setup{policy: func(m *policy.Method) { m.Stream.MaxMessages = 3 }})
	for _, name := range []string{clientName, bidiName} {
		if _, err := call(within(t), f.conn, name, "1", "2", "3"); err != nil {
			t.Errorf("%s with as many as may be: %v", name, err)
		}
	}
}

// A caller who does not read does not hold the handler: Send ends, after the
// time that one message may wait.
func TestCallerDoesNotRead(t *testing.T) {
	big := wrapperspb.String(strings.Repeat("x", 32<<10))
	flood := func(send func(*text) error) error {
		for {
			if err := send(big); err != nil {
				return err
			}
		}
	}
	for _, name := range []string{serverName, bidiName} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				woken := make(chan error, 1)
				f := start(t, setup{
					policy: func(m *policy.Method) {
						m.Stream = policy.Stream{SendTimeout: 100 * time.Millisecond, IdleTimeout: 50 * time.Millisecond}
					},
					echo: echo{
						serverStream: func(_ *text, s grpc.ServerStreamingServer[text]) error {
							err := flood(s.Send)
							woken <- err
							return err
						},
						bidiStream: func(s grpc.BidiStreamingServer[text, text]) error {
							err := flood(s.Send)
							woken <- err
							return err
						},
					},
				})
				stream := open(t, f, name)
				select {
				case <-woken:
				case <-time.After(8 * time.Second):
					t.Fatal("the handler still sends")
				}
				f.assertEnded(t, name, waitEnd(stream), svcerrors.SlowConsumer)
			})
		})
	}
}

// Streams hear of a stop: a handler that looks brings its stream to a good end,
// the others are ended when their time is over. Unary calls go on.
func TestDrain(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		const last = 300 * time.Millisecond
		var f *fixture
		reached, release := make(chan struct{}), make(chan struct{})
		e := deaf()
		e.bidiStream = func(s grpc.BidiStreamingServer[text, text]) error {
			<-f.binder.Stopping()
			return s.Send(wrapperspb.String("goodbye"))
		}
		e.unary = func(ctx context.Context, in *text) (*text, error) {
			close(reached)
			select {
			case <-release:
			case <-ctx.Done():
			}
			return in, ctx.Err()
		}
		f = start(t, setup{echo: e})
		unary := make(chan error, 1)
		go func() { _, err := call(within(t), f.conn, unaryName, "hello"); unary <- err }()
		<-reached
		watch, upload, talk := open(t, f, serverName), open(t, f, clientName), open(t, f, bidiName)

		synctest.Wait() // until the sweeper knows the streams

		began := time.Now()
		f.binder.EndStreams(last)
		f.binder.EndStreams(0) // counts once
		goodbye := new(text)
		if err := talk.RecvMsg(goodbye); err != nil || goodbye.GetValue() != "goodbye" {
			t.Errorf("got %v and %v from the stream that looks", goodbye, err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("the goodbye took %v", took)
		}
		for name, stream := range map[string]grpc.ClientStream{serverName: watch, clientName: upload} {
			if err := waitEnd(stream); !svcerrors.Stopping.Is(svcerrors.FromStatus(err, nil)) || status.Code(err) != codes.Unavailable {
				t.Errorf("%s ended with %v", name, err)
			}
		}
		if took := time.Since(began); took != last {
			t.Errorf("streams ended after %v, want %v", took, last)
		}
		close(release)
		if err := <-unary; err != nil {
			t.Errorf("the unary call: %v", err)
		}
		f.settle(t)
	})
}

// A stream goes on when its connection has reached its age: new calls go over a
// new one, and the stream ends at a bound of its own.
func TestStreamOutlivesTheAgeOfItsConnection(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		b := server.New(server.Options{})
		impl := decorate(b, deaf(), 0, nil, func(m *policy.Method) { m.Stream.MaxAge = time.Second })
		s := b.NewGRPC(server.GRPCOptions{MaxConnectionAge: 100 * time.Millisecond})
		b.Register(s, &echoDesc, impl)
		f := &fixture{conn: serveInMemory(t, s), binder: b}
		if err := waitEnd(open(t, f, bidiName)); !svcerrors.StreamMaxAge.Is(svcerrors.FromStatus(err, nil)) {
			t.Errorf("the stream ended with %v", err)
		}
	})
}
