package svc

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const greetName = "/test.v1.GreeterService/Greet"

// rawHeaders are those of a call of the greeter.
func rawHeaders() []byte { return headersOf(greetName) }

func headersOf(method string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	e.SetMaxDynamicTableSize(0) // each call has the same bytes
	for _, h := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":path", method}, {":authority", "greeter"},
		{"content-type", "application/grpc"}, {"te", "trailers"},
	} {
		_ = e.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]})
	}
	return b.Bytes()
}

// raw connects to a server without a library that keeps to any rule.
func raw(t testing.TB, address string) (net.Conn, *http2.Framer) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	f := http2.NewFramer(c, c)
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := f.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	return c, f
}

// waiter answers at once, or waits until the caller goes where that is asked for.
func waiter(entered chan<- struct{}) func(*App) (greet, error) {
	return func(*App) (greet, error) {
		return func(ctx context.Context, in *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
			if in.GetValue() == "wait" {
				entered <- struct{}{}
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return in, nil
		}, nil
	}
}

// A client that opens streams and does not want them is cut, whether it resets them or
// makes the server do so. One beside it that calls and cancels is not.
func TestFloodOfResets(t *testing.T) {
	for name, waste := range map[string]func(*http2.Framer, uint32) error{
		"reset by the client": func(f *http2.Framer, stream uint32) error { return f.WriteRSTStream(stream, http2.ErrCodeCancel) },
		"reset by the server": func(f *http2.Framer, stream uint32) error {
			return f.WriteRawFrame(http2.FrameWindowUpdate, 0, stream, make([]byte, 4)) // of no bytes
		},
	} {
		t.Run(name, func(t *testing.T) {
			entered := make(chan struct{})
			r := start(t, greeter(t, waiter(entered)), Options{})
			honest := dialHonest(t, r.GRPC)
			honest.calls(t, entered)

			c, f := raw(t, r.GRPC)
			go func() {
				headers := rawHeaders()
				for i := range uint32(10_000) {
					if f.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*i + 1, BlockFragment: headers, EndHeaders: true}) != nil || waste(f, 2*i+1) != nil {
						return // cut
					}
				}
			}()
			_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
			if _, err := io.Copy(io.Discard, c); isTimeout(err) {
				t.Error("the connection is still open")
			}
			honest.calls(t, entered)

			_, page := r.admin(t, http.MethodGet, "/metrics")
			if want := "\n" + `grpc_server_connections_ended_total{reason="resets"} 1` + "\n"; !strings.Contains(page, want) {
				t.Errorf("the metrics do not say %q", want)
			}
			if dials := honest.dials.Load(); dials != 1 {
				t.Errorf("the honest client connected %d times", dials)
			}
			if err := r.stop(); err != nil { // all lines are written then
				t.Error(err)
			}
			if log := r.log.String(); strings.Count(log, "connection closed: its client resets streams too fast") != 1 ||
				!strings.Contains(log, `"peer":"`+c.LocalAddr().String()+`"`) {
				t.Errorf("the log does not say once who was cut:\n%s", log)
			}
		})
	}
}

// A client that does not end its messages holds memory only up to a share of what the
// process may have; then its connection ends. HTTP bodies draw on the same budget.
func TestFloodOfMessages(t *testing.T) {
	s := greeter(t, hello)
	s.Settings.Limits.MessageBytes = 512 << 10
	s.Settings.Listen.HTTP = "127.0.0.1:0"
	s.HTTP = []Route{{Method: http.MethodPost, Path: "/", RPC: greetName, Body: "*"}}
	before := debug.SetMemoryLimit(4 << 20) // for the start alone, which gives the bodies a quarter of it
	r := start(t, s, Options{})
	debug.SetMemoryLimit(before)
	honest := dialHonest(t, r.GRPC)

	// Half of the budget by HTTP, which waits; then more than the other by gRPC.
	body, upload := io.Pipe()
	answered := make(chan int)
	go func() {
		response, err := http.Post("http://"+r.HTTP, "application/json", body)
		if err != nil {
			t.Error(err)
			answered <- 0
			return
		}
		_ = response.Body.Close()
		answered <- response.StatusCode
	}()
	if _, err := io.WriteString(upload, `"`+strings.Repeat("x", 256<<10-1)); err != nil {
		t.Fatal(err)
	}
	c, f := raw(t, r.GRPC)
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	sent, err := 0, error(nil)
	for stream := uint32(1); err == nil && sent < 2<<20; stream += 2 {
		if err = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: rawHeaders(), EndHeaders: true}); err == nil {
			err = f.WriteData(stream, false, append([]byte{0, 0, 0x08, 0, 0}, make([]byte, 16<<10-5)...))
			sent += 16 << 10
		}
		for err == nil && !credited(f, &err) {
		}
	}
	if isTimeout(err) || sent < 512<<10 || sent > 1<<20 {
		t.Errorf("the connection ended with %v after %d bytes", err, sent)
	}
	if err := honest.Invoke(t.Context(), greetName, wrapperspb.String("world"), new(wrapperspb.StringValue)); err != nil {
		t.Error(err)
	}

	// What the connection held is there again, for others.
	if _, err := io.WriteString(upload, strings.Repeat("x", 128<<10)+`"`); err != nil {
		t.Fatal(err)
	}
	_ = upload.Close()
	if code := <-answered; code != http.StatusOK {
		t.Errorf("the body is answered with %d", code)
	}
	_, page := r.admin(t, http.MethodGet, "/metrics")
	for _, want := range []string{`grpc_server_connections_ended_total{reason="memory"} 1`, "http_server_bodies_refused_total 0"} {
		if !strings.Contains(page, "\n"+want+"\n") {
			t.Errorf("the metrics do not say %q", want)
		}
	}
}

