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
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/internal/budget"
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

// inBubble serves the service with the default options to one connection.
func inBubble(t *testing.T) net.Conn {
	t.Helper()
	return connect(t, gateway.Options{}, 1)[0]
}

// connect serves the service to some connections. Its handler takes a minute, which is
// not the client's.
func connect(t *testing.T, o gateway.Options, connections int) []net.Conn {
	t.Helper()
	mux := newMux(t, &echo{unary: func(ctx context.Context, in *text) (*text, error) {
		select {
		case <-time.After(time.Minute):
			return in, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}, o)
	listener, s := make(piped, connections), &http.Server{Handler: mux}
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	var clients []net.Conn
	for range connections {
		c, accepted := net.Pipe()
		listener <- accepted
		clients = append(clients, c)
	}
	t.Cleanup(func() {
		for _, c := range clients {
			_ = c.Close()
		}
		_ = s.Close()
		<-served
	})
	return clients
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
				// What reads take at the rate is in whole nanoseconds, each rounded down.
				if took := time.Since(began).Round(time.Microsecond); took < test.want || took > test.want+time.Second {
					t.Errorf("it is answered after %v, want %v", took, test.want)
				}
			})
		})
	}
}

// The same over sockets, and with other bounds.
func TestSlowBodiesOverTCP(t *testing.T) {
	const pause = 200 * time.Millisecond
	s := httptest.NewServer(newMux(t, &echo{}, gateway.Options{BodyPause: pause, BodyRate: 4 << 10}))
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

// padded is a request of so many bytes.
func padded(size int) string { return `{"requestId":"` + strings.Repeat("x", size-16) + `"}` }

// Where bodies take too much memory, the one that holds the most is answered with 429,
// though its client waits. Those that are being worked on are left alone, and what they
// hold is there for others once they are answered.
func TestBodiesMakeRoom(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		refused, memory := atomic.Int32{}, budget.New(4000)
		c := connect(t, gateway.Options{Memory: memory, Refused: func() { refused.Add(1) }}, 4)
		send := func(c net.Conn, body string) {
			t.Helper()
			if _, err := io.WriteString(c, body); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond) // it is read then
		}
		holds := func(want int64) {
			t.Helper()
			if got := memory.Held(); got != want {
				t.Errorf("bodies hold %d bytes, want %d", got, want)
			}
		}
		upload(t, c[0], 900)
		send(c[0], padded(900))
		upload(t, c[1], 4<<20)
		send(c[1], padded(4 << 20)[:800])
		holds(3400)
		upload(t, c[2], 4<<20)
		send(c[2], padded(4 << 20)[:350])
		if got := refused.Load(); got != 1 {
			t.Errorf("%d are refused, want 1", got)
		}
		holds(2500)

		began := time.Now()
		code, body, closed := answer(t, c[1])
		if code != http.StatusTooManyRequests || !closed || !strings.Contains(body, "OVERLOADED") {
			t.Errorf("the largest is answered with %d, %q, and that the connection closes is %t; want 429, OVERLOADED and true", code, body, closed)
		}
		if took := time.Since(began); took > 10*time.Millisecond {
			t.Errorf("it is answered after %v", took)
		}
		upload(t, c[3], 4<<20)
		drip(t, c[3], 1101, 0, 0)
		if code, body, _ := answer(t, c[3]); code != http.StatusTooManyRequests || !strings.Contains(body, "OVERLOADED") {
			t.Errorf("a client that spends all is answered with %d, %q; want 429 and OVERLOADED", code, body)
		}
		if code, _, _ := answer(t, c[2]); code != http.StatusRequestTimeout {
			t.Errorf("the smaller one is answered with %d, want 408", code)
		}
		if code, body, _ := answer(t, c[0]); code != http.StatusOK {
			t.Errorf("the one that was worked on is answered with %d, %q", code, body)
		}
		if got := refused.Load(); got != 2 {
			t.Errorf("%d are refused, want 2", got)
		}
		holds(0)

		upload(t, c[0], 1500)
		send(c[0], padded(1500))
		if code, _, _ := answer(t, c[0]); code != http.StatusOK {
			t.Errorf("the next request on the connection is answered with %d", code)
		}
	})
}
