package server_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	svcerrors "github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/bubble"
)

// streams are the methods whose handler has its own goroutine.
var streams = []string{serverName, clientName, bidiName}

// stubborn is an echo whose streams do not look at their contexts before
// release is closed.
func stubborn(release <-chan struct{}) echo {
	return failing(func() error { <-release; return nil })
}

func TestStreamEndsAtDeadlineWhateverItsHandlerDoes(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		f := start(t, setup{timeout: 20 * time.Millisecond, echo: stubborn(release)})
		for i, name := range streams {
			_, err := call(within(t), f.conn, name, "hello")
			if status.Code(err) != codes.DeadlineExceeded {
				t.Errorf("%s: got %v", name, err)
			}
			if _, live := f.binder.Live(); live != i+1 {
				t.Errorf("got %d live streams, want %d", live, i+1)
			}
			if got := f.value(t, "grpc_server_in_flight", name, ""); got != 1 {
				t.Errorf("%s: got %v in flight, want 1", name, got)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if err := f.binder.Wait(ctx); err != context.DeadlineExceeded {
			t.Errorf("Wait while handlers run: got %v", err)
		}
		close(release)
		f.settle(t)
		for _, name := range streams {
			if got := f.value(t, "grpc_server_in_flight", name, ""); got != 0 {
				t.Errorf("%s: got %v in flight at the end, want 0", name, got)
			}
			if got := f.value(t, "grpc_server_handled_total", name, ""); got != 1 {
				t.Errorf("%s: handled %v times, want 1", name, got)
			}
		}
	})
}

func TestDeadlineWakesRecvAndSend(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		woken := make(chan error, 2)
		f := start(t, setup{timeout: 50 * time.Millisecond, echo: echo{
			bidiStream: func(s grpc.BidiStreamingServer[text, text]) error {
				_, err := s.Recv()
				woken <- err
				return err
			},
			serverStream: func(_ *text, s grpc.ServerStreamingServer[text]) error {
				big := wrapperspb.String(strings.Repeat("x", 1<<20))
				for {
					if err := s.Send(big); err != nil { // the client does not read
						woken <- err
						return err
					}
				}
			},
		}})
		for _, name := range []string{bidiName, serverName} {
			ctx := within(t)
			stream, err := f.conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, name)
			if err != nil {
				t.Fatal(err)
			}
			if name == serverName {
				_ = stream.SendMsg(wrapperspb.String("go"))
				_ = stream.CloseSend()
			}
			select {
			case err := <-woken:
				if err == nil {
					t.Errorf("%s: woken without an error", name)
				}
			case <-ctx.Done():
				t.Fatalf("%s: the handler was not woken", name)
			}
		}
		f.settle(t)
	})
}

func TestCancel(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		entered := make(chan struct{}, 1)
		f := start(t, setup{echo: echo{bidiStream: func(s grpc.BidiStreamingServer[text, text]) error {
			entered <- struct{}{}
			<-s.Context().Done()
			return s.Context().Err()
		}}})
		ctx, cancel := context.WithCancel(within(t))
		if _, err := f.conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, bidiName); err != nil {
			t.Fatal(err)
		}
		<-entered
		cancel()
		f.settle(t)
		eventually(t, func() bool { return f.value(t, "grpc_server_handled_total", bidiName, "Canceled") == 1 })
	})
}

// eventually waits for what happens on the server after the client has gone.
func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	for ctx := within(t); !condition(); {
		if ctx.Err() != nil {
			t.Fatal("did not happen")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestGoexitEndsTheStream(t *testing.T) {
	f := start(t, setup{echo: failing(func() error { runtime.Goexit(); return nil })})
	for _, name := range streams {
		_, err := call(within(t), f.conn, name, "hello")
		if got := svcerrors.FromStatus(err, nil); status.Code(err) != codes.Internal {
			t.Errorf("%s: got %v", name, got)
		}
	}
	lines := f.log.lines(t, "call failed")
	if len(lines) != len(streams) || lines[0]["error"] != "handler called runtime.Goexit" {
		t.Errorf("got %v", lines)
	}
}

func TestLatePanicIsLogged(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		f := start(t, setup{timeout: 10 * time.Millisecond, echo: failing(func() error { <-release; panic("late") })})
		if _, err := call(within(t), f.conn, bidiName); status.Code(err) != codes.DeadlineExceeded {
			t.Fatalf("got %v", err)
		}
		close(release)
		f.settle(t)
		if lines := f.log.lines(t, "handler panicked"); len(lines) != 1 {
			t.Errorf("got %v", lines)
		}
		if got := f.value(t, "grpc_server_panics_total", bidiName, ""); got != 1 {
			t.Errorf("got %v panics, want 1", got)
		}
	})
}
