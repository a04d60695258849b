package server_test

import (
	"context"
	"io"
	"log/slog"
	"net"
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

// stuck is a connection on which only so many bytes reach the server.
type stuck struct {
	net.Conn
	left int
}

func (s *stuck) Write(p []byte) (int, error) {
	passed := min(s.left, len(p))
	s.left -= passed
	if n, err := s.Conn.Write(p[:passed]); err != nil {
		return n, err
	}
	return len(p), nil
}

// arriving is a server whose methods have a timeout, and receive messages within
// another; a connection to it passes so many bytes.
type arriving struct {
	timeout, receive time.Duration
	echo             echo
	beside           bool // the service has no policies
	bytes            int
	log              *slog.Logger
}

func (a arriving) server(t *testing.T) *grpc.Server {
	t.Helper()
	b := server.New(server.Options{Log: a.log})
	s := b.NewGRPC(server.GRPCOptions{ReceiveTimeout: a.receive})
	if a.beside {
		b.Beside(s).RegisterService(&echoDesc, a.echo)
	} else {
		b.Register(s, &echoDesc, decorate(b, a.echo, a.timeout, nil, func(m *policy.Method) { m.Stream = policy.Stream{} }))
	}
	return s
}

// overTCP serves on a loopback port.
func (a arriving) overTCP(t *testing.T) *grpc.ClientConn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dial := func(_ context.Context, address string) (net.Conn, error) {
		c, err := net.Dial("tcp", address)
		return &stuck{c, a.bytes}, err
	}
	return serveOn(t, a.server(t), listener, "passthrough:///"+listener.Addr().String(), grpc.WithContextDialer(dial))
}

// refusing fails the test if a handler is called.
func refusing(t *testing.T) echo {
	return echo{
		unary:        func(_ context.Context, in *text) (*text, error) { t.Error("the handler is called"); return in, nil },
		serverStream: func(*text, grpc.ServerStreamingServer[text]) error { t.Error("the handler is called"); return nil },
	}
}

// begin opens a stream for a call of any kind, without a deadline: the server's is
// what is tested. Neither its message nor its end is sent.
func begin(ctx context.Context, t *testing.T, conn *grpc.ClientConn, name string) grpc.ClientStream {
	t.Helper()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, name)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// A call whose message does not arrive ends in the time of its method, or in that of
// messages where the method has none, whatever deadline the caller has.
func TestMessageDoesNotArrive(t *testing.T) {
	const bound = 100 * time.Millisecond
	for name, test := range map[string]struct {
		timeout, receive time.Duration
		caller           time.Duration // 0: no deadline
		beside           bool
	}{
		"timeout of the method":    {timeout: bound, receive: time.Hour},
		"later deadline":           {timeout: bound, receive: time.Hour, caller: time.Hour},
		"no timeout":               {receive: bound},
		"no timeout, but deadline": {receive: bound, caller: time.Hour},
		"service without policies": {receive: bound, beside: true},
	} {
		for _, method := range []string{unaryName, serverName} {
			for sent, send := range map[string]func(grpc.ClientStream) error{
				"headers": func(grpc.ClientStream) error { return nil },
				"half": func(s grpc.ClientStream) error {
					return s.SendMsg(wrapperspb.String(strings.Repeat("x", 50_000)))
				},
				"no end": func(s grpc.ClientStream) error { return s.SendMsg(wrapperspb.String("x")) },
			} {
				if sent == "no end" && method == serverName {
					continue // grpc-go takes the message without the end
				}
				t.Run(name+method+"/"+sent, func(t *testing.T) {
					t.Parallel()
					log := &logBuffer{}
					conn := arriving{
						timeout: test.timeout, receive: test.receive, echo: refusing(t), beside: test.beside,
						bytes: 20_000, log: slog.New(slog.NewJSONHandler(log, nil)),
					}.overTCP(t)
					ctx, cancel := context.WithCancel(t.Context())
					defer time.AfterFunc(10*time.Second, cancel).Stop()
					if test.caller > 0 {
						ctx, cancel = context.WithTimeout(ctx, test.caller)
						defer cancel()
					}
					began := time.Now()
					stream := begin(ctx, t, conn, method)
					if err := send(stream); err != nil {
						t.Fatal(err)
					}
					err := waitEnd(stream)
					took := time.Since(began)
					if status.Code(err) != codes.DeadlineExceeded || !svcerrors.DeadlineExceeded.Is(svcerrors.FromStatus(err, nil)) {
						t.Errorf("the call ended with %v", err)
					}
					if took < bound || took > 20*bound {
						t.Errorf("the call ended after %v, want %v", took, bound)
					}
					for !test.beside && len(log.lines(t, "message did not arrive in time")) != 1 { // it may come after the answer
						if time.Since(began) > 5*time.Second {
							t.Fatal("the log does not say so")
						}
						time.Sleep(time.Millisecond)
					}
				})
			}
		}
	}
}

// Where neither a method nor the options say it, the largest message has the time that
// it takes a slow link.
func TestDefaultReceiveTimeout(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		conn := serveInMemory(t, arriving{echo: refusing(t)}.server(t))
		began := time.Now()
		err := waitEnd(begin(t.Context(), t, conn, unaryName))
		if took := time.Since(began); status.Code(err) != codes.DeadlineExceeded || took != 138*time.Second {
			t.Errorf("the call ended after %v with %v, want 2m18s and DeadlineExceeded", took, err)
		}
	})
}