// A client that opens more streams than all limits together let in loses its connection.
func TestFloodOfStreams(t *testing.T) {
	s := greeter(t, hello)
	s.Settings.Limits.Concurrency, s.Settings.Limits.Connections = 10, 20
	r := start(t, s, Options{})
	c, f := raw(t, r.GRPC)
	for i := range uint32(30) {
		if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*i + 1, BlockFragment: rawHeaders(), EndHeaders: true}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.WritePing(false, [8]byte{1}); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	for answered := false; !answered; {
		frame, err := f.ReadFrame()
		if err != nil {
			t.Fatalf("with as many streams as there may be: %v", err)
		}
		answered = frame.Header().Type == http2.FramePing && frame.Header().Flags.Has(http2.FlagPingAck)
	}
	if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: 61, BlockFragment: rawHeaders(), EndHeaders: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); isTimeout(err) {
		t.Error("with one more the connection is still open")
	}
	_, page := r.admin(t, http.MethodGet, "/metrics")
	if want := "\n" + `grpc_server_connections_ended_total{reason="streams"} 1` + "\n"; !strings.Contains(page, want) {
		t.Errorf("the metrics do not say %q", want)
	}
}

// As many clients may watch the health as there may be connections.
func TestWatchesAreBounded(t *testing.T) {
	s := greeter(t, hello)
	s.Settings.Limits.Connections = 2
	r := start(t, s, Options{})
	conn := dialHonest(t, r.GRPC)
	for i, want := range []codes.Code{codes.OK, codes.OK, codes.ResourceExhausted} {
		watch, err := healthpb.NewHealthClient(conn).Watch(t.Context(), &healthpb.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := watch.Recv(); status.Code(err) != want {
			t.Errorf("watch %d: %v, want %s", i, err, want)
		}
	}
}

// credited reads a frame, and reports whether it lets the connection send more.
func credited(f *http2.Framer, err *error) bool {
	frame, failed := f.ReadFrame()
	*err = failed
	return failed == nil && frame.Header().Type == http2.FrameWindowUpdate && frame.Header().StreamID == 0
}

func isTimeout(err error) bool {
	e, ok := err.(net.Error)
	return ok && e.Timeout()
}

// honest is a client of grpc-go on one connection.
type honest struct {
	*grpc.ClientConn
	dials atomic.Int32
}

func dialHonest(t *testing.T, address string) *honest {
	h := new(honest)
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			h.dials.Add(1)
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	h.ClientConn = conn
	return h
}

// calls are made, with a hedge for each that is cancelled once the server has it.
func (h *honest) calls(t *testing.T, entered <-chan struct{}) {
	t.Helper()
	for range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		hedge := make(chan error)
		go func() { hedge <- h.Invoke(ctx, greetName, wrapperspb.String("wait"), new(wrapperspb.StringValue)) }()
		<-entered
		if err := h.Invoke(t.Context(), greetName, wrapperspb.String("hello"), new(wrapperspb.StringValue)); err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := <-hedge; status.Code(err) != codes.Canceled {
			t.Fatalf("the hedge ended with %v", err)
		}
	}
}
