package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/internal/gateway"
)

// upload begins a request whose body has so many bytes, of which none is sent.
func upload(t *testing.T, c net.Conn, bytes int) {
	t.Helper()
	if _, err := fmt.Fprintf(c, "POST /v1/echo HTTP/1.1\r\nHost: echo\r\nContent-Length: %d\r\n\r\n", bytes); err != nil {
		t.Fatal(err)
	}
}

// drip sends a part of a body, and then pieces of it until the connection ends. The
// test waits for that.
func drip(t *testing.T, c net.Conn, first, piece int, every time.Duration) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for next := first; ; next = piece {
			if next > 0 {
				if _, err := c.Write(make([]byte, next)); err != nil {
					return
				}
			}
			if piece == 0 {
				return
			}
			time.Sleep(every)
		}
	}()
	t.Cleanup(func() {
		_ = c.Close()
		<-done
	})
}

// answer reads a response to its end, and whether the connection ends with it.
func answer(t *testing.T, c net.Conn) (code int, body string, closed bool) {
	t.Helper()
	r := bufio.NewReader(c)
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(data), response.Close
}

func assertTooSlow(t *testing.T, c net.Conn) {
	t.Helper()
	code, body, closed := answer(t, c)
	var got struct {
		Code    codes.Code
		Message string
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || got.Code != codes.DeadlineExceeded || got.Message != "request body arrives too slowly" {
		t.Errorf("the answer is %q, %v", body, err)
	}
	if code != http.StatusRequestTimeout || !closed {
		t.Errorf("the status is %d, and that the connection closes is %t; want 408 and true", code, closed)
	}
	if _, err := io.Copy(io.Discard, c); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the connection is still open: %v", err)
	}
}

// piped is a listener of connections in memory. Their clock is that of the bubble.
type piped chan net.Conn

func (p piped) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p piped) Close() error   { close(p); return nil }
func (p piped) Addr() net.Addr { return &net.UnixAddr{} }

// inBubble serves the service with the default options to one connection. Its handler
// takes a minute, which is not the client's.
func inBubble(t *testing.T) net.Conn {
	t.Helper()
	client, _ := newEcho(t, &echo{unary: func(ctx context.Context, in *text) (*text, error) {
		select {
		case <-time.After(time.Minute):
			return in, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}})
	mux := gateway.NewMux(gateway.Options{})
	if err := registerRoutes(mux.ServeMux, client); err != nil {
		t.Fatal(err)
	}
	listener, s := make(piped, 1), &http.Server{Handler: mux}
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	c, accepted := net.Pipe()
	listener <- accepted
	t.Cleanup(func() {
		_, _ = c.Close(), s.Close()
		<-served
	})
	return c
}

// A client that sends 32 KiB/s may send the largest body, with a pause of up to 10 s.
func TestHonestBodies(t *testing.T) {
	const size = 4 << 20
	for name, test := range map[string]struct {
		pause time.Duration // before the first byte
		piece int           // each second
	}{
		"32 KiB/s":               {0, 32 << 10},
		"32 KiB/s after a pause": {9 * time.Second, 32 << 10},
		"fast after a pause":     {9999 * time.Millisecond, size},
	} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				c := inBubble(t)
				upload(t, c, size)
				time.Sleep(test.pause)
				message := `{"requestId":"` + strings.Repeat("x", size-16) + `"}`
				go func() {
					for ; message != ""; message = message[min(test.piece, len(message)):] {
						_, _ = io.WriteString(c, message[:min(test.piece, len(message))])
						time.Sleep(time.Second)
					}
				}()
				if code, body, _ := answer(t, c); code != http.StatusOK {
					t.Fatalf("the answer is %d, %.200s", code, body)
				}
				upload(t, c, 2)
				_, _ = io.WriteString(c, "{}")
				if code, _, _ := answer(t, c); code != http.StatusOK {
					t.Errorf("the next request on the connection is answered with %d", code)
				}
			})
		})
	}
}

// Whoever is slower is answered before long, whatever was sent before.
func TestSlowBodies(t *testing.T) {
	for name, test := range map[string]struct {
		first, piece int
		every, want  time.Duration
	}{
		"silent":                 {0, 0, time.Hour, 10 * time.Second},
		"a byte in 9 s":          {0, 1, 9 * time.Second, 10 * time.Second},
		"nearly all, then bytes": {4<<20 - 100, 1, 9 * time.Second, 10 * time.Second},
		"half the rate":          {0, 16 << 10, time.Second, 19 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				c := inBubble(t)
				began := time.Now()
				upload(t, c, 4<<20)
				drip(t, c, test.first, test.piece, test.every)
				assertTooSlow(t, c)
				if took := time.Since(began); took < test.want || took > test.want+time.Second {
					t.Errorf("it is answered after %v, want %v", took, test.want)
				}
			})
		})
	}
}

// The same over sockets, and with other bounds.
func TestSlowBodiesOverTCP(t *testing.T) {
	const pause = 200 * time.Millisecond
	client, _ := newEcho(t, &echo{})
	mux := gateway.NewMux(gateway.Options{BodyPause: pause, BodyRate: 4 << 10})
	if err := registerRoutes(mux.ServeMux, client); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	for name, test := range map[string]struct{ first, piece int }{
		"silent":                 {0, 0},
		"dripping":               {0, 1},
		"nearly all, then bytes": {60 << 10, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, s.Listener.Addr().String())
			_ = c.SetDeadline(time.Now().Add(10 * time.Second))
			began := time.Now()
			upload(t, c, 64<<10)
			drip(t, c, test.first, test.piece, pause/20)
			assertTooSlow(t, c)
			if took := time.Since(began); took < pause || took > 10*pause {
				t.Errorf("it is answered after %v, want %v", took, pause)
			}
		})
	}
}