// The deadline that a handler sees began with the headers, not with the message.
func TestDeadlineBeginsWithTheHeaders(t *testing.T) {
	for _, name := range []string{unaryName, serverName} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				left := make(chan time.Duration, 1)
				note := func(ctx context.Context) error {
					deadline, _ := ctx.Deadline()
					left <- time.Until(deadline)
					return nil
				}
				conn := serveInMemory(t, arriving{timeout: time.Second, echo: echo{
					unary:        func(ctx context.Context, in *text) (*text, error) { return in, note(ctx) },
					serverStream: func(_ *text, s grpc.ServerStreamingServer[text]) error { return note(s.Context()) },
				}}.server(t))
				stream := begin(t.Context(), t, conn, name)
				time.Sleep(700 * time.Millisecond)
				_ = stream.SendMsg(wrapperspb.String("hello"))
				_ = stream.CloseSend()
				if err := ended(waitEnd(stream)); err != nil {
					t.Fatal(err)
				}
				if got := <-left; got != 300*time.Millisecond {
					t.Errorf("the handler has %v, want 300ms", got)
				}
			})
		})
	}
}

// A message that has arrived has no part in how long its handler may take.
func TestArrivedMessage(t *testing.T) {
	const receive = 100 * time.Millisecond
	work := func(ctx context.Context, caller time.Duration) error {
		deadline, limited := ctx.Deadline()
		if limited != (caller > 0) || limited && time.Until(deadline) != caller {
			return status.Errorf(codes.FailedPrecondition, "the deadline is %v", deadline)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * receive):
			return nil
		}
	}
	for name, test := range map[string]struct {
		timeout, caller time.Duration
		beside          bool
	}{
		"no timeout":               {},
		"no timeout, but deadline": {caller: time.Hour},
		"later deadline":           {timeout: receive, caller: time.Hour},
		"service without policies": {beside: true},
	} {
		for _, method := range []string{unaryName, serverName} {
			t.Run(name+method, func(t *testing.T) {
				bubble.Test(t, func(t *testing.T) {
					conn := serveInMemory(t, arriving{timeout: test.timeout, receive: receive, beside: test.beside, echo: echo{
						unary:        func(ctx context.Context, in *text) (*text, error) { return in, work(ctx, test.caller) },
						serverStream: func(_ *text, s grpc.ServerStreamingServer[text]) error { return work(s.Context(), test.caller) },
					}}.server(t))
					ctx := t.Context()
					if test.caller > 0 {
						var cancel context.CancelFunc
						ctx, cancel = context.WithTimeout(ctx, test.caller)
						defer cancel()
					}
					if _, err := call(ctx, conn, method, "hello"); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

// Clients that send several messages may take their time; what bounds them is the
// policy of the stream, or two minutes where there is none.
func TestConversations(t *testing.T) {
	for _, beside := range []bool{false, true} {
		for _, name := range []string{clientName, bidiName} {
			bubble.Test(t, func(t *testing.T) {
				conn := serveInMemory(t, arriving{receive: time.Second, beside: beside}.server(t))
				stream := begin(t.Context(), t, conn, name)
				time.Sleep(2*time.Minute - time.Nanosecond)
				if err := stream.SendMsg(wrapperspb.String("hello")); err != nil {
					t.Fatalf("%s, beside %t: %v", name, beside, err)
				}
				synctest.Wait()
				time.Sleep(time.Second)
				_ = stream.CloseSend()
				want := codes.OK
				if beside {
					want = codes.DeadlineExceeded
				}
				if got := status.Code(ended(waitEnd(stream))); got != want {
					t.Errorf("%s, beside %t: ended with %v, want %v", name, beside, got, want)
				}
			})
		}
	}
}

// A connection on which nothing is said is closed, after 10 s unless the options
// say otherwise.
func TestSilentHandshake(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		conn, err := listen(t).DialContext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		began := time.Now()
		_, _ = io.Copy(io.Discard, conn)
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("closed after %v, want 10s", took)
		}
	})
}

// The room of a silent connection is soon that of another.
func TestSilentHandshakeOverTCP(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := server.New(server.Options{}).NewGRPC(server.GRPCOptions{HandshakeTimeout: 100 * time.Millisecond})
	serveOn(t, s, listener, listener.Addr().String())
	for said, text := range map[string]string{"nothing": "", "half a preface": "PRI * HTTP/2.0\r\n", "no settings": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"} {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("%s: %v", said, err)
		}
	}
}

// The name of a method that does not exist is answered as far as it is short; that
// of one that does may have any length.
func TestLongNames(t *testing.T) {
	f := start(t, setup{})
	for _, name := range []string{"/" + strings.Repeat("Q", 256), strings.Repeat("Q", 10_000), "/" + strings.Repeat("Q", 10_000), "/Q/" + strings.Repeat("Q", 254)} {
		_, err := call(within(t), f.conn, name, "hello")
		if got := status.Convert(err); got.Code() != codes.Unimplemented || strings.Count(got.Message(), "Q") > 128 || !strings.Contains(got.Message(), "unknown method") {
			t.Errorf("%.5s… of %d bytes: got %v", name, len(name), got)
		}
	}
	if got := f.value(t, "grpc_server_unknown_method_total", "//", ""); got != 4 {
		t.Errorf("%v unknown methods are counted, want 4", got)
	}
	if _, err := call(within(t), f.conn, "/"+strings.Repeat("Q", 255), "hello"); !strings.Contains(status.Convert(err).Message(), "malformed") {
		t.Errorf("a malformed name of 256 bytes: got %v", err)
	}

	b := server.New(server.Options{})
	s := b.NewGRPC(server.GRPCOptions{})
	long := echoDesc
	long.ServiceName = strings.Repeat("q", 300)
	b.Register(s, &long, echo{})
	if _, err := call(within(t), serveInMemory(t, s), "/"+long.ServiceName+"/Unary", "hello"); err != nil {
		t.Errorf("a method with a long name: %v", err)
	}
}
